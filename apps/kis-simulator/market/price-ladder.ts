// Every price that an order may name on one day, lowest first, so that a walk moves in steps of the tick and never leaves
// the daily limits.
import type { Instrument } from '#shared/domain/instrument.ts'
import { priceLimitsOf, tickSizeOf } from '#shared/domain/krx-rules.ts'
import type { SessionDate } from '#shared/domain/time.ts'
import { type Price, toNumber } from '#shared/domain/values.ts'

export interface PriceLadder {
  readonly prices: readonly Price[]
  /** The same in won, for the walk only. */
  readonly won: Float64Array
}

export function priceLadder(instrument: Instrument, basePrice: Price, date: SessionDate): PriceLadder {
  const { kind, market } = instrument
  const { lower, upper } = priceLimitsOf(instrument, basePrice, date)
  const prices: Price[] = []
  for (let at = lower; at <= upper; at = (at + tickSizeOf(kind, at, date, market)) as Price) prices.push(at)
  return { prices, won: Float64Array.from(prices, toNumber) }
}

/** Index of the highest price at or below `won`; 0 when there is none. */
export function indexAtOrBelow({ won }: PriceLadder, at: number): number {
  let low = 0
  let high = won.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((won[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return Math.max(low - 1, 0)
}
