import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { ClickHouseConfig, clickHouseOptionsFrom } from '#shared/adapters/clickhouse/config.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { RedisConfig, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { IngestTickConfig } from './config.ts'
import { ingestTick } from './function.ts'
import { ingestTickHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, IngestTickConfig, PostgresConfig, ClickHouseConfig, RedisConfig],
    process.env,
  ),
)
const time = orExit(() => businessTime(config, { system: systemClock, events: eventClock }))
const { name } = ingestTick
const log = createLog(name, config.LOG_LEVEL)
const database = await openOrExit(
  'JTS_POSTGRES_URL',
  () => openPostgres(postgresOptionsFrom(config, name)),
  log,
)
const clickhouse = await openOrExit(
  'JTS_CLICKHOUSE_URL',
  () => openClickHouse(clickHouseOptionsFrom(config)),
  log,
)
const tickStore = clickhouseTickStore(clickhouse, {
  batchSize: config.BATCH_SIZE,
  bufferSize: config.BUFFER_SIZE,
  flushIntervalMs: config.JTS_TICK_FLUSH_INTERVAL_MS,
  stopwatch: systemStopwatch,
  onFault: (error) => log.error({ error }, 'ticks cannot be written now; rows are kept'),
})
const hotState = redisHotState(redisOptionsFrom(config, { name, stopwatch: systemStopwatch, log }))

const handler = ingestTickHandler({
  decoder: kisFrameDecoder(),
  hotState,
  tickStore,
  instruments: postgresInstruments(database),
  clock: time.clock,
  stopwatch: systemStopwatch,
  phaseGraceMs: config.JTS_PHASE_GRACE_MS,
  copyIntervalMs: config.JTS_FORMING_COPY_INTERVAL_MS,
  count: (what, instrumentId) => log.debug({ what, instrumentId }, 'market data'),
})

// Without Redis the feed goes on: prices are then unknown or old, and what depends on them denies.
await serve(ingestTick, handler, {
  ...time,
  config,
  stopwatch: systemStopwatch,
  closes: [database, clickhouse, tickStore, hotState, { close: () => handler.drain() }],
  log,
})
