import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { notifiersFrom } from '#shared/adapters/notifiers/notifiers.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { NotifyConfig, alertRulesFrom, notifierOptionsFrom } from './config.ts'
import { notify } from './function.ts'
import { notifyHandler } from './handler.ts'

const config = orExit(() =>
  loadSettings(
    [ServeConfig, BusinessTimeConfig, NotifyConfig, PostgresConfig, KafkaOutputsConfig],
    process.env,
  ),
)
const time = businessClock(config)
const log = createLog(notify.name, config.LOG_LEVEL)
const database = await openDatabase(config, { name: notify.name, log })
const bus = await openOutputs(config, log)
const options = notifierOptionsFrom(config)
const notifiers = notifiersFrom(
  options.email === undefined
    ? options
    : {
        ...options,
        email: {
          ...options.email,
          onAddressesRefused: (addresses) => log.error({ addresses }, 'the mail server refused addresses'),
        },
      },
  systemClock,
)
if (notifiers.length === 0) log.warn({}, 'no channel is in use: nobody is told anything')
// One instance at most (function.ts), so the rates of this process are the rates.
const hotState = memoryHotState({ stopwatch: systemStopwatch })

const handler = notifyHandler({
  rules: alertRulesFrom(config),
  notifiers,
  history: postgresNotificationLog(database),
  hotState,
  clock: time.clock,
  stopwatch: systemStopwatch,
  ratePerMinute: config.JTS_NOTIFY_RATE_PER_MINUTE,
  log,
})

await serve(notify, handler, {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [database, hotState, ...notifiers],
  log,
})
