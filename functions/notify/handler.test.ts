import { afterEach, describe, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import type { Channel } from '#shared/events/notifications.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { NotificationLog, NotificationRecord } from '#shared/ports/notification-log.ts'
import type { Message, Notifier } from '#shared/ports/notifier.ts'
import { AlreadyHandledError } from '#shared/ports/receipt.ts'
import { type FunctionHost, hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { NOON } from '../../test/build.ts'
import { breached, filled, liquidation, reconciled, requested, rules, valued } from './build.fixture.ts'
import { notify } from './function.ts'
import { ATTEMPTS_MAX, type NotifyDeps, notifyHandler } from './handler.ts'

const busy = (): Error => new RetryableError('slack: answered 503')
const refused = (): Error => new PoisonError('slack: answered 403')
const unreachable = (): Error => new RetryableError('store is out of reach')

/** A channel of this process: takes what it is given unless a fault is waiting. */
function channelOf(channel: Channel) {
  const faults: Error[] = []
  const taken: Message[] = []
  const notifier: Notifier = {
    channel,
    deliver(message) {
      const fault = faults.shift()
      if (fault !== undefined) return Promise.reject(fault)
      taken.push(message)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  return { notifier, taken, faults }
}

/** History with an inbox, as the port demands it. `faults` are thrown by the next writes. */
function memoryHistory() {
  const records: NotificationRecord[] = []
  const receipts = new Map<string, readonly Event[]>()
  const faults: Error[] = []
  const history: NotificationLog = {
    wasDelivered: (eventId, channel) =>
      Promise.resolve(
        records.some(
          (record) =>
            record.eventId === eventId && record.channel === channel && record.status === 'delivered',
        ),
      ),
    record(added, { consumer, eventId, outputs }) {
      const fault = faults.shift()
      if (fault !== undefined) return Promise.reject(fault)
      const handled = receipts.get(`${consumer} ${eventId}`)
      if (handled !== undefined) return Promise.reject(new AlreadyHandledError(consumer, eventId, handled))
      receipts.set(`${consumer} ${eventId}`, outputs)
      records.push(...added)
      return Promise.resolve()
    },
    recent: (limit) => Promise.resolve(records.toReversed().slice(0, limit)),
  }
  return { history, records, faults }
}

const hosts: FunctionHost[] = []
afterEach(() => {
  for (const host of hosts.splice(0)) host.close()
})

function bench(over: Partial<NotifyDeps> = {}) {
  const email = channelOf('email')
  const slack = channelOf('slack')
  const store = memoryHistory()
  const pausesMs: number[] = []
  const deps: NotifyDeps = {
    rules: rules(),
    notifiers: [email.notifier, slack.notifier],
    history: store.history,
    hotState: memoryHotState({ stopwatch: systemStopwatch }),
    clock: { now: () => NOON },
    stopwatch: {
      sleep: (ms) => {
        pausesMs.push(ms)
        return Promise.resolve()
      },
    },
    ratePerMinute: 100,
    log: silentLog,
    ...over,
  }
  const host = hostFunction(notify, notifyHandler(deps), {
    clock: deps.clock,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  hosts.push(host)
  /** Each output as `type channel`, or how the delivery ended. */
  const handle = async (event: Event): Promise<readonly string[]> => {
    const delivery = await host.handle(event)
    if (delivery.outcome !== 'done') return [delivery.outcome]
    return delivery.outputs.map(({ type, data }) => `${type} ${(data as { channel: string }).channel}`)
  }
  return { email, slack, store, pausesMs, handle, host }
}

const DELIVERED = 'jts.notification.delivered.v1'
const FAILED = 'jts.notification.failed.v1'
const statuses = (records: readonly NotificationRecord[]): readonly string[] =>
  records.map(({ channel, status, attempts }) => `${channel} ${status} ${attempts}`)

describe('one message reaches a channel once', () => {
  test('over every channel of its severity, with one record and one event each', async () => {
    const { email, slack, store, handle } = bench()
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${DELIVERED} slack`])
    expect(email.taken).toHaveLength(1)
    expect(slack.taken).toMatchObject([{ messageId: 'breached-1', recipient: 'on-call', severity: 'error' }])
    expect(statuses(store.records)).toEqual(['email delivered 1', 'slack delivered 1'])
  })

  test('an event delivered twice is told once, and emits the same events again', async () => {
    const { email, host } = bench()
    const first = await host.handle(breached())
    expect(first).toMatchObject({ outcome: 'done', outputs: [{ type: DELIVERED }, { type: DELIVERED }] })
    expect(await host.handle(breached())).toEqual(first)
    expect(email.taken).toHaveLength(1)
  })

  test('two deliveries of one event at once leave one record a channel', async () => {
    const { store, handle } = bench()
    await Promise.all([handle(breached()), handle(breached())])
    expect(statuses(store.records).toSorted()).toEqual(['email delivered 1', 'slack delivered 1'])
  })

  test('a channel that failed does not repeat one that did not', async () => {
    const { email, slack, store, handle } = bench()
    slack.faults.push(refused())
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${FAILED} slack`])
    await handle(breached())
    await handle(breached())
    expect(email.taken).toHaveLength(1)
    expect(slack.taken).toHaveLength(1)
    expect(statuses(store.records)).toEqual(['email delivered 1', 'slack failed 1', 'slack delivered 1'])
  })

  test('a store that fails on one channel does not lose what the other recorded', async () => {
    const { email, slack, store, handle } = bench()
    store.faults.push(
      unreachable(),
      unreachable(),
      unreachable(),
      unreachable(),
      unreachable(),
      unreachable(),
    )
    expect(await handle(breached())).toEqual(['retry'])
    await handle(breached())
    expect(email.taken.length + slack.taken.length).toBe(4) // T1: told, but not recorded as told
    await handle(breached())
    expect(email.taken.length + slack.taken.length).toBe(4)
  })

  test('a store that is back within the pauses costs no second message', async () => {
    const { email, slack, store, handle } = bench()
    store.faults.push(unreachable(), unreachable())
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${DELIVERED} slack`])
    expect(email.taken.length + slack.taken.length).toBe(2)
  })

  test('the loss alert is told once a day, not at every valuation', async () => {
    const { email, handle } = bench()
    expect(await handle(valued('90', '10', 'v1'))).toHaveLength(2)
    expect(await handle(valued('80', '20', 'v2', 5_000))).toEqual([])
    expect(email.taken).toHaveLength(1)
  })

  test('a loss alert that a channel refuses is not tried again at every valuation', async () => {
    const { slack, store, handle } = bench({ notifiers: [] })
    const alone = bench({ notifiers: [slack.notifier], history: store.history })
    slack.faults.push(refused(), refused(), refused())
    for (let index = 0; index < 5; index += 1)
      await alone.handle(valued('90', '10', `v${index}`, index * 5_000))
    expect(statuses(store.records)).toEqual(['slack failed 1'])
    expect(await handle(valued('90', '10', 'v9'))).toEqual([])
  })

  test('what is worth no message leaves no trace', async () => {
    const { store, handle } = bench()
    expect(await handle(reconciled([]))).toEqual([])
    expect(store.records).toHaveLength(0)
  })
})

describe('attempts are bounded', () => {
  test('a receiver that is busy is asked again, after a pause', async () => {
    const { slack, store, pausesMs, handle } = bench()
    slack.faults.push(busy(), busy())
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${DELIVERED} slack`])
    expect(pausesMs).toEqual([500, 2_000])
    expect(statuses(store.records)).toContain('slack delivered 3')
  })

  test('after the last attempt the failure is an event, with the reason and the count', async () => {
    const { slack, host } = bench()
    slack.faults.push(...Array.from({ length: ATTEMPTS_MAX }, busy))
    expect(await host.handle(filled())).toMatchObject({
      outcome: 'done',
      outputs: [
        { type: FAILED, data: { channel: 'slack', attempts: ATTEMPTS_MAX, reason: 'slack: answered 503' } },
      ],
    })
    expect(slack.taken).toHaveLength(0)
  })

  test('a receiver that refuses for good is asked once', async () => {
    const { slack, store, pausesMs, handle } = bench()
    slack.faults.push(refused())
    expect(await handle(filled())).toEqual([`${FAILED} slack`])
    expect(pausesMs).toEqual([])
    expect(statuses(store.records)).toEqual(['slack failed 1'])
  })

  test('a defect in a notifier is not taken for a failed delivery', async () => {
    const { slack, handle } = bench()
    slack.faults.push(new TypeError('x is undefined'))
    expect(await handle(filled())).toEqual(['defect'])
  })
})

describe('rates', () => {
  test('what is over the rate is held back, recorded, and summed up in the next message', async () => {
    const hotState = memoryHotState({ stopwatch: systemStopwatch })
    const { slack, store, handle } = bench({ ratePerMinute: 2, hotState })
    await handle(filled({}, 'f1'))
    await handle(filled({}, 'f2'))
    expect(await handle(filled({ filledQuantity: '33' }, 'f3'))).toEqual([`${FAILED} slack`])
    expect(await handle(filled({ filledQuantity: '44' }, 'f4'))).toEqual([`${FAILED} slack`])
    expect(slack.taken).toHaveLength(2)
    expect(store.records.slice(2)).toMatchObject([
      { status: 'suppressed', attempts: 0, reason: 'held back: more than 2 a minute' },
      { status: 'suppressed' },
    ])
    // The operator's critical messages go to on-call; this one is asked of the operator by another name.
    await handle(requested({ recipient: 'operator', severity: 'info', title: 'still over' }, 'r1'))
    expect(slack.taken).toHaveLength(2)
    const roomy = bench({ ratePerMinute: 100, history: store.history })
    await roomy.handle(filled({}, 'f5'))
    expect(roomy.slack.taken[0]?.body).toMatch(
      /^3 held back since the last message:\n- still over\n- Filled: buy 44/,
    )
    await roomy.handle(filled({}, 'f6'))
    expect(roomy.slack.taken[1]?.body).not.toMatch(/held back/)
  })

  test('critical messages are never held back, and use up nobody’s allowance', async () => {
    const { slack, handle } = bench({ ratePerMinute: 1 })
    for (let index = 0; index < 10; index += 1) await handle(liquidation(`l${index}`))
    expect(slack.taken).toHaveLength(10)
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${DELIVERED} slack`])
  })

  test('a flood of fills does not use up the allowance of errors', async () => {
    const { handle } = bench({ ratePerMinute: 1 })
    await handle(filled({}, 'f1'))
    await handle(filled({}, 'f2'))
    expect(await handle(breached())).toEqual([`${DELIVERED} email`, `${DELIVERED} slack`])
  })

  test('made-up recipients share one allowance', async () => {
    const { slack, handle } = bench({ ratePerMinute: 2 })
    for (let index = 0; index < 5; index += 1)
      await handle(requested({ recipient: `r${index}` }, `r${index}`))
    expect(slack.taken).toHaveLength(2)
  })

  test('with hot state out of reach everything is told', async () => {
    const hotState: Pick<HotState, 'take'> = { take: () => Promise.reject(unreachable()) }
    const { slack, handle } = bench({ ratePerMinute: 1, hotState })
    await handle(filled({}, 'f1'))
    await handle(filled({}, 'f2'))
    expect(slack.taken).toHaveLength(2)
  })
})
