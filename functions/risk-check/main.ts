import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { RiskCheckConfig, feeRatioFrom, riskLimitsFrom } from './config.ts'
import { riskFacts } from './facts.ts'
import { riskCheck } from './function.ts'
import { riskCheckHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings([ServeConfig, BusinessTimeConfig, RiskCheckConfig, PostgresConfig, RedisConfig], process.env),
)
const time = orExit(() => businessTime(config, { system: systemClock, events: eventClock }))
const { name } = riskCheck
const log = createLog(name, config.LOG_LEVEL)
const database = await openOrExit(
  'JTS_POSTGRES_URL',
  () => openPostgres(postgresOptionsFrom(config, name)),
  log,
)
const hotState = redisHotState(redisOptionsFrom(config, { name, stopwatch: systemStopwatch, log }))

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
  stopwatch: systemStopwatch,
  closes: [database, hotState],
  notReady: () => hotState.notReady(),
  log,
})
