import { ClickHouseConfig } from '#shared/adapters/clickhouse/config.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openMarketData } from '#shared/wiring/clickhouse.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { EvaluateStrategyConfig, evaluateSettingsFrom } from './config.ts'
import { evaluateStrategy } from './function.ts'
import { evaluateStrategyHandler } from './handler.ts'
import { historyFrom } from './history.ts'

const config = orExit(() =>
  loadSettings(
    [
      ServeConfig,
      BusinessTimeConfig,
      EvaluateStrategyConfig,
      PostgresConfig,
      ClickHouseConfig,
      KafkaOutputsConfig,
    ],
    process.env,
  ),
)
const time = businessClock(config)
const log = createLog(evaluateStrategy.name, config.LOG_LEVEL)
const database = await openDatabase(config, { name: evaluateStrategy.name, log })
const clickhouse = await openMarketData(config, log)
const bus = await openOutputs(config, log)
const tickStore = clickhouseTickStore(clickhouse, { stopwatch: systemStopwatch })

// No broker here: collect-history fills the store, and the function that decides holds no credentials.
const ending = new AbortController()
const handler = evaluateStrategyHandler({
  documents: postgresDocuments(database),
  history: historyFrom({ tickStore, signal: ending.signal }),
  ledger: postgresLedger(database),
  orders: postgresOrderStore(database),
  instruments: postgresInstruments(database),
  clock: time.clock,
  stopwatch: systemStopwatch,
  log,
  settings: evaluateSettingsFrom(config),
})

await serve(evaluateStrategy, handler, {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [database, clickhouse, tickStore, { close: async () => ending.abort() }],
  log,
})
