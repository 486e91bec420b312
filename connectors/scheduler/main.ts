import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, assertSystemTime } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { runConnector } from '#shared/runtime/connector.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig } from '#shared/runtime/serve.ts'
import { openBus } from '#shared/wiring/kafka.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { SchedulerConfig, timersFrom } from './config.ts'
import { type RunningScheduler, runScheduler } from './scheduler.ts'

const name = 'scheduler'
const config = orExit(() =>
  loadSettings([ServeConfig, BusinessTimeConfig, SchedulerConfig, KafkaConfig, RedisConfig], process.env),
)
orExit(() => assertSystemTime(config))
const log = createLog(name, config.LOG_LEVEL)
const bus = await openBus(config, log)
const hotState = connectHotState(config, { name, log })

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
