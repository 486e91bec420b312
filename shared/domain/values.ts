// Money, prices, quantities and ratios: exact integers with a brand for each kind, so that a price passed as a
// quantity does not compile. Arithmetic across kinds goes through the named functions below.
import { type Rounding, divideRounded, formatDecimal, parseDecimal } from './decimal.ts'

declare const kind: unique symbol
/** Account currency, scaled by 10⁴. Signed: a debit is negative. */
export type Money = bigint & { readonly [kind]: 'money' }
/** Price of one unit, scaled by 10⁴. */
export type Price = bigint & { readonly [kind]: 'price' }
/** Whole units. */
export type Quantity = bigint & { readonly [kind]: 'quantity' }
/** A part of one, scaled by 10⁸: 0.1 is ten percent. */
export type Ratio = bigint & { readonly [kind]: 'ratio' }

const PRICE_PLACES = 4
const RATIO_PLACES = 8
const RATIO_ONE = 10n ** BigInt(RATIO_PLACES)

export const money = (text: string): Money => parseDecimal(text, PRICE_PLACES) as Money
export const price = (text: string): Price => parseDecimal(text, PRICE_PLACES) as Price
export const quantity = (text: string): Quantity => parseDecimal(text, 0) as Quantity
export const ratio = (text: string): Ratio => parseDecimal(text, RATIO_PLACES) as Ratio

export const formatMoney = (value: Money): string => formatDecimal(value, PRICE_PLACES)
export const formatPrice = (value: Price): string => formatDecimal(value, PRICE_PLACES)
export const formatQuantity = (value: Quantity): string => value.toString()
export const formatRatio = (value: Ratio): string => formatDecimal(value, RATIO_PLACES)

export const ZERO_MONEY = 0n as Money
export const ZERO_QUANTITY = 0n as Quantity
/** One won (or one unit of another account currency). */
export const ONE_UNIT = money('1')

export const addMoney = (left: Money, right: Money): Money => (left + right) as Money
export const subtractMoney = (left: Money, right: Money): Money => (left - right) as Money
export const negateMoney = (value: Money): Money => (0n - value) as Money
export const addQuantity = (left: Quantity, right: Quantity): Quantity => (left + right) as Quantity
export const subtractQuantity = (left: Quantity, right: Quantity): Quantity => (left - right) as Quantity
export const minQuantity = (left: Quantity, right: Quantity): Quantity => (left < right ? left : right)

/** price × quantity: unsigned when both are. Exact. */
export const notionalOf = (unit: Price, units: Quantity): Money => (unit * units) as Money

/** notional ÷ quantity, rounded to four places. `units` is positive. */
export const averagePriceOf = (notional: Money, units: Quantity, rounding: Rounding = 'halfUp'): Price =>
  divideRounded(notional, units, rounding) as Price

/** `part` of `whole`, rounded to `increment` (one won unless told otherwise). */
export function shareOf(whole: Money, part: Ratio, rounding: Rounding, increment: Money = ONE_UNIT): Money {
  return (divideRounded(whole * part, RATIO_ONE * increment, rounding) * increment) as Money
}

/** left ÷ right as a ratio, rounded down to eight places. `right` is positive. */
export const ratioOf = (left: Money, right: Money): Ratio =>
  divideRounded(left * RATIO_ONE, right, 'down') as Ratio

/** For statistics and indicators only: the nearest double. Never goes back into money. */
export const toNumber = (value: Price | Money): number => Number(value) / 10 ** PRICE_PLACES
