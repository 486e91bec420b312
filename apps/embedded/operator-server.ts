// The operator interface on loopback.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { formatInstant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { IdSource } from '#shared/ports/id-source.ts'
import type { Market } from './market.ts'
import { MESSAGES_PATH, receiveMessages } from './messages.ts'
import { operatorApp } from './operator.ts'
import type { SuiteSettings } from './settings.ts'
import type { Stores } from './stores.ts'

/** The port is in use. */
export class PortTakenError extends Error {
  override name = 'PortTakenError'
}

export async function startOperator(deps: {
  readonly stores: Stores
  readonly market: Market
  readonly bus: EventBus
  readonly directory: string
  readonly port: number
  readonly clock: Clock
  readonly ids: IdSource
  /** What is wrong right now, for a person. */
  readonly trouble: () => string | undefined
}) {
  const { stores, market, bus, directory, clock, ids } = deps
  const status = () =>
    Promise.resolve({
      running: true,
      pid: process.pid,
      market: market.title,
      time: formatInstant(clock.now()),
      data: directory,
      ...(deps.trouble() === undefined ? {} : { trouble: deps.trouble() }),
    })
  const app = operatorApp({ stores, clock, ids, publish: (events) => bus.publish(events), status })
  receiveMessages(app, join(directory, 'messages.jsonl'))
  const server = await listening(
    () => serve({ fetch: app.fetch, port: deps.port, hostname: '127.0.0.1' }),
    deps.port,
  )
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const secret = Buffer.from(systemRandomBytes(24)).toString('hex')
  return {
    url,
    /** Sends messages here unless somebody has chosen a channel. */
    withMessages(settings: SuiteSettings): SuiteSettings {
      const { EMAIL_ENABLED, SLACK_ENABLED, JTS_WEBHOOK_URL } = settings.notify
      if (EMAIL_ENABLED || SLACK_ENABLED || (JTS_WEBHOOK_URL ?? '') !== '') return settings
      return {
        ...settings,
        notify: {
          ...settings.notify,
          JTS_WEBHOOK_URL: url + MESSAGES_PATH,
          JTS_WEBHOOK_SECRET: secret,
          JTS_WEBHOOK_PRIVATE_ALLOWED: true,
        },
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

type Server = ReturnType<typeof serve>

function listening(start: () => Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = start()
    server.once('listening', () => resolve(server))
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new PortTakenError(`port ${port} is taken: set JTS_PORT to another, or to 0 for any free one`)
          : error,
      )
    })
  })
}
