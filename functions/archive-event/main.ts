import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { ClickHouseConfig } from '#shared/adapters/clickhouse/config.ts'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openMarketData } from '#shared/wiring/clickhouse.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { ArchiveEventConfig, bufferOptionsFrom } from './config.ts'
import { archiveEvent } from './function.ts'
import { archiveEventHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, ArchiveEventConfig, ClickHouseConfig, KafkaOutputsConfig],
    process.env,
  ),
)
const time = businessClock(config)
const log = createLog(archiveEvent.name, config.LOG_LEVEL)
const clickhouse = await openMarketData(config, log)
const bus = await openOutputs(config, log)
const archive = clickhouseArchive(clickhouse, {
  ...bufferOptionsFrom(config),
  stopwatch: systemStopwatch,
  onFault: (error) => log.error({ error }, 'the archive cannot be written'),
})

await serve(archiveEvent, archiveEventHandler({ archive, storedBefore: 'event' }), {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [clickhouse, archive],
  log,
})
