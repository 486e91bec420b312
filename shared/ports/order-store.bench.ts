// What the order store's contract suites build their cases from.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import type { ApprovedOrder, OrderRequest } from '#shared/domain/order.ts'
import { reservationOf } from '#shared/domain/reservation.ts'
import type { TradingState } from '#shared/domain/risk.ts'
import { type Instant, formatInstant, instant } from '#shared/domain/time.ts'
import { type Quantity, notionalOf, price, quantity, ratio } from '#shared/domain/values.ts'
import type { DataOf, Event, EventContract } from '#shared/events/contract.ts'
import {
  OrderAccepted,
  OrderDenied,
  OrderOutcomeUnknown,
  OrderPendingCancel,
  OrderSubmitted,
} from '#shared/events/orders.ts'
import { ACCOUNT, NOON, request } from '../../test/build.ts'
import type { Ledger } from './ledger.ts'
import type { Approval, Fill, Intent, OrderChange, OrderStore, StoredOrder } from './order-store.ts'
import type { Outbox } from './outbox.ts'
import type { Receipt } from './receipt.ts'

/** A store that no other test has written to. */
export interface OrderStoreBench {
  readonly orders: OrderStore
  readonly ledger: Ledger
  readonly outbox: Outbox
}

export type OpenBench = () => Promise<OrderStoreBench>

/** Before every order that the suites decide. */
export const LONG_AGO: Instant = instant(0)

export function eventOf<Contract extends EventContract>(
  contract: Contract,
  id: string,
  data: DataOf<Contract>,
): Event {
  return {
    specversion: '1.0',
    id,
    source: '/jts/test',
    type: contract.type,
    subject: contract.subject(data),
    time: formatInstant(NOON),
    datacontenttype: 'application/json',
    partitionkey: contract.key(data),
    correlationid: 'frame-1',
    causationid: `cause-of-${id}`,
    data,
  }
}

export const deniedEvent = (id: string, clientOrderId = 'order-1'): Event =>
  eventOf(OrderDenied, id, {
    accountId: ACCOUNT,
    clientOrderId,
    code: 'CASH_INSUFFICIENT',
    detail: '삼성전자 "10"',
  })

export const submittedEvent = (id: string, attempt: number, clientOrderId = 'order-1'): Event =>
  eventOf(OrderSubmitted, id, {
    accountId: ACCOUNT,
    clientOrderId,
    attempt,
    epoch: 1,
    submittedTime: formatInstant(NOON),
  })

export const acceptedEvent = (id: string, clientOrderId = 'order-1'): Event =>
  eventOf(OrderAccepted, id, {
    accountId: ACCOUNT,
    clientOrderId,
    brokerOrderId: '0000000001',
    brokerRoute: '06010',
    evidence: 'response',
    acceptedTime: formatInstant(NOON),
  })

export const unknownEvent = (id: string): Event =>
  eventOf(OrderOutcomeUnknown, id, {
    accountId: ACCOUNT,
    clientOrderId: 'order-1',
    attempt: 1,
    cause: 'noAnswer',
    detail: '',
    sinceTime: formatInstant(NOON),
  })

export const pendingEvent = (id: string): Event =>
  eventOf(OrderPendingCancel, id, {
    accountId: ACCOUNT,
    clientOrderId: 'order-1',
    sentTime: formatInstant(NOON),
  })

let receipts = 0
/** A receipt of an event that was never handled, unless its id is given. */
export function receiptOf(
  outputs: readonly Event[] = [],
  eventId?: string,
  consumer = 'risk-check',
): Receipt {
  receipts += 1
  return { consumer, eventId: eventId ?? `event-${receipts}`, outputs }
}

export async function snapshotOf({ ledger }: OrderStoreBench, accountId = ACCOUNT): Promise<AccountSnapshot> {
  const snapshot = await ledger.snapshot(accountId, LONG_AGO)
  if (snapshot === undefined) throw new Error(`no account ${accountId}`)
  return snapshot
}

/** Halted, at version 0. */
export async function openAccount({ ledger }: OrderStoreBench, accountId = ACCOUNT): Promise<void> {
  await ledger.openAccount({ accountId, broker: 'kis', currency: 'KRW' })
}

export const setState = (
  { ledger }: OrderStoreBench,
  to: TradingState,
  accountId = ACCOUNT,
): Promise<boolean> =>
  ledger.setTradingState({ accountId, to, changedBy: 'test', reason: 'test', at: NOON }, () => [])

export async function storedOrder(
  { orders }: OrderStoreBench,
  clientOrderId = 'order-1',
): Promise<StoredOrder> {
  const order = await orders.order(clientOrderId)
  if (order === undefined) throw new Error(`no order ${clientOrderId}`)
  return order
}

export function approvalOf(order: OrderRequest, accountVersion: bigint): Approval {
  return {
    order: { ...order, limitsVersion: 'limits-1' } as ApprovedOrder,
    reservation: reservationOf(order, order.limitPrice ?? price('91000'), ratio('0.00015')),
    accountVersion,
    correlationId: 'frame-1',
  }
}

/** Approves at whatever version the account has. */
export async function approved(
  bench: OrderStoreBench,
  text: string,
  over: Partial<OrderRequest> = {},
): Promise<StoredOrder> {
  const order = request(text, over)
  const { version } = await snapshotOf(bench, order.accountId)
  const outcome = await bench.orders.approve(approvalOf(order, version), receiptOf())
  if (outcome !== 'done') throw new Error(`approve: ${outcome}`)
  return storedOrder(bench, order.clientOrderId)
}

export const intentOf = (epoch: number, over: Partial<Intent> = {}): Intent => ({
  accountId: ACCOUNT,
  clientOrderId: 'order-1',
  epoch,
  submittedTime: NOON,
  ...over,
})

/** Approves and records the intent under a fence of its own, in an account that trades. */
export async function submitted(
  bench: OrderStoreBench,
  text: string,
  over: Partial<OrderRequest> = {},
): Promise<StoredOrder> {
  const order = await approved(bench, text, over)
  const { accountId, clientOrderId } = order
  await setState(bench, 'active', accountId)
  const epoch = await bench.orders.fence(accountId)
  const result = await bench.orders.recordIntent(intentOf(epoch, { accountId, clientOrderId }), () => [])
  if (result.outcome !== 'recorded') throw new Error(`recordIntent: ${result.outcome}`)
  return result.order
}

export const changeOf = (order: StoredOrder, over: Partial<OrderChange>): OrderChange => ({
  accountId: order.accountId,
  clientOrderId: order.clientOrderId,
  revision: order.revision,
  status: order.status,
  ...over,
})

/** Submitted and acknowledged under a broker order id. */
export async function accepted(
  bench: OrderStoreBench,
  text: string,
  over: Partial<OrderRequest> & { readonly brokerOrderId?: string } = {},
): Promise<StoredOrder> {
  const { brokerOrderId = '0000000001', ...rest } = over
  const order = await submitted(bench, text, rest)
  const change = changeOf(order, { status: 'accepted', brokerOrderId, brokerRoute: '06010' })
  const outcome = await bench.orders.change(change, receiptOf())
  if (outcome !== 'done') throw new Error(`change: ${outcome}`)
  return storedOrder(bench, order.clientOrderId)
}

/** `'10 @ 70000'` of an order, without charges. */
export function fillOf(order: StoredOrder, text: string, over: Partial<Fill> = {}): Fill {
  const [units = '', at = ''] = text.split(' @ ')
  return {
    executionId: 'execution-1',
    clientOrderId: order.clientOrderId,
    accountId: order.accountId,
    instrumentId: order.instrumentId,
    side: order.side,
    quantity: quantity(units),
    price: price(at),
    notional: notionalOf(price(at), quantity(units)),
    fee: 0n as Fill['fee'],
    tax: 0n as Fill['tax'],
    origin: 'stream',
    eventTime: NOON,
    ...over,
  }
}

/** The change that books a fill; filled when nothing is left. */
export function fillChange(order: StoredOrder, fill: Fill): OrderChange {
  const filledQuantity = (order.filledQuantity + fill.quantity) as Quantity
  return changeOf(order, {
    status: filledQuantity === order.quantity ? 'filled' : 'partiallyFilled',
    filledQuantity,
    filledNotional: (order.filledNotional + fill.notional) as StoredOrder['filledNotional'],
    noticedQuantity: filledQuantity,
    fill,
  })
}

export const eventIds = (events: readonly Event[]): readonly string[] => events.map((event) => event.id)

/** Everything that waits in the outbox, oldest first. */
export async function waiting({ outbox }: OrderStoreBench): Promise<readonly string[]> {
  const found = await outbox.unsettled(1_000, 0n)
  return eventIds(found.map(({ event }) => event))
}

/** What a call rejects with. */
export const fault = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )
