// What a fill costs besides its price. Charges belong to the order: they are counted on all it has traded, rounded once,
// and a fill bears what its order's total grew by. So they do not depend on how the broker cuts an order into fills.
import type { InstrumentKind, Market } from './instrument.ts'
import { sellTaxRatioOf } from './krx-rules.ts'
import type { Side } from './order.ts'
import type { SessionDate } from './time.ts'
import { type Money, type Ratio, ZERO_MONEY, shareOf, subtractMoney } from './values.ts'

export interface ChargedOrder {
  readonly side: Side
  readonly kind: InstrumentKind
  readonly market: Market
  /** The day it trades: rates change with it. */
  readonly date: SessionDate
  /** What the broker takes of the notional; agreed with each customer. */
  readonly feeRatio: Ratio
}

/** Both are what is paid: zero or more. */
export interface Charges {
  readonly fee: Money
  readonly tax: Money
}

/** All charges on an order that has traded `notional` in total, each cut to one won. Only sales are taxed. */
function totalCharges(order: ChargedOrder, notional: Money): Charges {
  return {
    fee: shareOf(notional, order.feeRatio, 'down'),
    tax:
      order.side === 'buy'
        ? ZERO_MONEY
        : shareOf(notional, sellTaxRatioOf(order.kind, order.market, order.date), 'down'),
  }
}

/**
 * The charges on the fill that took an order's traded notional from `notionalBefore` to `notionalAfter`.
 * @throws RangeError when the notional is negative or falls.
 */
export function chargesOn(order: ChargedOrder, notionalBefore: Money, notionalAfter: Money): Charges {
  if (notionalBefore < 0n || notionalAfter < notionalBefore) {
    throw new RangeError(`traded notional cannot go from ${notionalBefore} to ${notionalAfter}`)
  }
  const before = totalCharges(order, notionalBefore)
  const after = totalCharges(order, notionalAfter)
  return { fee: subtractMoney(after.fee, before.fee), tax: subtractMoney(after.tax, before.tax) }
}
