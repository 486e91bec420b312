import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { ClickHouseConfig } from '#shared/adapters/clickhouse/config.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openMarketData } from '#shared/wiring/clickhouse.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { IngestTickConfig } from './config.ts'
import { ingestTick } from './function.ts'
import { ingestTickHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [
      ServeConfig,
      BusinessTimeConfig,
      IngestTickConfig,
      PostgresConfig,
      ClickHouseConfig,
      RedisConfig,
      KafkaOutputsConfig,
    ],
    process.env,
  ),
)
const time = businessClock(config)
const { name } = ingestTick
const log = createLog(name, config.LOG_LEVEL)
const database = await openDatabase(config, { name, log })
const clickhouse = await openMarketData(config, log)
const tickStore = clickhouseTickStore(clickhouse, {
  batchSize: config.BATCH_SIZE,
  bufferSize: config.BUFFER_SIZE,
  flushIntervalMs: config.JTS_TICK_FLUSH_INTERVAL_MS,
  stopwatch: systemStopwatch,
  onFault: (error) => log.error({ error }, 'ticks cannot be written now; rows are kept'),
})
const hotState = connectHotState(config, { name, log })
const bus = await openOutputs(config, log)

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
  bus,
  stopwatch: systemStopwatch,
  closes: [database, clickhouse, tickStore, hotState, { close: () => handler.drain() }],
  log,
})
