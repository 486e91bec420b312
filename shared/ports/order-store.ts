// The record of every order: the only authority on what was intended, sent and filled.
//
// Every method is one transaction. Every method that takes a receipt throws `AlreadyHandledError` when that event was
// handled before, and changes nothing then. All of them reject with `RetryableError` when the store cannot be reached
// or the outcome of the commit is not known; calling again with the same receipt is safe.
import type { Reservation } from '#shared/domain/account.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { ApprovedOrder, OrderRequest } from '#shared/domain/order.ts'
import type { OrderStatus } from '#shared/domain/order-lifecycle.ts'
import type { DenialCode } from '#shared/domain/risk.ts'
import type { Instant } from '#shared/domain/time.ts'
import { type Money, type Price, type Quantity, ZERO_MONEY, ZERO_QUANTITY } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Receipt } from './receipt.ts'

export interface StoredOrder extends OrderRequest {
  readonly status: OrderStatus
  /** Goes up by one with every change. */
  readonly revision: number
  readonly limitsVersion: string
  /** Times that we recorded an intent to send it. */
  readonly attempt: number
  readonly brokerOrderId?: string
  readonly brokerRoute?: string
  readonly filledQuantity: Quantity
  readonly filledNotional: Money
  /** Sum of the increments heard on the stream. */
  readonly noticedQuantity: Quantity
  /** Highest cumulative quantity read from the broker's list. */
  readonly listedQuantity: Quantity
  readonly reservedPrice: Price
  /** Cash still held for the unfilled rest. */
  readonly reservedCash: Money
  /** Fees and tax charged so far. */
  readonly fee: Money
  readonly tax: Money
  readonly submittedTime?: Instant
  readonly correlationId: string
}

export interface Approval {
  readonly order: ApprovedOrder
  readonly reservation: Reservation
  /** The snapshot version that was decided on. */
  readonly accountVersion: bigint
  readonly correlationId: string
}

/** An intent to send, recorded together with the approval: attempt 1. */
export interface FirstIntent extends Pick<Intent, 'epoch' | 'submittedTime'> {
  /** What `recordIntent` would store for attempt 1. */
  readonly outputs: readonly Event[]
}

export interface Denial {
  readonly order: OrderRequest
  readonly code: DenialCode
  readonly detail: string
  readonly correlationId: string
}

export interface Intent {
  readonly accountId: string
  readonly clientOrderId: string
  /** The fence that the sender holds; see `fence`. */
  readonly epoch: number
  readonly submittedTime: Instant
  /** Only if so many attempts were recorded so far: evidence speaks of one attempt. Default: however many. */
  readonly afterAttempt?: number
}

export type IntentResult =
  /** Recorded; the sender may now send, once. */
  | { readonly outcome: 'recorded'; readonly order: StoredOrder }
  /** The order is not waiting to be sent; its state is given. Nothing changed. */
  | { readonly outcome: 'notWaiting'; readonly order: StoredOrder }
  /** No approval is stored for it. */
  | { readonly outcome: 'notApproved' }
  /** Trading of the account is halted, and the order would otherwise have been recorded. Nothing changed. */
  | { readonly outcome: 'halted'; readonly order: StoredOrder }
  /** Another replica has taken the fence. */
  | { readonly outcome: 'fenced'; readonly epoch: number }
  /** An unclear order has the same shape: one row of the broker's list could match either. */
  | { readonly outcome: 'shapeTaken'; readonly by: string }

/** A fill as it is booked. */
export interface Fill {
  readonly executionId: string
  readonly clientOrderId: string
  readonly accountId: string
  readonly instrumentId: InstrumentId
  readonly side: 'buy' | 'sell'
  readonly quantity: Quantity
  readonly price: Price
  /** Exact; price × quantity unless the fill was inferred from cumulative figures. */
  readonly notional: Money
  readonly fee: Money
  readonly tax: Money
  readonly origin: 'stream' | 'list'
  readonly eventTime: Instant
}

/** What a report or an answer does to an order. Fields that are absent stay as they are. */
export interface OrderChange {
  readonly accountId: string
  readonly clientOrderId: string
  /** The revision that was decided on; another one in the store makes a conflict. */
  readonly revision: number
  readonly status: OrderStatus
  readonly brokerOrderId?: string
  readonly brokerRoute?: string
  readonly filledQuantity?: Quantity
  readonly filledNotional?: Money
  readonly noticedQuantity?: Quantity
  readonly listedQuantity?: Quantity
  /** New quantity and price after an amend. */
  readonly quantity?: Quantity
  readonly limitPrice?: Price
  readonly reservedCash?: Money
  /** At most one a change. Books position, cash, fee and tax; bumps the account version. */
  readonly fill?: Fill
}

export interface Quarantined {
  readonly accountId: string
  readonly reason: string
  readonly event: Event
}

/** How many orders of all accounts came how far. */
export interface OrderTotals {
  readonly requested: number
  readonly approved: number
  readonly denied: number
  /** Intents recorded: sends that may have happened. */
  readonly submitted: number
  readonly filled: number
  /** Not closed. */
  readonly open: number
  readonly fills: number
}

export interface OrderStore {
  /**
   * Stores the order as `approved` with its reservation, if the account is still at `accountVersion`. `prepared`: it has
   * recorded the intent as well, in the same transaction, and left what `recordIntent` would have left (`submittingOrder`).
   * Whatever stands against the intent (fence, halt, shape) stands against the intent alone: the approval is then `done`
   * as if none had been given.
   */
  approve(
    approval: Approval,
    receipt: Receipt,
    intent?: FirstIntent,
  ): Promise<'done' | 'prepared' | 'conflict'>
  /** Stores the order as `denied`. */
  deny(denial: Denial, receipt: Receipt): Promise<void>
  /** Takes the account's fence: returns a number above every one given before. */
  fence(accountId: string): Promise<number>
  /**
   * Writes the intent to send, moving `approved` (or `outcomeUnknown` with `resend`) to `submitting` and adding one to
   * `attempt`. `outputsOf` makes the events to store from the order as it now stands. Once `setTradingState` to halted
   * has come back, nothing is recorded any more.
   */
  recordIntent(
    intent: Intent,
    outputsOf: (attempt: number) => readonly Event[],
    resend?: boolean,
  ): Promise<IntentResult>
  /** Applies a change made with `nextStatus`, if the order is still at the revision it was decided on. */
  change(change: OrderChange, receipt: Receipt): Promise<'done' | 'conflict'>
  /** Sets a report aside that fits no order or no step. It is never dropped. */
  quarantine(item: Quarantined, receipt: Receipt): Promise<void>
  /** Notes that an event was handled where no state changed. */
  acknowledge(receipt: Receipt): Promise<void>
  /** Changes nothing. For handlers that would find something else to say the second time. */
  refuseHandled(receipt: Pick<Receipt, 'consumer' | 'eventId'>): Promise<void>

  order(clientOrderId: string): Promise<StoredOrder | undefined>
  orderByBrokerId(accountId: string, brokerOrderId: string): Promise<StoredOrder | undefined>
  /** Not closed, oldest first. */
  openOrders(accountId: string): Promise<readonly StoredOrder[]>
  /** Newest first. */
  orders(filter: { readonly accountId?: string; readonly limit: number }): Promise<readonly StoredOrder[]>
  fills(filter: {
    readonly clientOrderId?: string
    readonly accountId?: string
    readonly limit: number
  }): Promise<readonly Fill[]>
  totals(): Promise<OrderTotals>
  /** Stored events about an order, oldest first. */
  history(clientOrderId: string): Promise<readonly Event[]>
  /** Set aside and not yet looked at, newest first. */
  quarantined(limit: number): Promise<readonly Quarantined[]>
}

/** The order as `approve` leaves it when it has recorded the intent too. */
export const submittingOrder = (
  { order, reservation, correlationId }: Approval,
  { submittedTime }: Pick<FirstIntent, 'submittedTime'>,
): StoredOrder & ApprovedOrder => ({
  ...order,
  status: 'submitting',
  revision: 2,
  attempt: 1,
  filledQuantity: ZERO_QUANTITY,
  filledNotional: ZERO_MONEY,
  noticedQuantity: ZERO_QUANTITY,
  listedQuantity: ZERO_QUANTITY,
  reservedPrice: reservation.reservedPrice,
  reservedCash: reservation.cash,
  fee: ZERO_MONEY,
  tax: ZERO_MONEY,
  submittedTime,
  correlationId,
})
