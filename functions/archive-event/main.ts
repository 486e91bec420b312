import * as z from 'zod'
import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { ArchiveEventConfig, ArchiveEventConnections, bufferOptionsFrom } from './config.ts'
import { archiveEvent } from './function.ts'
import { archiveEventHandler } from './handler.ts'

const config = loadConfigOrExit(
  z.object({ ...ServeConfig.shape, ...ArchiveEventConfig.shape, ...ArchiveEventConnections.shape }),
  process.env,
)
const log = createLog(archiveEvent.name, config.LOG_LEVEL)
const clickhouse = await openClickHouse({
  url: config.JTS_CLICKHOUSE_URL,
  ...(config.JTS_CLICKHOUSE_DATABASE === undefined ? {} : { database: config.JTS_CLICKHOUSE_DATABASE }),
  ...(config.JTS_CLICKHOUSE_USER === undefined ? {} : { username: config.JTS_CLICKHOUSE_USER }),
  ...(config.JTS_CLICKHOUSE_PASSWORD === undefined ? {} : { password: config.JTS_CLICKHOUSE_PASSWORD }),
})
const archive = clickhouseArchive(clickhouse, {
  ...bufferOptionsFrom(config),
  stopwatch: systemStopwatch,
  onFault: (error) => log.error({ error }, 'the archive cannot be written'),
})

await serve(archiveEvent, archiveEventHandler({ archive, storedBefore: 'event' }), {
  config,
  clock: systemClock,
  stopwatch: systemStopwatch,
  closes: [clickhouse, archive],
  log,
})
