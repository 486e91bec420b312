import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
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
import { RecordExecutionConfig, feeRatioFrom } from './config.ts'
import { recordExecution } from './function.ts'
import { recordExecutionHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings([ServeConfig, BusinessTimeConfig, RecordExecutionConfig, PostgresConfig], process.env),
)
const time = orExit(() => businessTime(config, { system: systemClock, events: eventClock }))
const log = createLog(recordExecution.name, config.LOG_LEVEL)
const database = await openOrExit(
  'JTS_POSTGRES_URL',
  () => openPostgres(postgresOptionsFrom(config, recordExecution.name)),
  log,
)

const handler = recordExecutionHandler({
  orders: postgresOrderStore(database),
  ledger: postgresLedger(database),
  instruments: postgresInstruments(database),
  feeRatio: feeRatioFrom(config),
})

await serve(recordExecution, handler, {
  ...time,
  config,
  stopwatch: systemStopwatch,
  closes: [database],
  log,
})
