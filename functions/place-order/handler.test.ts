import { afterEach, describe, expect, test } from 'vitest'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { kstInstant, timeOfDay } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { OrderAbsent } from '#shared/events/orders.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT, DATE } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  namesOf,
  onlyOf,
  openOrderPath,
  outputsOf,
} from '../../test/order-path.ts'
import { NO_ANSWER } from '../../test/scripted-broker.ts'

let path: Path
afterEach(() => path.close())

const open = async (options: PathOptions = {}): Promise<Replica> => {
  path = await openOrderPath(options)
  return path.replica()
}

/** The approval of a request, stored and ready to be sent. */
const approval = async (
  replica: Replica,
  text = 'buy 10 @ 70000',
  clientOrderId = 'order-1',
): Promise<Event> =>
  onlyOf(outputsOf(await replica.risk.handle(path.requested(text, { clientOrderId }))), 'order.approved')

const absence = (
  attempt: number,
  clientOrderId = 'order-1',
  id = `absent-${clientOrderId}-${attempt}`,
): Event =>
  finishRoot(
    OrderAbsent,
    { accountId: ACCOUNT, clientOrderId, attempt, listedTime: '2025-09-02T03:00:00Z' },
    { id, source: '/jts/test', clock: path.clock },
  )

describe('an approved order', () => {
  test('is sent once, and its redelivery says the same', async () => {
    const replica = await open()
    const event = await approval(replica)
    const outputs = outputsOf(await replica.place.handle(event))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.accepted'])
    expect(outputsOf(await replica.place.handle(event))).toEqual(outputs)
    expect(outputsOf(await path.replica().place.handle(event))).toEqual(outputs)
    expect(path.broker.sends).toHaveLength(1)
    expect(await path.order()).toMatchObject({ status: 'accepted', attempt: 1, brokerOrderId: '0000000001' })
  })

  test('delivered again while it is being sent, is sent once and both say the same', async () => {
    const replica = await open()
    const event = await approval(replica)
    const answer = Promise.withResolvers<void>()
    path.broker.script(async (_order, take) => {
      const row = take()
      await answer.promise
      return path.broker.accept(row)
    })
    const both = [replica.place.handle(event), replica.place.handle(event)]
    answer.resolve()
    const [first, second] = await Promise.all(both)
    expect(first).toEqual(second)
    expect(path.broker.orders()).toHaveLength(1)
    expect((await path.order()).status).toBe('accepted')
  })

  test('delivered to two replicas at once, is sent once', async () => {
    const replica = await open()
    const event = await approval(replica)
    await Promise.all([replica, path.replica(), path.replica()].map(({ place }) => place.handle(event)))
    expect(path.broker.sends).toHaveLength(1)
    expect((await path.order()).status).toBeOneOf(['accepted', 'outcomeUnknown'])
  })

  test('that the broker refuses holds no cash any more, however much the broker has to say', async () => {
    const replica = await open()
    path.broker.script({ outcome: 'rejected', code: 'X'.repeat(500), detail: '거부'.repeat(1_000) })
    const outputs = outputsOf(await replica.place.handle(await approval(replica)))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.rejected'])
    expect((await path.snapshot()).reservations).toEqual([])
  })

  test('that provably did not leave is tried again, in the same attempt', async () => {
    const replica = await open()
    path.broker.script({ outcome: 'notSent', detail: 'EGW00201' }, { outcome: 'notSent', detail: 'EGW00201' })
    await replica.place.handle(await approval(replica))
    expect(await path.order()).toMatchObject({ status: 'accepted', attempt: 1 })
    expect(path.broker.sends).toHaveLength(3)
  })

  test('that never left within its window is unclear, not sent late', async () => {
    await open()
    const stopwatch = manualStopwatch()
    const slow = path.replica({
      stopwatch,
      orders: (store) => ({
        ...store,
        recordIntent: async (...words) => {
          const result = await store.recordIntent(...words)
          stopwatch.elapse(2_001)
          return result
        },
      }),
    })
    const outputs = outputsOf(await slow.place.handle(await approval(slow)))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.outcome-unknown'])
    expect(path.broker.sends).toEqual([])
  })

  test('whose answer comes after its fill keeps the fill', async () => {
    const replica = await open()
    const event = await approval(replica)
    path.broker.script(async (_order, take) => {
      const row = take()
      const order = await path.order()
      const { accountId, clientOrderId, revision, quantity } = order
      const adopted = {
        status: 'filled',
        brokerOrderId: row.brokerOrderId,
        filledQuantity: quantity,
      } as const
      const receipt = { consumer: 'record-execution', eventId: 'notice', outputs: [] }
      await path.store.change({ accountId, clientOrderId, revision, ...adopted }, receipt)
      return path.broker.accept(row)
    })
    expect(namesOf(outputsOf(await replica.place.handle(event)))).toEqual([
      'order.submitted',
      'order.accepted',
    ])
    expect((await path.order()).status).toBe('filled')
  })

  test.each([
    [
      'acknowledges under another number',
      { outcome: 'accepted', brokerOrderId: '0000000099', brokerRoute: '' },
    ],
    ['rejects', { outcome: 'rejected', code: 'NO', detail: '' }],
  ] as const)(
    'that was taken for an order which the broker %s: a person must look',
    async (_name, answer) => {
      const replica = await open()
      const event = await approval(replica)
      path.broker.script(async () => {
        const { accountId, clientOrderId, revision } = await path.order()
        const adopted = {
          accountId,
          clientOrderId,
          revision,
          status: 'accepted',
          brokerOrderId: '7',
        } as const
        await path.store.change(adopted, { consumer: 'record-execution', eventId: 'notice', outputs: [] })
        return answer
      })
      const delivery = await replica.place.handle(event)
      expect(delivery).toMatchObject({ outcome: 'poison', reason: expect.stringContaining('broker order 7') })
      expect(await path.order()).toMatchObject({ status: 'accepted', brokerOrderId: '7' })
    },
  )
})

describe('an order that provably never arrived', () => {
  const lost = async (replica: Replica): Promise<Event> => {
    path.broker.script('lose')
    const event = await approval(replica)
    await replica.place.handle(event)
    return event
  }

  test('is sent again once, under the next attempt, however often the evidence is told', async () => {
    const replica = await open()
    await lost(replica)
    const again = outputsOf(await replica.place.handle(absence(1)))
    expect(namesOf(again)).toEqual(['order.submitted', 'order.accepted'])
    expect(again[0]?.data).toMatchObject({ attempt: 2 })
    expect(outputsOf(await replica.place.handle(absence(1)))).toEqual(again)
    expect(outputsOf(await replica.place.handle(absence(1, 'order-1', 'another timer')))).toEqual([])
    expect(path.broker.orders()).toHaveLength(1)
    expect(await path.order()).toMatchObject({ status: 'accepted', attempt: 2 })
  })

  test('is not sent a third time on evidence about the first attempt', async () => {
    const replica = await open()
    await lost(replica)
    path.broker.script('takeSilently')
    await replica.place.handle(absence(1))
    const twins = [path.replica(), path.replica()].map(({ place }, index) =>
      place.handle(absence(1, 'order-1', `twin-${index}`)),
    )
    for (const delivery of await Promise.all(twins)) expect(outputsOf(delivery)).toEqual([])
    expect(path.broker.orders()).toHaveLength(1)
  })

  test.each([
    ['its approval is too old', async () => path.pass(120_001)],
    ['trading is halted', async () => path.setState('halted')],
    ['the session is over', async () => path.clock.advanceTo(kstInstant(DATE, timeOfDay('15:30')))],
  ])('expires instead when %s, and releases its reservation', async (name, happens) => {
    const replica = await open({ approvalAgeMsMax: name === 'the session is over' ? 86_400_000 : 120_000 })
    await lost(replica)
    await happens()
    const outputs = outputsOf(await replica.place.handle(absence(1)))
    expect(namesOf(outputs)).toEqual(['order.expired'])
    expect(outputsOf(await replica.place.handle(absence(1)))).toEqual(outputs)
    expect(path.broker.sends).toHaveLength(1)
    expect((await path.snapshot()).reservations).toEqual([])
  })
})

describe('an approval that must not be sent any more', () => {
  test.each([
    ['TRADING_HALTED', async () => path.setState('halted')],
    ['REQUEST_STALE', async () => path.pass(120_001)],
    ['SESSION_CLOSED', async () => path.clock.advanceTo(kstInstant(DATE, timeOfDay('15:30')))],
  ])('is denied %s, once, and releases its reservation', async (code, happens) => {
    const replica = await open({ approvalAgeMsMax: code === 'SESSION_CLOSED' ? 86_400_000 : 120_000 })
    const event = await approval(replica)
    await happens()
    const outputs = outputsOf(await replica.place.handle(event))
    expect(outputs.map(({ data }) => data)).toMatchObject([{ clientOrderId: 'order-1', code }])
    expect(outputsOf(await replica.place.handle(event))).toEqual(outputs)
    expect(path.broker.sends).toEqual([])
    expect(await path.snapshot()).toMatchObject({ reservations: [] })
    expect((await path.order()).status).toBe('denied')
  })

  test('nothing leaves an account after its halt, whoever sends', async () => {
    const replica = await open({ limits: { ordersPerSecondMax: 100 } })
    const events: Event[] = []
    for (let index = 1; index <= 8; index += 1) {
      events.push(await approval(replica, `buy ${index} @ 70000`, `order-${index}`))
    }
    const other = path.replica()
    const sends = events.map((event, index) => (index % 2 === 0 ? replica : other).place.handle(event))
    await path.setState('halted')
    const recordedAtHalt = (await path.store.totals()).submitted
    await Promise.all(sends)
    for (const event of events) await replica.place.handle(event)
    expect((await path.store.totals()).submitted).toBe(recordedAtHalt)
    expect(path.broker.sends.length).toBeLessThanOrEqual(recordedAtHalt)
  })
})

describe('two orders that look the same to the broker', () => {
  test('the second waits while the first is unclear, without holding up what would clear it', async () => {
    const replica = await open({ limits: { duplicateWindowMs: 1 } })
    path.broker.script('lose')
    const first = await approval(replica)
    path.pass(10)
    const second = await approval(replica, 'buy 10 @ 70000', 'order-2')
    await replica.place.handle(first)
    expect(outputsOf(await replica.place.handle(second))).toEqual([])
    expect(await path.order('order-2')).toMatchObject({ status: 'approved', attempt: 0 })

    await replica.place.handle(absence(1))
    const woken = outputsOf(await replica.place.handle(absence(0, 'order-2')))
    expect(namesOf(woken)).toEqual(['order.submitted', 'order.accepted'])
    expect(woken[0]?.data).toMatchObject({ clientOrderId: 'order-2', attempt: 1 })
    expect(outputsOf(await replica.place.handle(absence(0, 'order-2')))).toEqual(woken)
    expect(outputsOf(await replica.place.handle(second))).toEqual([])
    expect(path.broker.orders()).toHaveLength(2)
  })

  test('a wake-up for an order that was sent meanwhile does nothing', async () => {
    const replica = await open()
    await replica.place.handle(await approval(replica))
    expect(outputsOf(await replica.place.handle(absence(0)))).toEqual([])
    expect(path.broker.sends).toHaveLength(1)
  })
})

describe('two replicas', () => {
  test('one whose fence was taken sends nothing until it has taken one anew', async () => {
    const old = await open()
    await old.place.handle(await approval(old, 'buy 1 @ 70000', 'order-1'))
    const other = path.replica()
    await other.place.handle(await approval(other, 'buy 2 @ 70000', 'order-2'))
    const event = await approval(old, 'buy 3 @ 70000', 'order-3')
    expect(await old.place.handle(event)).toMatchObject({ outcome: 'retry' })
    expect(path.broker.sends).toHaveLength(2)
    expect(namesOf(outputsOf(await old.place.handle(event)))).toContain('order.accepted')
    expect(path.broker.sends).toHaveLength(3)
  })

  test('one that finds an intent of another event leaves it to that one', async () => {
    const replica = await open()
    const event = await approval(replica)
    const answer = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    path.broker.script(async (_order, take) => {
      const row = take()
      arrived.resolve()
      await answer.promise
      return path.broker.accept(row)
    })
    const woken = replica.place.handle(absence(0))
    await arrived.promise
    expect(outputsOf(await path.replica().place.handle(event))).toEqual([])
    answer.resolve()
    expect(namesOf(outputsOf(await woken))).toEqual(['order.submitted', 'order.accepted'])
    expect(path.broker.orders()).toHaveLength(1)
  })
})

test('an order that nobody approved is set aside, evidence on one that does not exist too', async () => {
  const replica = await open()
  const event = await approval(replica)
  const stranger: Event = {
    ...event,
    data: { ...(event.data as object), clientOrderId: 'nobody' },
    subject: 'nobody',
  }
  expect(await replica.place.handle(stranger)).toMatchObject({ outcome: 'poison' })
  expect(await replica.place.handle(absence(1, 'nobody'))).toMatchObject({ outcome: 'poison' })
  expect(path.broker.sends).toEqual([])
})

test('an unclear answer keeps the reservation', async () => {
  const replica = await open()
  path.broker.script(NO_ANSWER)
  await replica.place.handle(await approval(replica))
  expect((await path.snapshot()).reservations).toHaveLength(1)
})
