// An order is our instruction, with a life (order-lifecycle.ts). An order request is what a strategy or a person wants.
import type { InstrumentId } from './instrument.ts'
import type { Instant } from './time.ts'
import type { Price, Quantity } from './values.ts'

export const SIDES = ['buy', 'sell'] as const
export type Side = (typeof SIDES)[number]

export const ORDER_TYPES = ['limit', 'market'] as const
export type OrderType = (typeof ORDER_TYPES)[number]

export const TIMES_IN_FORCE = ['day', 'ioc', 'fok'] as const
export type TimeInForce = (typeof TIMES_IN_FORCE)[number]

/** What somebody wants, unchecked. */
export interface OrderRequest {
  readonly accountId: string
  /** Ours, made before submission: the idempotency key (FIX ClOrdID). */
  readonly clientOrderId: string
  /** Who asked: a strategy's id or `operator:<name>`. */
  readonly requestedBy: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  readonly quantity: Quantity
  /** Present for `limit`, absent for `market`. */
  readonly limitPrice?: Price
  readonly decidedTime: Instant
}

declare const approval: unique symbol
/** A request that passed every limit. Only risk-check and the codec of OrderApproved make one. */
export type ApprovedOrder = OrderRequest & {
  /** Names the set of limits that it was held against. */
  readonly limitsVersion: string
  readonly [approval]: true
}

/** +1 for buy, −1 for sell: what a fill does to a position. */
export const directionOf = (side: Side): 1n | -1n => (side === 'buy' ? 1n : -1n)

export const oppositeOf = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy')
