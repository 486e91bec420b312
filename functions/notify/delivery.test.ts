// From settings to what a mail server, Slack and a webhook receive.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import type { NotificationLog, NotificationRecord } from '#shared/ports/notification-log.ts'
import type { Notifier } from '#shared/ports/notifier.ts'
import { loadConfig } from '#shared/runtime/config.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { notifiersFrom } from '#shared/adapters/notifiers/notifiers.ts'
import { httpReceiver } from '#shared/adapters/notifiers/receiver.fixture.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { filled, parked } from './build.fixture.ts'
import { NotifyConfig, alertRulesFrom, notifierOptionsFrom } from './config.ts'
import { notify } from './function.ts'
import { notifyHandler } from './handler.ts'

interface Mail {
  readonly to: readonly string[]
  readonly raw: string
}

const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function mailServer(): Promise<{ readonly port: number; readonly mails: readonly Mail[] }> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        mails.push({ to, raw: Buffer.concat(chunks).toString('utf8') })
        callback(null)
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  closes.push(() => new Promise((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, mails }
}

/** History without an inbox: these tests deliver each event once. */
function plainHistory(): NotificationLog {
  const records: NotificationRecord[] = []
  return {
    wasDelivered: () => Promise.resolve(false),
    record: (added) => {
      records.push(...added)
      return Promise.resolve()
    },
    recent: (limit) => Promise.resolve(records.toReversed().slice(0, limit)),
  }
}

async function start() {
  const mail = await mailServer()
  const slack = await httpReceiver()
  const webhook = await httpReceiver()
  closes.push(
    () => slack.close(),
    () => webhook.close(),
  )
  const environment = {
    EMAIL_ENABLED: 'true',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(mail.port),
    JTS_EMAIL_FROM: 'jts@example.com',
    JTS_EMAIL_TO: 'desk@example.com',
    JTS_EMAIL_TO_ON_CALL: 'night@example.com',
    SLACK_ENABLED: 'true',
    SLACK_WEBHOOK_URL: slack.url,
    SLACK_CHANNEL: '#jts-dev-alerts',
    JTS_WEBHOOK_URL: webhook.url,
    JTS_WEBHOOK_SECRET: 'a secret of some length',
    JTS_WEBHOOK_PRIVATE_ALLOWED: 'true',
  }
  const settings = loadConfig(NotifyConfig, environment, { secretDirectories: [] })
  const notifiers: readonly Notifier[] = notifiersFrom(notifierOptionsFrom(settings), systemClock)
  closes.push(async () => {
    await Promise.all(notifiers.map((notifier) => notifier.close()))
  })
  const handler = notifyHandler({
    rules: alertRulesFrom(settings),
    notifiers,
    history: plainHistory(),
    hotState: memoryHotState({ stopwatch: systemStopwatch }),
    clock: systemClock,
    stopwatch: systemStopwatch,
    ratePerMinute: settings.JTS_NOTIFY_RATE_PER_MINUTE,
    log: silentLog,
  })
  const host = hostFunction(notify, handler, {
    clock: systemClock,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  closes.push(async () => host.close())
  const statuses = async (event: Event): Promise<readonly string[]> => {
    const delivery = await host.handle(event)
    if (delivery.outcome !== 'done') throw new Error(delivery.outcome)
    return delivery.outputs.map(({ type, data }) => `${(data as { channel: string }).channel} ${type}`)
  }
  return { mail, slack, webhook, statuses }
}

test('an order that needs a person reaches everybody on every channel', async () => {
  const { mail, slack, webhook, statuses } = await start()
  expect(await statuses(parked())).toEqual([
    'email jts.notification.delivered.v1',
    'slack jts.notification.delivered.v1',
    'webhook jts.notification.delivered.v1',
  ])
  expect(mail.mails[0]?.to).toEqual(['desk@example.com', 'night@example.com'])
  expect(mail.mails[0]?.raw).toContain('Subject: [JTS critical] Order needs a person: order-1')
  expect(slack.taken[0]?.body).toContain('"channel":"#jts-dev-alerts"')
  expect(slack.taken[0]?.body).toContain(':rotating_light: *Order needs a person: order-1*')
  const [taken] = webhook.taken
  const body = taken?.body ?? ''
  const signed = [taken?.headers['webhook-id'], taken?.headers['webhook-timestamp'], body].join('.')
  const signature = createHmac('sha256', 'a secret of some length').update(signed).digest('base64')
  expect(taken?.headers['webhook-signature']).toBe(`v1,${signature}`)
  expect(JSON.parse(body)).toMatchObject({
    severity: 'critical',
    messageId: 'parked-1',
    recipient: 'on-call',
  })
})

test('a fill wakes nobody by mail, and a Slack that refuses does not keep it from the webhook', async () => {
  const { mail, slack, webhook, statuses } = await start()
  slack.set('refuses')
  expect(await statuses(filled())).toEqual([
    'slack jts.notification.failed.v1',
    'webhook jts.notification.delivered.v1',
  ])
  expect(mail.mails).toHaveLength(0)
  expect(webhook.taken).toHaveLength(1)
})
