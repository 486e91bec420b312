import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { RiskCheckConfig, feeRatioFrom, riskLimitsFrom } from './config.ts'
import { riskFacts } from './facts.ts'
import { riskCheck } from './function.ts'
import { riskCheckHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, RiskCheckConfig, PostgresConfig, RedisConfig, KafkaOutputsConfig],
    process.env,
  ),
)
const time = businessClock(config)
const { name } = riskCheck
const log = createLog(name, config.LOG_LEVEL)
const database = await openDatabase(config, { name, log })
const hotState = connectHotState(config, { name, log })
const bus = await openOutputs(config, log)

const limits = riskLimitsFrom(config)
const facts = riskFacts({
  ledger: postgresLedger(database),
  hotState,
  instruments: postgresInstruments(database),
  clock: time.clock,
  feeRatio: feeRatioFrom(config),
})
const handler = riskCheckHandler({
  limitsOf: () => limits,
  facts,
  orders: postgresOrderStore(database),
  clock: time.clock,
})

await serve(riskCheck, handler, {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [database, hotState],
  notReady: () => hotState.notReady(),
  log,
})
