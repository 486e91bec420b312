// Limits, trading states, and the closed list of reasons for a "no".
import type { Money, Quantity, Ratio } from './values.ts'

/** `reducing` lets through only orders that shrink a position. Every account starts `halted`. */
export const TRADING_STATES = ['active', 'reducing', 'halted'] as const
export type TradingState = (typeof TRADING_STATES)[number]

/** Checked top to bottom: an order that breaks several rules is denied with the first. */
export const DENIAL_CODES = [
  'TRADING_HALTED',
  'FACTS_MISSING',
  'FACTS_STALE',
  'REQUEST_STALE',
  'INSTRUMENT_UNKNOWN',
  'INSTRUMENT_NOT_TRADABLE',
  'SESSION_CLOSED',
  'ORDER_TYPE_NOT_ALLOWED',
  'QUANTITY_NOT_POSITIVE',
  'QUANTITY_OFF_LOT',
  'PRICE_OFF_TICK',
  'PRICE_OUTSIDE_LIMITS',
  'DUPLICATE_ORDER',
  'RATE_OVER_LIMIT',
  'SELF_TRADE',
  'POSITION_WOULD_INCREASE',
  'POSITION_INSUFFICIENT',
  'ORDER_QUANTITY_OVER_LIMIT',
  'ORDER_NOTIONAL_OVER_LIMIT',
  'POSITION_OVER_LIMIT',
  'CONCENTRATION_OVER_LIMIT',
  'PORTFOLIO_OVER_LIMIT',
  'DAILY_LOSS_OVER_LIMIT',
  'CASH_INSUFFICIENT',
] as const
export type DenialCode = (typeof DENIAL_CODES)[number]

/** One account's limits. Every one is set by a person; none has a default here. */
export interface RiskLimits {
  /** Changes with any value below. */
  readonly version: string
  readonly orderQuantityMax: Quantity
  readonly orderNotionalMax: Money
  /** Largest notional of one instrument, working orders that add to it included. */
  readonly positionNotionalMax: Money
  /** Largest part of equity in one instrument. */
  readonly positionConcentrationMax: Ratio
  /** Largest notional of all positions and of working orders that add to them. */
  readonly portfolioNotionalMax: Money
  /** Largest decline of equity since the session opened. */
  readonly dailyLossMax: Money
  /** Requests a second, whole account. */
  readonly ordersPerSecondMax: number
  /** An equal order (instrument, side, type, price, quantity) within this time is a duplicate. */
  readonly duplicateWindowMs: number
  /** Oldest usable last price. */
  readonly factsAgeMsMax: number
  /** Oldest request that is still worth deciding. */
  readonly requestAgeMsMax: number
}
