import { afterEach, describe, expect, test } from 'vitest'
import { formatMoney, money } from '#shared/domain/values.ts'
import type { DataOf, Event } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT, DATE, samsung } from '../../test/build.ts'
import {
  type Path,
  type PathOptions,
  type Replica,
  namesOf,
  openOrderPath,
  outputsOf,
  run,
} from '../../test/order-path.ts'

let path: Path
afterEach(() => path.close())

const open = async (options: PathOptions = {}): Promise<Replica> => {
  path = await openOrderPath(options)
  return path.replica()
}

const codesOf = (events: readonly Event[]): readonly unknown[] =>
  events.map(({ data }) => (data as { readonly code?: string }).code ?? 'approved')

const decided = async (replica: Replica, event: Event): Promise<unknown> =>
  codesOf(outputsOf(await replica.risk.handle(event)))[0]

describe('a request', () => {
  test('is approved with its reservation, and its redelivery says the same whatever has happened since', async () => {
    const replica = await open({
      limits: { orderNotionalMax: money('100000000'), positionNotionalMax: money('100000000') },
    })
    const event = path.requested('buy 700 @ 70000') // half of all: a second one would be denied
    const outputs = outputsOf(await replica.risk.handle(event))
    expect(namesOf(outputs)).toEqual(['order.approved'])
    expect(outputs[0]?.data).toMatchObject({ reservedCash: '49007350' })
    const [reservation] = (await path.snapshot()).reservations
    expect(reservation?.cash).toBe(money('49007350'))

    await path.setState('halted')
    path.pass(60_000)
    for (const again of [replica, path.replica()]) {
      expect(outputsOf(await again.risk.handle(event))).toEqual(outputs)
    }
    expect((await path.snapshot()).reservations).toHaveLength(1)
  })

  test('is denied for good: what would allow it later does not change the answer', async () => {
    const replica = await open()
    await path.setState('halted')
    const event = path.requested('buy 1 @ 70000')
    const outputs = outputsOf(await replica.risk.handle(event))
    expect(codesOf(outputs)).toEqual(['TRADING_HALTED'])
    await path.setState('active')
    expect(outputsOf(await replica.risk.handle(event))).toEqual(outputs)
    expect(outputsOf(await path.replica().risk.handle(event))).toEqual(outputs)
    expect(await path.order()).toMatchObject({ status: 'denied', reservedCash: 0n })
  })

  test('delivered to three replicas at once is decided once', async () => {
    const replica = await open()
    const event = path.requested('buy 10 @ 70000')
    const deliveries = await Promise.all(
      [replica, path.replica(), path.replica()].map(({ risk }) => risk.handle(event)),
    )
    const [first, ...others] = deliveries.map(outputsOf)
    for (const other of others) expect(other).toEqual(first)
    expect((await path.snapshot()).reservations).toHaveLength(1)
  })

  test('that takes the id of another order is set aside, and the other order stands', async () => {
    const replica = await open()
    await replica.risk.handle(path.requested('buy 10 @ 70000'))
    const before = await path.order()
    const thief: Event = { ...path.requested('sell 10 @ 70000'), id: 'another request' }
    expect(await replica.risk.handle(thief)).toMatchObject({
      outcome: 'poison',
      reason: expect.stringContaining('order-1'),
    })
    expect(await path.order()).toEqual(before)
  })

  test('of an account that nobody opened, or an instrument that nobody knows, is denied', async () => {
    const replica = await open()
    const stranger = path.requested('buy 1 @ 70000', { accountId: 'kis:nobody', clientOrderId: 'a' })
    expect(await decided(replica, stranger)).toBe('FACTS_MISSING')
    await path.hotState.putLastPrices([])
    const unknown = path.requested('buy 1 @ 70000', {
      clientOrderId: 'b',
      instrumentId: '999999.KRX' as never,
    })
    expect(await decided(replica, unknown)).toBe('INSTRUMENT_UNKNOWN')
  })
})

describe('a limit', () => {
  const limits = { portfolioNotionalMax: money('1000000'), duplicateWindowMs: 1, ordersPerSecondMax: 100 }

  test.each([
    ['one replica', 1],
    ['two replicas', 2],
  ])('cannot be taken twice by orders at once through %s', async (_name, replicas) => {
    const first = await open({ limits })
    const all = replicas === 1 ? [first] : [first, path.replica()]
    const requests = Array.from({ length: 6 }, (_, index) =>
      path.requested(`buy ${8 + index} @ 70000`, { clientOrderId: `order-${index}` }),
    )
    const deliveries = await Promise.all(
      requests.map((event, index) => (all[index % all.length] ?? first).risk.handle(event)),
    )
    const codes = codesOf(
      deliveries.flatMap((delivery) => (delivery.outcome === 'done' ? delivery.outputs : [])),
    )
    expect(codes.filter((code) => code === 'approved')).toHaveLength(1)
    expect((await path.snapshot()).reservations).toHaveLength(1)
    for (const { outcome } of deliveries) expect(outcome).toBeOneOf(['done', 'retry'])
  })

  test('that a denial came from is read anew: what another replica released counts', async () => {
    const replica = await open({ limits })
    expect(await decided(replica, path.requested('buy 14 @ 70000'))).toBe('approved')
    const { accountId, clientOrderId, revision } = await path.order()
    const denied = { accountId, clientOrderId, revision, status: 'denied' } as const
    await path.store.change(denied, { consumer: 'place-order', eventId: 'x', outputs: [] })
    expect(await decided(replica, path.requested('buy 13 @ 70000', { clientOrderId: 'order-2' }))).toBe(
      'approved',
    )
  })

  test('that another replica used up is seen by one whose copy of the account is old', async () => {
    const [one, other] = [await open({ limits }), path.replica()]
    expect(await decided(one, path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))).toBe('approved')
    expect(await decided(other, path.requested('buy 12 @ 70000', { clientOrderId: 'b' }))).toBe('approved')
    expect(await decided(one, path.requested('buy 2 @ 70000', { clientOrderId: 'c' }))).toBe(
      'PORTFOLIO_OVER_LIMIT',
    )
  })

  test('a halt is seen at once by a replica that has the account in memory', async () => {
    const replica = await open()
    await replica.risk.handle(path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))
    await path.setState('halted')
    expect(await decided(replica, path.requested('buy 2 @ 70000', { clientOrderId: 'b' }))).toBe(
      'TRADING_HALTED',
    )
  })

  test('a halt between the look and the approval is seen', async () => {
    await open()
    const halting = (store: OrderStore): OrderStore => ({
      ...store,
      approve: async (...words) => {
        await path.setState('halted')
        return store.approve(...words)
      },
    })
    expect(await decided(path.replica({ orders: halting }), path.requested('buy 1 @ 70000'))).toBe(
      'TRADING_HALTED',
    )
    expect((await path.snapshot()).reservations).toEqual([])
  })
})

describe('facts', () => {
  test('a session that is opened later is noticed by a replica that denied before', async () => {
    const replica = await open({ isReady: false })
    await path.ledger.adopt(ACCOUNT, { cash: money('1000000'), positions: [] })
    await path.setState('active')
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))).toBe(
      'FACTS_MISSING',
    )

    const { basePrice: _price, basePriceDate: _date, ...unbased } = samsung
    await path.instruments.put([unbased])
    await path.setPrice('70000')
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'b' }))).toBe(
      'FACTS_MISSING',
    )
    await path.instruments.put([samsung])
    await path.ledger.openSession(ACCOUNT, DATE, money('1000000'))
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'c' }))).toBe('approved')
  })

  test('a lost hot state denies until prices are there again', async () => {
    const replica = await open()
    path.pass(2_001)
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))).toBe(
      'FACTS_STALE',
    )
    await path.setPrice('70000')
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'b' }))).toBe('approved')
  })
})

test('a reservation shrinks with every fill and is gone when the order is', async () => {
  const replica = await open()
  await run(replica, path.requested('buy 10 @ 70000'))
  const reserved = async () => (await path.snapshot()).reservations.map(({ cash }) => formatMoney(cash))
  expect(await reserved()).toEqual(['700105'])
  await run(replica, path.broker.fill('0000000001', '4 @ 69900'))
  expect(await reserved()).toEqual(['420063'])
  await run(replica, path.broker.fill('0000000001', '6 @ 70000'))
  expect(await reserved()).toEqual([])
})

describe('the copy of an account that a replica keeps', () => {
  const saying = (data: DataOf<typeof OrderDenied>): Event =>
    finishRoot(OrderDenied, data, { id: 'said', source: '/test', now: path.clock.now() })
  const counting = (store: OrderStore) => {
    const outcomes: string[] = []
    const orders: OrderStore = {
      ...store,
      approve: async (...words) => {
        const outcome = await store.approve(...words)
        outcomes.push(outcome)
        return outcome
      },
    }
    return { orders, outcomes }
  }

  test('is renewed when an order of it has ended: the next one is not decided twice', async () => {
    await open({ limits: { duplicateWindowMs: 1 } })
    let outcomes: readonly string[] = []
    const replica = path.replica({
      orders: (store) => {
        const counted = counting(store)
        outcomes = counted.outcomes
        return counted.orders
      },
    })
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))).toBe('approved')
    const { accountId, clientOrderId, revision } = await path.order('a')
    const ended = { accountId, clientOrderId, revision, status: 'denied' } as const
    await path.store.change(ended, { consumer: 'place-order', eventId: 'x', outputs: [] })
    const denied = { accountId, clientOrderId, code: 'SESSION_CLOSED', detail: '' } as const
    expect(outputsOf(await replica.risk.handle(saying(denied)))).toEqual([])
    path.pass(10)
    expect(await decided(replica, path.requested('buy 2 @ 70000', { clientOrderId: 'b' }))).toBe('approved')
    expect(outcomes).toEqual(['done', 'done'])
  })

  test('is caught by the store where the renewal came too early', async () => {
    await open({ limits: { duplicateWindowMs: 1 } })
    const replica = path.replica()
    expect(await decided(replica, path.requested('buy 1 @ 70000', { clientOrderId: 'a' }))).toBe('approved')
    const { accountId, clientOrderId } = await path.order('a')
    // Said before it is so: the renewal finds the order as it was, and the conflict is found by the store.
    const denied = { accountId, clientOrderId, code: 'SESSION_CLOSED', detail: '' } as const
    await replica.risk.handle(saying(denied))
    await path.setState('halted')
    expect(await decided(replica, path.requested('buy 2 @ 70000', { clientOrderId: 'b' }))).toBe(
      'TRADING_HALTED',
    )
  })
})
