import { afterEach, describe, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { OrderAbsent } from '#shared/events/orders.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  dying,
  namesOf,
  onlyOf,
  openOrderPath,
  outputsOf,
} from '../../test/order-path.ts'

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

describe('a process that dies', () => {
  test.each([
    ['after the intent, before the send', dying('recordIntent', 'after'), 0],
    ['after the send, before the record', dying('change', 'before'), 1],
  ] as const)('%s: the next one never sends, and says what was stored', async (_name, orders, sent) => {
    await open()
    const doomed = path.replica({ orders })
    const event = await approval(doomed)
    expect((await doomed.place.handle(event)).outcome).toBe('defect')
    expect(path.broker.sends).toHaveLength(sent)
    path.pass(1_500)

    const next = path.replica()
    const outputs = outputsOf(await next.place.handle(event))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.outcome-unknown'])
    expect(path.broker.sends).toHaveLength(sent)
    expect(await path.order()).toMatchObject({ status: 'outcomeUnknown', attempt: 1 })
    const words = (events: readonly Event[]) => events.map(({ id, data }) => ({ id, data }))
    const stored = (await path.store.history('order-1')).filter(({ causationid }) => causationid === event.id)
    expect(words(stored)).toEqual(words(outputs))
    expect(outputsOf(await next.place.handle(event))).toEqual(stored)
  })

  test('after the record, before the answer to the bus: the next one says the same', async () => {
    await open()
    const doomed = path.replica({ orders: dying('change', 'after') })
    const event = await approval(doomed)
    expect((await doomed.place.handle(event)).outcome).toBe('defect')
    expect(namesOf(outputsOf(await path.replica().place.handle(event)))).toEqual([
      'order.submitted',
      'order.accepted',
    ])
    expect(path.broker.sends).toHaveLength(1)
  })

  test('while it sends again: the next delivery of the evidence never sends', async () => {
    const replica = await open()
    path.broker.script('lose')
    await replica.place.handle(await approval(replica))
    const doomed = path.replica({ orders: dying('change', 'before') })
    expect((await doomed.place.handle(absence(1))).outcome).toBe('defect')
    const outputs = outputsOf(await path.replica().place.handle(absence(1)))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.outcome-unknown'])
    expect(await path.order()).toMatchObject({ status: 'outcomeUnknown', attempt: 2 })
    expect(path.broker.orders()).toHaveLength(1)
  })
})

describe('a store that fails after the broker has answered', () => {
  const failing =
    (times: number, isDone: boolean) =>
    (store: OrderStore): OrderStore => {
      let left = times
      return {
        ...store,
        change: async (...words) => {
          if (left === 0) return store.change(...words)
          left -= 1
          if (isDone) await store.change(...words)
          throw new RetryableError('connection lost')
        },
      }
    }

  test.each([
    ['the answer is kept until it is recorded', 3, false],
    ['a commit whose reply was lost is found', 1, true],
  ])('%s', async (_name, times, isDone) => {
    await open()
    const replica = path.replica({ orders: failing(times, isDone) })
    const outputs = outputsOf(await replica.place.handle(await approval(replica)))
    expect(namesOf(outputs)).toEqual(['order.submitted', 'order.accepted'])
    expect(await path.order()).toMatchObject({ status: 'accepted', brokerOrderId: '0000000001' })
  })
})

describe('an order that may be at the broker', () => {
  test('is never given up because its approval has grown old', async () => {
    await open()
    const doomed = path.replica({ orders: dying('change', 'before') })
    const event = await approval(doomed)
    await doomed.place.handle(event)
    const { accountId, clientOrderId, revision } = await path.order()
    const unclear = { accountId, clientOrderId, revision, status: 'outcomeUnknown' } as const
    await path.store.change(unclear, { consumer: 'reconcile-account', eventId: 'timer', outputs: [] })
    path.pass(600_000)
    expect(outputsOf(await path.replica().place.handle(event))).toEqual([])
    expect((await path.order()).status).toBe('outcomeUnknown')
    expect((await path.snapshot()).reservations).toHaveLength(1)
  })

  test('has its outcome noted even when trading was halted meanwhile', async () => {
    await open()
    const doomed = path.replica({ orders: dying('recordIntent', 'after') })
    const event = await approval(doomed)
    await doomed.place.handle(event)
    await path.setState('halted')
    expect(namesOf(outputsOf(await path.replica().place.handle(event)))).toEqual([
      'order.submitted',
      'order.outcome-unknown',
    ])
  })
})
