// From an opinion to an order, or to the reason why there is none. Pure.
//
// O1. One order at a time for each strategy and instrument; a long position is not added to, a flat one not sold.
// O2. Positions are the account's: strategies that share an account and an instrument share its position.
// O3. A missing fact means no order. risk-check decides about limits; nothing of it is repeated here.
import { type Instrument, type InstrumentId, venueOf } from '#shared/domain/instrument.ts'
import { nextSessionDate } from '#shared/domain/krx-calendar.ts'
import { priceLimitsOf, roundToPriceIncrement, tickSizeOf } from '#shared/domain/krx-rules.ts'
import type { Side } from '#shared/domain/order.ts'
import { type SessionDate, addDays } from '#shared/domain/time.ts'
import { type Price, type Quantity, formatPrice, price } from '#shared/domain/values.ts'
import { contentIdentity } from '#shared/runtime/event-identity.ts'
import type { Opinion, TradingParameters } from './strategy.ts'

/** Checked top to bottom. */
export const NO_ORDER_REASONS = [
  'eventOld', // what it is based on was emitted too long ago
  'orderInFlight', // one of this strategy is not done
  'factsUnreadable', // account, orders or instrument could not be read
  'accountUnknown',
  'instrumentUnknown',
  'currencyDiffers', // order sizes are in the instrument's currency, limits in the account's
  'positionLong', // already holds it
  'positionFlat', // holds nothing that is not being sold
  'notionalTooSmall', // less than one lot
  'orderKnown', // this very order was requested before
] as const
export type NoOrderReason = (typeof NO_ORDER_REASONS)[number]

export interface OrderFacts {
  readonly date: SessionDate
  readonly lastPrice: Price
  readonly instrument: Instrument | undefined
  /** Undefined for an account that is not open. */
  readonly accountCurrency: string | undefined
  /** Signed. */
  readonly positionQuantity: bigint
  /** Of the position, what no working order sells already. */
  readonly sellableQuantity: bigint
}

export type OrderPlan =
  | {
      readonly outcome: 'order'
      readonly side: Side
      readonly quantity: Quantity
      /** Absent for a market order. */
      readonly limitPrice?: Price
    }
  | { readonly outcome: 'none'; readonly because: NoOrderReason }

const none = (because: NoOrderReason): OrderPlan => ({ outcome: 'none', because })
/** Smallest price step outside Korea: one cent. */
const CENT = price('0.01')

function stepOnce(at: Price, side: Side, tickOf: (at: Price) => Price): Price {
  if (side === 'buy') return (at + tickOf(at)) as Price
  const down = (at - tickOf((at - 1n) as Price)) as Price
  return down > 0n ? down : at
}

/** The last price on the grid, `ticks` beyond it to the side that trades at once, never outside the daily limits. */
export function marketableLimit(
  instrument: Instrument,
  side: Side,
  last: Price,
  ticks: number,
  date: SessionDate,
): Price {
  const { kind, market, basePrice, basePriceDate } = instrument
  const isKrx = venueOf(instrument.id) === 'KRX' || venueOf(instrument.id) === 'NXT'
  const tickOf = (at: Price): Price => (isKrx ? tickSizeOf(kind, at, date, market) : CENT)
  let limit = isKrx ? roundToPriceIncrement(kind, last, date, side === 'buy' ? 'up' : 'down', market) : last
  for (let step = 0; step < ticks; step += 1) limit = stepOnce(limit, side, tickOf)
  if (!isKrx || basePrice === undefined || basePriceDate !== date) return limit
  const { lower, upper } = priceLimitsOf(instrument, basePrice, date)
  if (side === 'buy' && limit > upper && last <= upper) return upper
  return side === 'sell' && limit < lower && last >= lower ? lower : limit
}

export function decideOrder(opinion: Opinion, trading: TradingParameters, facts: OrderFacts): OrderPlan {
  const { instrument, lastPrice, positionQuantity, sellableQuantity } = facts
  if (facts.accountCurrency === undefined) return none('accountUnknown')
  if (instrument === undefined) return none('instrumentUnknown')
  if (instrument.currency !== facts.accountCurrency) return none('currencyDiffers')

  const side: Side = opinion.direction === 'long' ? 'buy' : 'sell'
  const limitPrice = marketableLimit(instrument, side, lastPrice, trading.crossTicks, facts.date)
  const priced = trading.orderType === 'limit' ? { limitPrice } : {}
  if (side === 'sell') {
    if (positionQuantity <= 0n || sellableQuantity <= 0n) return none('positionFlat')
    return { outcome: 'order', side, quantity: sellableQuantity as Quantity, ...priced }
  }
  if (positionQuantity > 0n) return none('positionLong')
  const units = trading.orderNotional / (trading.orderType === 'limit' ? limitPrice : lastPrice)
  const lots = units - (units % instrument.quantityIncrement)
  if (lots <= 0n) return none('notionalTooSmall')
  return { outcome: 'order', side, quantity: lots as Quantity, ...priced }
}

/** What the ids of all orders of one strategy in one instrument begin with. */
export const orderTagOf = (strategyId: string, instrumentId: InstrumentId): string =>
  `${contentIdentity([strategyId, instrumentId]).slice(0, 8)}-`

/**
 * 33 URL-safe characters, the same for the same cause: a market event delivered again asks for the same order.
 * `causeId` is the market event's id, or what names a daily bar wherever it came from.
 */
export const clientOrderIdOf = (
  strategyId: string,
  instrumentId: InstrumentId,
  causeId: string,
  index: number,
): string =>
  orderTagOf(strategyId, instrumentId) +
  contentIdentity([strategyId, instrumentId, causeId, String(index)]).slice(0, 24)

/** Calendar days that the next session of a venue without a calendar of ours is away at most. */
const NEXT_SESSION_DAYS_MAX = 4

/** Whether `date` is the session that follows `barDate`: when an opinion on that day's bar is acted on. */
export function followsSession(instrumentId: InstrumentId, barDate: SessionDate, date: SessionDate): boolean {
  const venue = venueOf(instrumentId)
  if (venue !== 'KRX' && venue !== 'NXT')
    return date > barDate && date <= addDays(barDate, NEXT_SESSION_DAYS_MAX)
  try {
    return nextSessionDate(barDate) === date
  } catch {
    return false // outside the calendar: not known to be a session
  }
}

/** For the order's reason: at most 500 characters. */
export function reasonOf(
  opinion: Opinion,
  evidence: Readonly<Record<string, number | string>>,
  plan: Extract<OrderPlan, { outcome: 'order' }>,
  lastPrice: Price,
): string {
  const values = Object.entries(evidence).map(([name, value]) => `${name}=${value}`)
  const at = plan.limitPrice === undefined ? 'at market' : `at ${formatPrice(plan.limitPrice)}`
  const order = `${plan.side} ${plan.quantity} ${at}, last ${formatPrice(lastPrice)}`
  return `${opinion.reason} (${values.join(', ')}): ${order}`.slice(0, 500)
}
