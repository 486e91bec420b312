// Approvals that carry their intent: both or, where something stands against the intent, the approval alone.
import { expect, test } from 'vitest'
import type { OrderRequest } from '#shared/domain/order.ts'
import { ACCOUNT, HYNIX, NOON, request } from '../../test/build.ts'
import { PoisonError } from './errors.ts'
import {
  type OpenBench,
  type OrderStoreBench,
  approvalOf,
  approved,
  deniedEvent,
  fault,
  intentOf,
  openAccount,
  receiptOf,
  setState,
  snapshotOf,
  storedOrder,
  submitted,
  submittedEvent,
  waiting,
} from './order-store.bench.ts'
import { type FirstIntent, submittingOrder } from './order-store.ts'
import { AlreadyHandledError, type Receipt } from './receipt.ts'

/** An account that trades, and the fence of whoever sends for it. */
async function openSender(bench: OrderStoreBench): Promise<number> {
  await openAccount(bench)
  await setState(bench, 'active')
  return bench.orders.fence(ACCOUNT)
}

const first = (epoch: number, clientOrderId = 'order-1'): FirstIntent => ({
  epoch,
  submittedTime: NOON,
  outputs: [submittedEvent(`${clientOrderId}-submitted`, 1, clientOrderId)],
})

async function approve(
  bench: OrderStoreBench,
  epoch: number,
  over: Partial<OrderRequest> = {},
  receipt?: Receipt,
): Promise<string> {
  const order = request('buy 10 @ 70000', over)
  const { version } = await snapshotOf(bench)
  const outputs = [deniedEvent(`${order.clientOrderId}-approved`, order.clientOrderId)]
  const approval = approvalOf(order, version)
  return bench.orders.approve(approval, receipt ?? receiptOf(outputs), first(epoch, order.clientOrderId))
}

export const preparedRules = (open: OpenBench): void => {
  test('an approval with its intent leaves what approving and then recording the intent leave', async () => {
    const two = await open()
    const epoch = await openSender(two)
    const order = request('buy 10 @ 70000')
    const approvalEvent = deniedEvent('order-1-approved')
    const approval = approvalOf(order, (await snapshotOf(two)).version)
    await two.orders.approve(approval, receiptOf([approvalEvent], 'event-x'))
    await two.orders.recordIntent(intentOf(epoch), () => first(epoch).outputs)
    const expected = [
      await storedOrder(two),
      await snapshotOf(two),
      await two.orders.history('order-1'),
      await waiting(two),
      await two.orders.totals(),
    ]

    const one = await open()
    expect(await openSender(one)).toBe(epoch)
    const receipt = receiptOf([approvalEvent], 'event-x')
    expect(await one.orders.approve(approval, receipt, first(epoch))).toBe('prepared')
    const found = [
      await storedOrder(one),
      await snapshotOf(one),
      await one.orders.history('order-1'),
      await waiting(one),
      await one.orders.totals(),
    ]
    expect(found).toEqual(expected)
    expect(submittingOrder(approval, first(epoch))).toEqual(await storedOrder(one))
  })

  test('a market order is prepared too', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const approval = approvalOf(request('sell 3 @ market'), (await snapshotOf(bench)).version)
    expect(await bench.orders.approve(approval, receiptOf(), first(epoch))).toBe('prepared')
    expect(submittingOrder(approval, first(epoch))).toEqual(await storedOrder(bench))
  })

  test('a delivery that comes later finds the intent and may not send', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    await approve(bench, epoch)
    expect(await bench.orders.recordIntent(intentOf(epoch), () => [])).toMatchObject({
      outcome: 'notWaiting',
      order: { status: 'submitting', attempt: 1 },
    })
  })
}

const alone = async (bench: OrderStoreBench, clientOrderId = 'order-1'): Promise<void> => {
  expect(await storedOrder(bench, clientOrderId)).toMatchObject({
    status: 'approved',
    revision: 1,
    attempt: 0,
  })
  expect(await waiting(bench)).toEqual([`${clientOrderId}-approved`])
  expect((await snapshotOf(bench)).reservations.map((held) => held.clientOrderId)).toContain(clientOrderId)
}

export const unpreparedRules = (open: OpenBench): void => {
  test.each([
    ['an old fence', -1],
    ['a fence that was never given', 1],
  ])('under %s the order is approved alone', async (_name, offset) => {
    const bench = await open()
    const epoch = await openSender(bench)
    expect(await approve(bench, epoch + offset)).toBe('done')
    await alone(bench)
    expect((await bench.orders.recordIntent(intentOf(epoch), () => [])).outcome).toBe('recorded')
  })

  test('in a halted account the order is approved alone, as it would be without an intent', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    await setState(bench, 'halted')
    expect(await approve(bench, epoch)).toBe('done')
    await alone(bench)
  })

  test('an account that only reduces is prepared for', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    await setState(bench, 'reducing')
    expect(await approve(bench, epoch)).toBe('prepared')
  })

  test('while an unclear order has the same shape the order is approved alone', async () => {
    const bench = await open()
    await openAccount(bench)
    await submitted(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    expect(await approve(bench, epoch, { clientOrderId: 'order-2' })).toBe('done')
    await alone(bench, 'order-2')
    const intent = intentOf(epoch, { clientOrderId: 'order-2' })
    expect(await bench.orders.recordIntent(intent, () => [])).toEqual({
      outcome: 'shapeTaken',
      by: 'order-1',
    })
  })

  test('of ten orders of one shape approved one after another, one is prepared', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const outcomes: string[] = []
    for (let index = 0; index < 10; index += 1) {
      outcomes.push(await approve(bench, epoch, { clientOrderId: `order-${index}` }))
    }
    expect(outcomes.filter((outcome) => outcome === 'prepared')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(9)
  })
}

export const preparedOnceRules = (open: OpenBench): void => {
  test('at another version nothing is written, neither approval nor intent', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const { version } = await snapshotOf(bench)
    const stale = approvalOf(request('buy 10 @ 70000'), version - 1n)
    expect(await bench.orders.approve(stale, receiptOf([deniedEvent('out-1')]), first(epoch))).toBe(
      'conflict',
    )
    expect(await bench.orders.order('order-1')).toBeUndefined()
    expect(await waiting(bench)).toEqual([])
    expect((await snapshotOf(bench)).version).toBe(version)
  })

  test('an event that was handled is refused with its outputs of then, which the intent is not among', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const receipt = receiptOf([deniedEvent('out-1')], 'event-x')
    await approve(bench, epoch, {}, receipt)
    for (const version of [(await snapshotOf(bench)).version, 0n]) {
      const again = approvalOf(request('buy 10 @ 70000'), version)
      const error = await fault(bench.orders.approve(again, receiptOf([], 'event-x'), first(epoch)))
      expect(error).toBeInstanceOf(AlreadyHandledError)
      expect((error as AlreadyHandledError).outputs).toEqual([deniedEvent('out-1')])
    }
    expect(await storedOrder(bench)).toMatchObject({ status: 'submitting', attempt: 1 })
  })

  test('twenty deliveries of one event at once are handled once', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const { version } = await snapshotOf(bench)
    const call = () =>
      bench.orders.approve(
        approvalOf(request('buy 10 @ 70000'), version),
        receiptOf([deniedEvent('out-1')], 'event-x'),
        first(epoch),
      )
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => call().catch((error: unknown) => error)),
    )
    expect(outcomes.filter((outcome) => outcome === 'prepared')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome instanceof AlreadyHandledError)).toHaveLength(19)
  })

  test('a client order id that another request has taken is poison and changes nothing', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const taken = await approved(bench, 'buy 10 @ 70000')
    const second = approvalOf(request('buy 99 @ 80000'), (await snapshotOf(bench)).version)
    expect(await fault(bench.orders.approve(second, receiptOf(), first(epoch)))).toBeInstanceOf(PoisonError)
    expect(await storedOrder(bench)).toEqual(taken)
  })

  test('a halt or a fence that comes at the same time is either seen or comes after the intent', async () => {
    const bench = await open()
    const epoch = await openSender(bench)
    const [outcome] = await Promise.all([approve(bench, epoch), bench.orders.fence(ACCOUNT)])
    expect(outcome).toBeOneOf(['done', 'prepared'])
    const { status } = await storedOrder(bench)
    expect(status).toBe(outcome === 'prepared' ? 'submitting' : 'approved')
    const [late] = await Promise.all([
      approve(bench, epoch + 1, { clientOrderId: 'order-2', instrumentId: HYNIX }),
      setState(bench, 'halted'),
    ])
    expect(late).toBeOneOf(['done', 'prepared', 'conflict'])
    expect((await bench.orders.totals()).submitted).toBe(
      [outcome, late].filter((each) => each === 'prepared').length,
    )
  })
}
