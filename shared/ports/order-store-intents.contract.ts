// The write-ahead intent: once, fenced, and never two that look the same.
import { expect, test } from 'vitest'
import { ACCOUNT, HYNIX, NOON } from '../../test/build.ts'
import {
  type OpenBench,
  type OrderStoreBench,
  accepted,
  approved,
  changeOf,
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
import type { IntentResult } from './order-store.ts'

const record = (
  bench: OrderStoreBench,
  epoch: number,
  clientOrderId = 'order-1',
  resend = false,
): Promise<IntentResult> =>
  bench.orders.recordIntent(
    intentOf(epoch, { clientOrderId }),
    (attempt) => [submittedEvent(`${clientOrderId}-attempt-${attempt}`, attempt, clientOrderId)],
    resend,
  )

async function openActive(bench: OrderStoreBench, accountId = ACCOUNT): Promise<void> {
  await openAccount(bench, accountId)
  await setState(bench, 'active', accountId)
}

export const fenceRules = (open: OpenBench): void => {
  test('every fence is above all that were given before, also when many are taken at once', async () => {
    const bench = await open()
    await openAccount(bench)
    const fences = await Promise.all(Array.from({ length: 10 }, () => bench.orders.fence(ACCOUNT)))
    expect(new Set(fences).size).toBe(10)
    expect(await bench.orders.fence(ACCOUNT)).toBeGreaterThan(Math.max(...fences))
  })

  test('taking a fence leaves the account version alone', async () => {
    const bench = await open()
    await openAccount(bench)
    await bench.orders.fence(ACCOUNT)
    expect((await snapshotOf(bench)).version).toBe(0n)
  })

  test('a fence of an account that does not exist is refused by name', async () => {
    const bench = await open()
    expect(String(await fault(bench.orders.fence('kis:nobody')))).toContain('kis:nobody')
  })

  test.each([
    ['an old epoch', -1],
    ['an epoch that was never given', 1],
  ])('%s cannot record an intent', async (_name, offset) => {
    const bench = await open()
    await openActive(bench)
    const before = await approved(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    expect(await record(bench, epoch + offset)).toEqual({ outcome: 'fenced', epoch })
    expect(await storedOrder(bench)).toEqual(before)
    expect(await waiting(bench)).toEqual([])
    expect((await record(bench, epoch)).outcome).toBe('recorded')
  })
}

export const intentRules = (open: OpenBench): void => {
  test('an intent moves an approved order to submitting and stores its events with it', async () => {
    const bench = await open()
    await openActive(bench)
    const before = await approved(bench, 'buy 10 @ 70000')
    const result = await record(bench, await bench.orders.fence(ACCOUNT))
    const order = { ...before, status: 'submitting', revision: 2, attempt: 1, submittedTime: NOON }
    expect(result).toEqual({ outcome: 'recorded', order })
    expect(await storedOrder(bench)).toEqual(order)
    expect(await bench.orders.history('order-1')).toEqual([submittedEvent('order-1-attempt-1', 1)])
  })

  test('a second delivery finds the intent and may not send', async () => {
    const bench = await open()
    await openActive(bench)
    await approved(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    await record(bench, epoch)
    expect(await record(bench, epoch)).toMatchObject({
      outcome: 'notWaiting',
      order: { status: 'submitting', attempt: 1 },
    })
    expect(await waiting(bench)).toEqual(['order-1-attempt-1'])
  })

  test('of ten senders at once, one may send', async () => {
    const bench = await open()
    await openActive(bench)
    await approved(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    const results = await Promise.all(Array.from({ length: 10 }, () => record(bench, epoch)))
    expect(results.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(1)
    expect(results.filter(({ outcome }) => outcome === 'notWaiting')).toHaveLength(9)
    expect((await storedOrder(bench)).attempt).toBe(1)
  })

  test('while fences are taken all the time, no sender with an old one gets through', async () => {
    const bench = await open()
    await openActive(bench)
    await approved(bench, 'buy 10 @ 70000')
    const old = await bench.orders.fence(ACCOUNT)
    const [epoch, result] = await Promise.all([bench.orders.fence(ACCOUNT), record(bench, old)])
    // Either the intent came first, or it was told of the new fence.
    const told = result.outcome === 'fenced' ? result.epoch : undefined
    expect([result.outcome, told]).toBeOneOf([
      ['recorded', undefined],
      ['fenced', epoch],
    ])
  })

  test.each([
    ['an order that nobody approved', 'order-2', ACCOUNT],
    ['an order of another account', 'order-1', 'kis:other'],
  ])('%s is not approved', async (_name, clientOrderId, accountId) => {
    const bench = await open()
    await openActive(bench)
    await openActive(bench, 'kis:other')
    await approved(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(accountId)
    const result = await bench.orders.recordIntent(intentOf(epoch, { clientOrderId, accountId }), () => [])
    expect(result).toEqual({ outcome: 'notApproved' })
  })
}

export const waitingRules = (open: OpenBench): void => {
  test('an unclear order is sent again only when told so, under the next attempt number each time', async () => {
    const bench = await open()
    await openActive(bench)
    await submitted(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    for (const attempt of [2, 3, 4]) {
      const lost = changeOf(await storedOrder(bench), { status: 'outcomeUnknown' })
      expect(await bench.orders.change(lost, receiptOf())).toBe('done')
      expect((await record(bench, epoch)).outcome).toBe('notWaiting')
      expect(await record(bench, epoch, 'order-1', true)).toMatchObject({
        outcome: 'recorded',
        order: { attempt },
      })
    }
    expect(await waiting(bench)).toEqual([2, 3, 4].map((attempt) => `order-1-attempt-${attempt}`))
  })

  test('evidence on one attempt sends no other attempt again', async () => {
    const bench = await open()
    await openAccount(bench)
    await submitted(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    const resend = (afterAttempt: number) =>
      bench.orders.recordIntent(intentOf(epoch, { afterAttempt }), () => [], true)
    await bench.orders.change(changeOf(await storedOrder(bench), { status: 'outcomeUnknown' }), receiptOf())
    expect(await resend(1)).toMatchObject({ outcome: 'recorded', order: { attempt: 2 } })
    await bench.orders.change(changeOf(await storedOrder(bench), { status: 'outcomeUnknown' }), receiptOf())
    expect(await resend(1)).toMatchObject({
      outcome: 'notWaiting',
      order: { status: 'outcomeUnknown', attempt: 2 },
    })
  })

  test('a closed order is not waiting, resend or not', async () => {
    const bench = await open()
    await openActive(bench)
    const order = await approved(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(order, { status: 'denied' }), receiptOf())
    const epoch = await bench.orders.fence(ACCOUNT)
    for (const resend of [false, true]) {
      expect(await record(bench, epoch, 'order-1', resend)).toMatchObject({
        outcome: 'notWaiting',
        order: { status: 'denied' },
      })
    }
  })
}

export const haltRules = (open: OpenBench): void => {
  test('after a halt no intent is recorded, and the order stands as it stood', async () => {
    const bench = await open()
    await openActive(bench)
    const order = await approved(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    await setState(bench, 'halted')
    expect(await record(bench, epoch)).toEqual({ outcome: 'halted', order })
    expect(await storedOrder(bench)).toEqual(order)
    expect(await waiting(bench)).toEqual([])
  })

  test('a resend is halted too', async () => {
    const bench = await open()
    await openAccount(bench)
    await submitted(bench, 'buy 10 @ 70000')
    await bench.orders.change(changeOf(await storedOrder(bench), { status: 'outcomeUnknown' }), receiptOf())
    const epoch = await bench.orders.fence(ACCOUNT)
    await setState(bench, 'halted')
    expect(await record(bench, epoch, 'order-1', true)).toMatchObject({
      outcome: 'halted',
      order: { status: 'outcomeUnknown', attempt: 1 },
    })
  })

  test('an intent that was recorded before the halt is still found, so that its outcome is noted', async () => {
    const bench = await open()
    await openAccount(bench)
    await submitted(bench, 'buy 10 @ 70000')
    const epoch = await bench.orders.fence(ACCOUNT)
    await setState(bench, 'halted')
    expect(await record(bench, epoch)).toMatchObject({
      outcome: 'notWaiting',
      order: { status: 'submitting' },
    })
  })

  test('an account that only reduces still sends what was approved', async () => {
    const bench = await open()
    await openActive(bench)
    await approved(bench, 'buy 10 @ 70000')
    await setState(bench, 'reducing')
    expect((await record(bench, await bench.orders.fence(ACCOUNT))).outcome).toBe('recorded')
  })

  test('a halt that comes at the same time is either seen or comes after the intent', async () => {
    const bench = await open()
    await openActive(bench)
    const ids = Array.from({ length: 10 }, (_, index) => `order-${index}`)
    for (const [index, clientOrderId] of ids.entries()) {
      await approved(bench, `buy ${index + 1} @ 70000`, { clientOrderId })
    }
    const epoch = await bench.orders.fence(ACCOUNT)
    const sends = ids.map((clientOrderId) => record(bench, epoch, clientOrderId))
    await setState(bench, 'halted')
    const late = await record(bench, epoch, 'order-9')
    expect(late.outcome).toBeOneOf(['halted', 'notWaiting'])
    for (const { outcome } of await Promise.all(sends))
      expect(outcome).toBeOneOf(['recorded', 'halted', 'notWaiting'])
  })
}

export const shapeRules = (open: OpenBench): void => {
  test.each(['buy 10 @ 70000', 'sell 10 @ market'])(
    'two orders %s: the second waits until the first is clear',
    async (text) => {
      const bench = await open()
      await openActive(bench)
      await submitted(bench, text)
      await approved(bench, text, { clientOrderId: 'order-2' })
      const epoch = await bench.orders.fence(ACCOUNT)
      const taken = { outcome: 'shapeTaken', by: 'order-1' }

      expect(await record(bench, epoch, 'order-2')).toEqual(taken)
      await bench.orders.change(changeOf(await storedOrder(bench), { status: 'outcomeUnknown' }), receiptOf())
      expect(await record(bench, epoch, 'order-2')).toEqual(taken)
      expect((await storedOrder(bench, 'order-2')).status).toBe('approved')
      expect(await waiting(bench)).toEqual([])

      const clear = changeOf(await storedOrder(bench), { status: 'accepted', brokerOrderId: '0000000001' })
      await bench.orders.change(clear, receiptOf())
      expect((await record(bench, epoch, 'order-2')).outcome).toBe('recorded')
    },
  )

  test.each([
    ['side', 'sell 10 @ 70000', {}],
    ['price', 'buy 10 @ 70100', {}],
    ['quantity', 'buy 11 @ 70000', {}],
    ['type', 'buy 10 @ market', {}],
    ['instrument', 'buy 10 @ 70000', { instrumentId: HYNIX }],
    ['account', 'buy 10 @ 70000', { accountId: 'kis:other' }],
  ] as const)('an order that differs in its %s need not wait', async (_name, text, over) => {
    const bench = await open()
    await openActive(bench)
    await openActive(bench, 'kis:other')
    await submitted(bench, 'buy 10 @ 70000')
    expect((await submitted(bench, text, { clientOrderId: 'order-2', ...over })).status).toBe('submitting')
  })

  test('a working order of the same shape is no reason to wait', async () => {
    const bench = await open()
    await openActive(bench)
    await accepted(bench, 'buy 10 @ 70000')
    expect((await submitted(bench, 'buy 10 @ 70000', { clientOrderId: 'order-2' })).attempt).toBe(1)
  })

  test('of ten orders of one shape sent at once, one is recorded', async () => {
    const bench = await open()
    await openActive(bench)
    const ids = Array.from({ length: 10 }, (_, index) => `order-${index}`)
    for (const clientOrderId of ids) await approved(bench, 'buy 10 @ 70000', { clientOrderId })
    const epoch = await bench.orders.fence(ACCOUNT)
    const results = await Promise.all(ids.map((clientOrderId) => record(bench, epoch, clientOrderId)))
    const sent = results.filter(({ outcome }) => outcome === 'recorded')
    expect(sent).toHaveLength(1)
    expect(results.filter(({ outcome }) => outcome === 'shapeTaken')).toHaveLength(9)
  })
}
