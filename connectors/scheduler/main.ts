import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { RedisConfig, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, assertSystemTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { runConnector } from '#shared/runtime/connector.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig } from '#shared/runtime/serve.ts'
import { SchedulerConfig, timersFrom } from './config.ts'
import { type RunningScheduler, runScheduler } from './scheduler.ts'

const name = 'scheduler'
const config = orExit(() =>
  loadSettings([ServeConfig, BusinessTimeConfig, SchedulerConfig, KafkaConfig, RedisConfig], process.env),
)
orExit(() => assertSystemTime(config))
const log = createLog(name, config.LOG_LEVEL)
const bus = await openOrExit(
  'JTS_KAFKA_BROKERS',
  () => kafkaBus({ settings: config, stopwatch: systemStopwatch, log }),
  log,
)
const hotState = redisHotState(redisOptionsFrom(config, { name, stopwatch: systemStopwatch, log }))

let running: RunningScheduler | undefined
const work = (signal: AbortSignal): Promise<void> => {
  running = runScheduler(
    {
      clock: systemClock,
      stopwatch: systemStopwatch,
      bus,
      hotState,
      ids: systemIds,
      venues: ['KRX'],
      timers: timersFrom(config),
      log,
    },
    signal,
  )
  return running.ended
}

// Without Redis every scheduler publishes: ids are the same, so that nothing happens twice.
await runConnector(work, {
  config,
  stopwatch: systemStopwatch,
  log,
  closes: [bus, hotState],
  notReady: () => (running?.nextDue() === undefined ? ['nothing is published yet'] : []),
})
