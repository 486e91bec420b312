import * as z from 'zod'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { EvaluateStrategyConfig, EvaluateStrategyConnections, evaluateSettingsFrom } from './config.ts'
import { evaluateStrategy } from './function.ts'
import { evaluateStrategyHandler } from './handler.ts'
import { historyFrom } from './history.ts'

// The strategy schema comes first and whole: its faults span settings.
const settings = loadConfigOrExit(EvaluateStrategyConfig, process.env)
const config = loadConfigOrExit(
  z.object({ ...ServeConfig.shape, ...EvaluateStrategyConnections.shape }),
  process.env,
)
const log = createLog(evaluateStrategy.name, config.LOG_LEVEL)
const database = await openPostgres({ url: config.JTS_POSTGRES_URL, applicationName: evaluateStrategy.name })
const clickhouse = await openClickHouse({
  url: config.JTS_CLICKHOUSE_URL,
  ...(config.JTS_CLICKHOUSE_DATABASE === undefined ? {} : { database: config.JTS_CLICKHOUSE_DATABASE }),
  ...(config.JTS_CLICKHOUSE_USER === undefined ? {} : { username: config.JTS_CLICKHOUSE_USER }),
  ...(config.JTS_CLICKHOUSE_PASSWORD === undefined ? {} : { password: config.JTS_CLICKHOUSE_PASSWORD }),
})
const tickStore = clickhouseTickStore(clickhouse, { stopwatch: systemStopwatch })

// No broker here: collect-history fills the store, and the function that decides holds no credentials.
const ending = new AbortController()
const handler = evaluateStrategyHandler({
  documents: postgresDocuments(database),
  history: historyFrom({ tickStore, signal: ending.signal }),
  ledger: postgresLedger(database),
  orders: postgresOrderStore(database),
  instruments: postgresInstruments(database),
  clock: systemClock,
  stopwatch: systemStopwatch,
  log,
  settings: evaluateSettingsFrom(settings),
})

await serve(evaluateStrategy, handler, {
  config,
  clock: systemClock,
  stopwatch: systemStopwatch,
  closes: [database, clickhouse, tickStore, { close: async () => ending.abort() }],
  log,
})
