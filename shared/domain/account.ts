// An account as risk and people see it: cash, positions, reservations, at one version.
import type { InstrumentId } from './instrument.ts'
import type { OrderType, Side } from './order.ts'
import type { TradingState } from './risk.ts'
import type { Instant, SessionDate } from './time.ts'
import type { Money, Price, Quantity } from './values.ts'

/** Net holding of one instrument. `quantity` is signed: short is negative. */
export interface Position {
  readonly instrumentId: InstrumentId
  readonly quantity: bigint
  /** Paid for what is open, fees not included; same sign as `quantity`. */
  readonly openNotional: Money
  /** After fees and tax, since the account was opened. */
  readonly realizedPnl: Money
}

/** What an approved order may still do, held until it closes. */
export interface Reservation {
  readonly clientOrderId: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderType: OrderType
  readonly limitPrice?: Price
  /** Not yet filled. */
  readonly remainingQuantity: Quantity
  /** Unit price that cash is held at: the limit price, or the upper daily limit for a market order. */
  readonly reservedPrice: Price
  /** Held against cash for a buy, fees included; zero for a sell. */
  readonly cash: Money
  readonly decidedTime: Instant
}

export interface AccountSnapshot {
  readonly accountId: string
  /** Changes whenever anything below does. */
  readonly version: bigint
  readonly tradingState: TradingState
  readonly currency: string
  /** Settled and unsettled together; what the broker calls D+2. */
  readonly cash: Money
  /** Equity when the current session opened; absent until reconciliation has stated it. */
  readonly openingEquity?: Money
  readonly openingDate?: SessionDate
  readonly positions: readonly Position[]
  readonly reservations: readonly Reservation[]
  /** Requests of the last minutes, newest last: for the duplicate check. */
  readonly recentOrders: readonly RecentOrder[]
}

export interface RecentOrder {
  readonly clientOrderId: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderType: OrderType
  readonly quantity: Quantity
  readonly limitPrice?: Price
  readonly decidedTime: Instant
}
