// Market data in house terms. A tick is one update; a bar covers [openTime, closeTime).
import type { InstrumentId } from './instrument.ts'
import type { Instant } from './time.ts'
import type { Money, Price, Quantity } from './values.ts'

export const AGGRESSORS = ['buy', 'sell', 'none'] as const
/** Who crossed the spread; `none` in an auction or where the venue does not say. */
export type Aggressor = (typeof AGGRESSORS)[number]

/** A public trade print. */
export interface TradeTick {
  readonly instrumentId: InstrumentId
  readonly eventTime: Instant
  readonly price: Price
  readonly quantity: Quantity
  readonly aggressor: Aggressor
  /** Volume of the session so far, this print included. */
  readonly sessionVolume: Quantity
  readonly bidPrice: Price
  readonly askPrice: Price
}

/** Best bid and ask. A side without a quote has price and quantity zero. */
export interface QuoteTick {
  readonly instrumentId: InstrumentId
  readonly eventTime: Instant
  readonly bidPrice: Price
  readonly bidQuantity: Quantity
  readonly askPrice: Price
  readonly askQuantity: Quantity
}

export interface BookLevel {
  readonly price: Price
  readonly quantity: Quantity
}

/** Best first on both sides. Levels without a quote are absent. */
export interface OrderBook {
  readonly instrumentId: InstrumentId
  readonly eventTime: Instant
  readonly asks: readonly BookLevel[]
  readonly bids: readonly BookLevel[]
}

export const BAR_INTERVALS = ['1m', '5m', '1d'] as const
export type BarInterval = (typeof BAR_INTERVALS)[number]

export interface Bar {
  readonly instrumentId: InstrumentId
  readonly interval: BarInterval
  readonly openTime: Instant
  readonly closeTime: Instant
  readonly open: Price
  readonly high: Price
  readonly low: Price
  readonly close: Price
  readonly volume: Quantity
  readonly notional: Money
  readonly trades: number
}
