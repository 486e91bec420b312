import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { ClickHouseConfig, clickHouseOptionsFrom } from '#shared/adapters/clickhouse/config.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { EvaluateStrategyConfig, evaluateSettingsFrom } from './config.ts'
import { evaluateStrategy } from './function.ts'
import { evaluateStrategyHandler } from './handler.ts'
import { historyFrom } from './history.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, EvaluateStrategyConfig, PostgresConfig, ClickHouseConfig],
    process.env,
  ),
)
const time = orExit(() => businessTime(config, { system: systemClock, events: eventClock }))
const log = createLog(evaluateStrategy.name, config.LOG_LEVEL)
const database = await openOrExit(
  'JTS_POSTGRES_URL',
  () => openPostgres(postgresOptionsFrom(config, evaluateStrategy.name)),
  log,
)
const clickhouse = await openOrExit(
  'JTS_CLICKHOUSE_URL',
  () => openClickHouse(clickHouseOptionsFrom(config)),
  log,
)
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
  stopwatch: systemStopwatch,
  closes: [database, clickhouse, tickStore, { close: async () => ending.abort() }],
  log,
})
