// The promises of the handler that rest on the store, on PostgreSQL itself.
import { afterEach, expect, test } from 'vitest'
import { NotificationDelivered } from '#shared/events/notifications.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Message, Notifier } from '#shared/ports/notifier.ts'
import { type FunctionHost, hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type TestDatabase, testDatabase } from '../../test/postgres.ts'
import { breached, rules, valued } from './build.fixture.ts'
import { notify } from './function.ts'
import { notifyHandler } from './handler.ts'

const opened: TestDatabase[] = []
const hosts: FunctionHost[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) host.close()
  await Promise.all(opened.splice(0).map(({ close }) => close()))
})

async function bench() {
  const store = await testDatabase()
  opened.push(store)
  const history = postgresNotificationLog(store.database)
  const taken: Message[] = []
  const faults: Error[] = []
  const slack: Notifier = {
    channel: 'slack',
    deliver(message) {
      const fault = faults.shift()
      if (fault !== undefined) return Promise.reject(fault)
      taken.push(message)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  const handler = notifyHandler({
    rules: rules(),
    notifiers: [slack],
    history,
    hotState: memoryHotState({ stopwatch: systemStopwatch }),
    clock: systemClock,
    stopwatch: systemStopwatch,
    ratePerMinute: 100,
    log: silentLog,
  })
  const host = hostFunction(notify, handler, {
    clock: systemClock,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  hosts.push(host)
  return { host, history, taken, faults }
}

test('an event delivered again tells nobody twice, and emits the very same events', async () => {
  const { host, history, taken } = await bench()
  const first = await host.handle(breached())
  expect(first).toMatchObject({ outcome: 'done', outputs: [{ type: NotificationDelivered.type }] })
  expect(await host.handle(breached())).toEqual(first)
  expect(taken).toHaveLength(1)
  expect(await history.recent(10)).toMatchObject([
    { eventId: 'breached-1', status: 'delivered', attempts: 1 },
  ])
})

test('a channel that failed is tried when the event comes again, until it has taken the message once', async () => {
  const { host, history, taken, faults } = await bench()
  faults.push(new PoisonError('slack: answered 403'), new PoisonError('slack: answered 403'))
  for (let delivery = 0; delivery < 5; delivery += 1) await host.handle(breached())
  expect(taken).toHaveLength(1)
  expect(await history.recent(10)).toMatchObject([{ status: 'delivered' }, { status: 'failed' }])
})

test('the loss alert is told once for many valuations', async () => {
  const { host, taken } = await bench()
  for (let index = 0; index < 5; index += 1) await host.handle(valued('90', '10', `v${index}`, index * 5_000))
  expect(taken.map(({ messageId }) => messageId)).toEqual(['loss:kis:5012345601:2025-09-02'])
})
