import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { ClickHouseConfig, clickHouseOptionsFrom } from '#shared/adapters/clickhouse/config.ts'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { ArchiveEventConfig, bufferOptionsFrom } from './config.ts'
import { archiveEvent } from './function.ts'
import { archiveEventHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings([ServeConfig, BusinessTimeConfig, ArchiveEventConfig, ClickHouseConfig], process.env),
)
const time = orExit(() => businessTime(config, { system: systemClock, events: eventClock }))
const log = createLog(archiveEvent.name, config.LOG_LEVEL)
const clickhouse = await openOrExit(
  'JTS_CLICKHOUSE_URL',
  () => openClickHouse(clickHouseOptionsFrom(config)),
  log,
)
const archive = clickhouseArchive(clickhouse, {
  ...bufferOptionsFrom(config),
  stopwatch: systemStopwatch,
  onFault: (error) => log.error({ error }, 'the archive cannot be written'),
})

await serve(archiveEvent, archiveEventHandler({ archive, storedBefore: 'event' }), {
  ...time,
  config,
  stopwatch: systemStopwatch,
  closes: [clickhouse, archive],
  log,
})
