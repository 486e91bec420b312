import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { RecordExecutionConfig, feeRatioFrom } from './config.ts'
import { recordExecution } from './function.ts'
import { recordExecutionHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, RecordExecutionConfig, PostgresConfig, KafkaOutputsConfig],
    process.env,
  ),
)
const time = businessClock(config)
const log = createLog(recordExecution.name, config.LOG_LEVEL)
const database = await openDatabase(config, { name: recordExecution.name, log })
const bus = await openOutputs(config, log)

const handler = recordExecutionHandler({
  orders: postgresOrderStore(database),
  ledger: postgresLedger(database),
  instruments: postgresInstruments(database),
  feeRatio: feeRatioFrom(config),
})

await serve(recordExecution, handler, {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [database],
  log,
})
