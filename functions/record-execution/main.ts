import * as z from 'zod'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { RecordExecutionConnections, feeRatioFrom } from './config.ts'
import { recordExecution } from './function.ts'
import { recordExecutionHandler } from './handler.ts'

const config = loadConfigOrExit(
  z.object({ ...ServeConfig.shape, ...RecordExecutionConnections.shape }),
  process.env,
)
const log = createLog(recordExecution.name, config.LOG_LEVEL)
const database = await openPostgres({ url: config.JTS_POSTGRES_URL, applicationName: recordExecution.name })

const handler = recordExecutionHandler({
  orders: postgresOrderStore(database),
  ledger: postgresLedger(database),
  instruments: postgresInstruments(database),
  feeRatio: feeRatioFrom(config),
})

await serve(recordExecution, handler, {
  config,
  clock: systemClock,
  stopwatch: systemStopwatch,
  closes: [database],
  log,
})
