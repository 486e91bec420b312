// The one road to a broker. Reads may be repeated; a submit never is.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Bar, OrderBook } from '#shared/domain/market-data.ts'
import type { ApprovedOrder, Side } from '#shared/domain/order.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Money, Price, Quantity } from '#shared/domain/values.ts'

export type SendResult =
  | {
      readonly outcome: 'accepted'
      readonly brokerOrderId: string
      /** Needed to amend or cancel; opaque to everybody but the adapter. */
      readonly brokerRoute: string
    }
  /** A definite no: the order does not exist at the broker. */
  | { readonly outcome: 'rejected'; readonly code: string; readonly detail: string }
  /** Provably not taken (nothing left us, or the broker's gateway refused it unread): may be sent again. */
  | { readonly outcome: 'notSent'; readonly detail: string }
  /** It may exist. Only evidence can tell. */
  | { readonly outcome: 'unknown'; readonly cause: 'noAnswer' | 'brokerTimeout'; readonly detail: string }

/** An order as the broker's list has it: cumulative, one row an order. */
export interface BrokerOrder {
  readonly brokerOrderId: string
  readonly brokerRoute: string
  readonly originalBrokerOrderId?: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly quantity: Quantity
  /** Absent for a market order. */
  readonly limitPrice?: Price
  readonly filledQuantity: Quantity
  readonly filledNotional: Money
  readonly canceledQuantity: Quantity
  readonly rejectedQuantity: Quantity
  readonly remainingQuantity: Quantity
  /** True for a row that is itself an amend or a cancel. */
  readonly isChange: boolean
  readonly orderTime: Instant
}

export interface BrokerPosition {
  readonly instrumentId: InstrumentId
  readonly quantity: Quantity
  readonly averagePrice: Price
  readonly lastPrice: Price
}

export interface BrokerBalance {
  /** Cash once everything traded has settled. */
  readonly cash: Money
  readonly positions: readonly BrokerPosition[]
}

export interface Quote {
  readonly instrumentId: InstrumentId
  readonly lastPrice: Price
  readonly basePrice: Price
  readonly upperLimit: Price
  readonly lowerLimit: Price
  readonly tickSize: Price
  readonly isTradable: boolean
}

/** Which working order a change is about. */
export interface BrokerOrderRef {
  readonly accountId: string
  readonly brokerOrderId: string
  readonly brokerRoute: string
  readonly instrumentId: InstrumentId
}

/**
 * Reads reject with `RetryableError` when the broker cannot be reached or says "later", and with `BrokerRefusedError`
 * when it says no for good (credentials, permission). Sends never reject for a reason that concerns the broker.
 */
export interface BrokerGateway {
  readonly broker: string
  /**
   * With `cleared`, everything that comes before the first byte is done at once, and then the order is held back until it
   * resolves: true lets it go, false makes it `notSent`. It must not reject.
   */
  submit(order: ApprovedOrder, signal: AbortSignal, cleared?: Promise<boolean>): Promise<SendResult>
  /** Changes quantity and price of all that remains. The result carries the new broker order id. */
  amend(
    target: BrokerOrderRef,
    to: { readonly quantity: Quantity; readonly limitPrice: Price },
    signal: AbortSignal,
  ): Promise<SendResult>
  /** Cancels all that remains. Goes before everything else in the quota. */
  cancel(target: BrokerOrderRef, signal: AbortSignal): Promise<SendResult>
  /** Every page, oldest first. */
  listOrders(accountId: string, date: SessionDate, signal: AbortSignal): Promise<readonly BrokerOrder[]>
  balance(accountId: string, signal: AbortSignal): Promise<BrokerBalance>
  /** Cash that the broker would let a buy of this instrument use, without credit. */
  orderableCash(
    accountId: string,
    instrumentId: InstrumentId,
    limitPrice: Price | undefined,
    signal: AbortSignal,
  ): Promise<Money>
  quote(instrumentId: InstrumentId, signal: AbortSignal): Promise<Quote>
  orderBook(instrumentId: InstrumentId, signal: AbortSignal): Promise<OrderBook>
  /** Oldest first, both dates included, adjusted for splits. */
  dailyBars(
    instrumentId: InstrumentId,
    from: SessionDate,
    to: SessionDate,
    signal: AbortSignal,
  ): Promise<readonly Bar[]>
  /** One-minute bars of the day so far that closed at or before `before`, oldest first. */
  minuteBars(
    instrumentId: InstrumentId,
    before: Instant,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly Bar[]>
}

export class BrokerRefusedError extends Error {
  override name = 'BrokerRefusedError'
}
