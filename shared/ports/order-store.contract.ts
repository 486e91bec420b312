import { describe, expect, test } from 'vitest'
import { ACCOUNT, request } from '../../test/build.ts'
import { AlreadyHandledError } from './receipt.ts'
import {
  bookkeepingRules,
  brokerNumberRules,
  changeRules,
  closingRules,
  executionRules,
  fillRules,
  receiptOfChangeRules,
  versionRules,
} from './order-store-changes.contract.ts'
import {
  approvalRules,
  contentionRules,
  denialRules,
  receiptRules,
  refusedApprovalRules,
} from './order-store-decisions.contract.ts'
import {
  fenceRules,
  haltRules,
  intentRules,
  shapeRules,
  waitingRules,
} from './order-store-intents.contract.ts'
import { preparedOnceRules, preparedRules, unpreparedRules } from './order-store-prepared.contract.ts'
import {
  type OpenBench,
  accepted,
  acceptedEvent,
  approvalOf,
  approved,
  changeOf,
  deniedEvent,
  eventIds,
  fillChange,
  fillOf,
  openAccount,
  receiptOf,
  storedOrder,
  submitted,
  submittedEvent,
} from './order-store.bench.ts'

/** What every OrderStore must do. `open` gives one that no other test has written to. */
export const orderStoreContract = (adapter: string, open: OpenBench): void => {
  describe(`${adapter} as OrderStore`, () => {
    for (const rules of RULES) rules(open)
  })
}

const readRules = (open: OpenBench): void => {
  test('what is not there is undefined or empty', async () => {
    const { orders } = await open()
    expect(await orders.order('order-1')).toBeUndefined()
    expect(await orders.openOrders(ACCOUNT)).toEqual([])
    expect(await orders.orders({ limit: 10 })).toEqual([])
    expect(await orders.fills({ limit: 10 })).toEqual([])
    expect(await orders.history('order-1')).toEqual([])
    expect(await orders.quarantined(10)).toEqual([])
  })

  test('open orders are listed oldest first, all orders newest first, both by account', async () => {
    const bench = await open()
    await openAccount(bench)
    await openAccount(bench, 'kis:other')
    for (const clientOrderId of ['b', 'a', 'c']) await approved(bench, 'buy 1 @ 70000', { clientOrderId })
    await approved(bench, 'buy 1 @ 70000', { clientOrderId: 'd', accountId: 'kis:other' })
    await bench.orders.change(changeOf(await storedOrder(bench, 'a'), { status: 'denied' }), receiptOf())
    const ids = (orders: readonly { readonly clientOrderId: string }[]) =>
      orders.map((order) => order.clientOrderId)
    expect(ids(await bench.orders.openOrders(ACCOUNT))).toEqual(['b', 'c'])
    expect(ids(await bench.orders.orders({ limit: 10 }))).toEqual(['d', 'c', 'a', 'b'])
    expect(ids(await bench.orders.orders({ accountId: ACCOUNT, limit: 2 }))).toEqual(['c', 'a'])
  })

  test('fills are listed newest first', async () => {
    const bench = await open()
    await openAccount(bench)
    const order = await accepted(bench, 'buy 10 @ 70000')
    for (const executionId of ['x', 'a', 'm']) {
      const fill = fillOf(order, '1 @ 70000', { executionId })
      await bench.orders.change(fillChange(await storedOrder(bench), fill), receiptOf())
    }
    const fills = await bench.orders.fills({ accountId: ACCOUNT, clientOrderId: 'order-1', limit: 2 })
    expect(fills.map((fill) => fill.executionId)).toEqual(['m', 'a'])
    expect(await bench.orders.fills({ clientOrderId: 'order-2', limit: 2 })).toEqual([])
  })
}

const recordRules = (open: OpenBench): void => {
  test('a history has the events about one order, oldest first, as they were', async () => {
    const bench = await open()
    const events = [submittedEvent('z', 1), acceptedEvent('a'), deniedEvent('m')]
    for (const event of events) {
      await bench.orders.acknowledge(receiptOf([event, deniedEvent(`${event.id}-other`, 'order-2')]))
    }
    expect(await bench.orders.history('order-1')).toEqual(events)
    expect(eventIds(await bench.orders.history('order-2'))).toEqual(['z-other', 'a-other', 'm-other'])
  })

  test('a receipt can be asked for: by its consumer and its event, and asking leaves none', async () => {
    const { orders } = await open()
    const receipt = receiptOf([submittedEvent('a', 1)])
    await orders.refuseHandled(receipt)
    await orders.acknowledge(receipt)
    const told = await orders.refuseHandled(receipt).catch((error: unknown) => error)
    expect(told).toBeInstanceOf(AlreadyHandledError)
    expect(told).toMatchObject({ outputs: [submittedEvent('a', 1)] })
    await orders.refuseHandled({ ...receipt, consumer: 'another' })
    await orders.refuseHandled({ ...receipt, eventId: 'another' })
  })

  test('what is quarantined is kept whole and listed newest first', async () => {
    const bench = await open()
    const items = ['no such order', 'no such step'].map((reason, index) => ({
      accountId: ACCOUNT,
      reason,
      event: deniedEvent(`report-${index}`),
    }))
    for (const item of items) await bench.orders.quarantine(item, receiptOf())
    expect(await bench.orders.quarantined(10)).toEqual(items.toReversed())
    expect(await bench.orders.quarantined(1)).toHaveLength(1)
  })

  test('totals count how far orders came', async () => {
    const bench = await open()
    await openAccount(bench)
    await approved(bench, 'buy 1 @ 70000', { clientOrderId: 'approved' })
    await submitted(bench, 'buy 2 @ 70000', { clientOrderId: 'submitted' })
    const order = await accepted(bench, 'buy 3 @ 70000', { clientOrderId: 'filled' })
    await bench.orders.change(fillChange(order, fillOf(order, '3 @ 70000')), receiptOf())
    const tooOld = await approved(bench, 'buy 4 @ 70000', { clientOrderId: 'too old' })
    await bench.orders.change(changeOf(tooOld, { status: 'denied' }), receiptOf())
    const { correlationId, order: denied } = approvalOf(request('buy 5 @ 70000'), 0n)
    await bench.orders.deny({ order: denied, code: 'TRADING_HALTED', detail: '', correlationId }, receiptOf())
    expect(await bench.orders.totals()).toEqual({
      requested: 5,
      approved: 4,
      denied: 2,
      submitted: 2,
      filled: 1,
      open: 2,
      fills: 1,
    })
  })
}

const RULES = [
  approvalRules,
  refusedApprovalRules,
  denialRules,
  receiptRules,
  contentionRules,
  fenceRules,
  intentRules,
  waitingRules,
  haltRules,
  shapeRules,
  preparedRules,
  unpreparedRules,
  preparedOnceRules,
  changeRules,
  receiptOfChangeRules,
  closingRules,
  versionRules,
  brokerNumberRules,
  fillRules,
  executionRules,
  bookkeepingRules,
  readRules,
  recordRules,
]
