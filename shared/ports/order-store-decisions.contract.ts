// Approvals and denials: versions, receipts, reservations.
import { expect, test } from 'vitest'
import { addMs } from '#shared/domain/time.ts'
import { money } from '#shared/domain/values.ts'
import { ACCOUNT, HYNIX, NOON, request } from '../../test/build.ts'
import { PoisonError } from './errors.ts'
import {
  LONG_AGO,
  type OpenBench,
  approvalOf,
  approved,
  deniedEvent,
  eventIds,
  fault,
  openAccount,
  receiptOf,
  snapshotOf,
  storedOrder,
  waiting,
} from './order-store.bench.ts'
import type { OrderStore } from './order-store.ts'
import { AlreadyHandledError } from './receipt.ts'

const CASH_OF_TEN = money('700105') // 10 × 70000 and 0.015%

const denialOf = (
  text: string,
  over: Parameters<typeof request>[1] = {},
): Parameters<OrderStore['deny']>[0] => ({
  order: request(text, over),
  code: 'CASH_INSUFFICIENT',
  detail: 'cash=0',
  correlationId: 'frame-1',
})

export const approvalRules = (open: OpenBench): void => {
  test('an approved order is stored whole, holds its reservation, and makes a new account version', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = request('buy 10 @ 70000')
    const outputs = [deniedEvent('out-1'), deniedEvent('out-2')]

    expect(await bench.orders.approve(approvalOf(order, 0n), receiptOf(outputs))).toBe('done')
    expect(await storedOrder(bench)).toEqual({
      ...order,
      status: 'approved',
      revision: 1,
      limitsVersion: 'limits-1',
      attempt: 0,
      filledQuantity: 0n,
      filledNotional: 0n,
      noticedQuantity: 0n,
      listedQuantity: 0n,
      reservedPrice: order.limitPrice,
      reservedCash: CASH_OF_TEN,
      fee: 0n,
      tax: 0n,
      correlationId: 'frame-1',
    })
    const { quantity: remainingQuantity, limitPrice } = order
    expect(await snapshotOf(bench)).toMatchObject({
      version: 1n,
      reservations: [{ clientOrderId: 'order-1', remainingQuantity, limitPrice, cash: CASH_OF_TEN }],
      recentOrders: [{ clientOrderId: 'order-1', quantity: order.quantity, limitPrice, decidedTime: NOON }],
    })
    expect(await bench.orders.history('order-1')).toEqual(outputs)
    expect(await waiting(bench)).toEqual(['out-1', 'out-2'])
  })

  test('a market order has no limit price anywhere', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await approved(bench, 'sell 3 @ market')
    expect(order).not.toHaveProperty('limitPrice')
    const { reservations, recentOrders } = await snapshotOf(bench)
    expect(reservations[0]).toMatchObject({ orderType: 'market', cash: 0n })
    expect(reservations[0]).not.toHaveProperty('limitPrice')
    expect(recentOrders[0]).not.toHaveProperty('limitPrice')
  })

  test('an approval decided on an old version writes nothing, not even its receipt', async () => {
    const bench = await open()
    await openAccount(bench)
    await approved(bench, 'buy 1 @ 70000', { clientOrderId: 'other' })
    const receipt = receiptOf([deniedEvent('out-1')])

    for (const version of [0n, 2n]) {
      expect(await bench.orders.approve(approvalOf(request('buy 10 @ 70000'), version), receipt)).toBe(
        'conflict',
      )
    }
    expect(await bench.orders.order('order-1')).toBeUndefined()
    expect(await waiting(bench)).toEqual([])
    expect((await snapshotOf(bench)).version).toBe(1n)
    expect(await bench.orders.approve(approvalOf(request('buy 10 @ 70000'), 1n), receipt)).toBe('done')
  })
}

export const refusedApprovalRules = (open: OpenBench): void => {
  test('an account that was never opened takes no approval', async () => {
    const bench = await open()
    expect(await bench.orders.approve(approvalOf(request('buy 1 @ 70000'), 0n), receiptOf())).toBe('conflict')
    expect(await bench.orders.order('order-1')).toBeUndefined()
  })

  test('an approval that was decided before a halt conflicts', async () => {
    const bench = await open()
    await openAccount(bench)
    const change = { accountId: ACCOUNT, changedBy: 'operator', reason: 'test', at: NOON }
    await bench.ledger.setTradingState({ ...change, to: 'active' }, () => [])
    const { version } = await snapshotOf(bench)
    await bench.ledger.setTradingState({ ...change, to: 'halted' }, () => [])
    expect(await bench.orders.approve(approvalOf(request('buy 1 @ 70000'), version), receiptOf())).toBe(
      'conflict',
    )
  })

  test('a client order id that another request has taken is poison and changes nothing', async () => {
    const bench = await open()
    await openAccount(bench)
    const first = await approved(bench, 'buy 10 @ 70000')
    const second = approvalOf(request('buy 99 @ 80000'), 1n)

    const error = await fault(bench.orders.approve(second, receiptOf([deniedEvent('out-9')])))
    expect(error).toBeInstanceOf(PoisonError)
    expect(String(error)).toContain('order-1')
    expect(await fault(bench.orders.deny(denialOf('buy 99 @ 80000'), receiptOf()))).toBeInstanceOf(
      PoisonError,
    )
    expect(await storedOrder(bench)).toEqual(first)
    expect((await snapshotOf(bench)).version).toBe(1n)
    expect(await waiting(bench)).toEqual([])
  })
}

export const denialRules = (open: OpenBench): void => {
  test('a denial is on record, holds nothing, and leaves the account version alone', async () => {
    const bench = await open()
    await openAccount(bench)
    await bench.orders.deny(denialOf('buy 10 @ 70000'), receiptOf([deniedEvent('out-1')]))
    expect(await storedOrder(bench)).toMatchObject({ status: 'denied', reservedCash: 0n, attempt: 0 })
    expect(await snapshotOf(bench)).toMatchObject({ version: 0n, reservations: [], recentOrders: [] })
    expect(await bench.orders.openOrders(ACCOUNT)).toEqual([])
    expect(await waiting(bench)).toEqual(['out-1'])
  })

  test('a denial for an account that was never opened is on record too', async () => {
    const bench = await open()
    await bench.orders.deny(denialOf('buy 10 @ 70000', { accountId: 'kis:nobody' }), receiptOf())
    expect((await storedOrder(bench)).accountId).toBe('kis:nobody')
  })

  test('recent are orders decided after the given instant, oldest first, of this account', async () => {
    const bench = await open()
    await openAccount(bench)
    await openAccount(bench, 'kis:other')
    const orders = [
      ['late', 3],
      ['early', 1],
      ['border', 0],
      ['middle', 2],
    ] as const
    for (const [clientOrderId, ms] of orders) {
      await approved(bench, 'buy 1 @ 70000', {
        clientOrderId,
        decidedTime: addMs(NOON, ms),
        instrumentId: HYNIX,
      })
    }
    await approved(bench, 'buy 1 @ 70000', { clientOrderId: 'elsewhere', accountId: 'kis:other' })
    const snapshot = await bench.ledger.snapshot(ACCOUNT, NOON)
    expect(snapshot?.recentOrders.map((order) => order.clientOrderId)).toEqual(['early', 'middle', 'late'])
  })
}

const CALLS: readonly (readonly [
  string,
  (orders: OrderStore, receipt: Parameters<OrderStore['acknowledge']>[0]) => Promise<unknown>,
])[] = [
  ['approve', (orders, receipt) => orders.approve(approvalOf(request('buy 10 @ 70000'), 0n), receipt)],
  ['deny', (orders, receipt) => orders.deny(denialOf('buy 10 @ 70000'), receipt)],
  ['acknowledge', (orders, receipt) => orders.acknowledge(receipt)],
  [
    'quarantine',
    (orders, receipt) =>
      orders.quarantine(
        { accountId: ACCOUNT, reason: 'no such order', event: deniedEvent('report-1') },
        receipt,
      ),
  ],
]

export const receiptRules = (open: OpenBench): void => {
  test.each(CALLS)(
    '%s of an event that was handled gives the outputs of then, and changes nothing',
    async (_name, call) => {
      const bench = await open()
      await openAccount(bench)
      const outputs = [deniedEvent('out-2'), deniedEvent('out-1', 'order-ä')]
      await call(bench.orders, receiptOf(outputs, 'event-x'))
      const before = [await snapshotOf(bench), await waiting(bench), await bench.orders.quarantined(10)]

      const error = await fault(call(bench.orders, receiptOf([deniedEvent('out-3')], 'event-x')))
      expect(error).toBeInstanceOf(AlreadyHandledError)
      expect((error as AlreadyHandledError).outputs).toEqual(outputs)
      expect([await snapshotOf(bench), await waiting(bench), await bench.orders.quarantined(10)]).toEqual(
        before,
      )
    },
  )

  test('an event that was handled without outputs gives none', async () => {
    const bench = await open()
    await bench.orders.acknowledge(receiptOf([], 'event-x'))
    const error = await fault(bench.orders.acknowledge(receiptOf([deniedEvent('out-1')], 'event-x')))
    expect((error as AlreadyHandledError).outputs).toEqual([])
  })

  test('each consumer handles an event once of its own', async () => {
    const bench = await open()
    await bench.orders.acknowledge(receiptOf([], 'event-x', 'risk-check'))
    await bench.orders.acknowledge(receiptOf([], 'event-x', 'place-order'))
    expect(await fault(bench.orders.acknowledge(receiptOf([], 'event-x', 'place-order')))).toBeInstanceOf(
      AlreadyHandledError,
    )
  })

  test('a handled event that is decided again on a fresh version is refused, not approved twice', async () => {
    const bench = await open()
    await openAccount(bench)
    await bench.orders.approve(approvalOf(request('buy 10 @ 70000'), 0n), receiptOf([], 'event-x'))
    const again = approvalOf(request('buy 10 @ 70000'), 1n)
    expect(await fault(bench.orders.approve(again, receiptOf([], 'event-x')))).toBeInstanceOf(
      AlreadyHandledError,
    )
    expect((await snapshotOf(bench)).version).toBe(1n)
  })

  test('an output that an earlier step of the handler stored is kept once', async () => {
    const bench = await open()
    await bench.orders.acknowledge(receiptOf([deniedEvent('out-1')]))
    await bench.orders.acknowledge(receiptOf([deniedEvent('out-1'), deniedEvent('out-2')]))
    expect(eventIds(await bench.orders.history('order-1'))).toEqual(['out-1', 'out-2'])
  })
}

export const contentionRules = (open: OpenBench): void => {
  test('of twenty approvals decided on one version, one stands', async () => {
    const bench = await open()
    await openAccount(bench)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        bench.orders.approve(
          approvalOf(request('buy 1 @ 70000', { clientOrderId: `order-${index}` }), 0n),
          receiptOf([deniedEvent(`out-${index}`)]),
        ),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
    const { reservations, version } = await snapshotOf(bench)
    expect([reservations.length, version, (await waiting(bench)).length]).toEqual([1, 1n, 1])
  })

  test('twenty deciders that each look again on a conflict never pass a limit together', async () => {
    const bench = await open()
    await openAccount(bench)
    const limit = 7
    const decideOne = async (index: number): Promise<'approved' | 'denied'> => {
      for (;;) {
        const { version, reservations } = await snapshotOf(bench)
        if (reservations.length >= limit) return 'denied'
        const order = request('buy 1 @ 70000', { clientOrderId: `order-${index}` })
        const outcome = await bench.orders.approve(
          approvalOf(order, version),
          receiptOf([], `event-${index}-of-limit`),
        )
        if (outcome === 'done') return 'approved'
      }
    }
    const decisions = await Promise.all(Array.from({ length: 20 }, (_, index) => decideOne(index)))
    expect(decisions.filter((decision) => decision === 'approved')).toHaveLength(limit)
    expect((await snapshotOf(bench)).reservations).toHaveLength(limit)
  })

  test('twenty deliveries of one event at once are handled once', async () => {
    const bench = await open()
    await openAccount(bench)
    const outputs = [deniedEvent('out-1')]
    const call = () =>
      bench.orders.approve(approvalOf(request('buy 10 @ 70000'), 0n), receiptOf(outputs, 'event-x'))
    const errors = await Promise.all(Array.from({ length: 20 }, () => fault(call())))
    expect(errors.filter((error) => error === undefined)).toHaveLength(1)
    const refused = errors.filter((error) => error instanceof AlreadyHandledError)
    expect(refused).toHaveLength(19)
    for (const error of refused) expect(error.outputs).toEqual(outputs)
    expect((await snapshotOf(bench)).version).toBe(1n)
  })

  test('an approval and a denial of one event at once: one of them stands', async () => {
    const bench = await open()
    await openAccount(bench)
    const errors = await Promise.all([
      fault(bench.orders.approve(approvalOf(request('buy 10 @ 70000'), 0n), receiptOf([], 'event-x'))),
      fault(bench.orders.deny(denialOf('buy 10 @ 70000'), receiptOf([], 'event-x'))),
    ])
    expect(errors.filter((error) => error === undefined)).toHaveLength(1)
    expect(errors.filter((error) => error instanceof AlreadyHandledError)).toHaveLength(1)
    const { status } = await storedOrder(bench)
    expect((await bench.ledger.snapshot(ACCOUNT, LONG_AGO))?.version).toBe(status === 'approved' ? 1n : 0n)
  })
}
