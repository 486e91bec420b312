import * as z from 'zod'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { notifiersFrom } from '#shared/adapters/notifiers/notifiers.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { NotifyConfig, NotifyConnections, alertRulesFrom, notifierOptionsFrom } from './config.ts'
import { notify } from './function.ts'
import { notifyHandler } from './handler.ts'

// The notify schema comes first and whole: its faults span settings.
const settings = loadConfigOrExit(NotifyConfig, process.env)
const config = loadConfigOrExit(z.object({ ...ServeConfig.shape, ...NotifyConnections.shape }), process.env)
const log = createLog(notify.name, config.LOG_LEVEL)
const database = await openPostgres({ url: config.JTS_POSTGRES_URL, applicationName: notify.name })
const options = notifierOptionsFrom(settings)
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
  rules: alertRulesFrom(settings),
  notifiers,
  history: postgresNotificationLog(database),
  hotState,
  clock: systemClock,
  stopwatch: systemStopwatch,
  ratePerMinute: settings.JTS_NOTIFY_RATE_PER_MINUTE,
  log,
})

await serve(notify, handler, {
  config,
  clock: systemClock,
  stopwatch: systemStopwatch,
  closes: [database, hotState, ...notifiers],
  log,
})
