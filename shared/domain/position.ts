// What fills do to a position and to cash, at average cost.
//
// P1. realizedPnl − openNotional = the sum of cashChangeOf over the fills of the position, exactly and at any time.
//     Rounding moves value between the two, never out of them.
// P2. A flat position has an openNotional of exactly zero.
// P3. openNotional has the sign of quantity, or is zero.
import type { Position } from './account.ts'
import { divideRounded } from './decimal.ts'
import type { InstrumentId } from './instrument.ts'
import { type Side, directionOf } from './order.ts'
import { type Money, type Price, type Quantity, ZERO_MONEY, averagePriceOf, negateMoney } from './values.ts'

/** An increment of one order in account currency. */
export interface PositionFill {
  readonly instrumentId: InstrumentId
  readonly side: Side
  /** Positive. */
  readonly quantity: Quantity
  /** price × quantity; unsigned. */
  readonly notional: Money
  readonly fee: Money
  readonly tax: Money
}

/** Thrown for a fill that cannot be one: no quantity, a negative notional, another instrument. */
export class FillError extends Error {
  override name = 'FillError'
}

const magnitudeOf = (value: bigint): bigint => (value < 0n ? -value : value)

/** `whole × part ÷ parts`, cut towards zero at four places; all of it, exactly, when `part` is `parts`. */
const portionOf = (whole: Money, part: bigint, parts: bigint): Money =>
  divideRounded(whole * part, parts, 'down') as Money

/**
 * The position after a fill. Opening adds to openNotional; closing releases it in proportion to the quantity closed, the
 * release cut towards zero at four places, and realizes the difference. A fill that crosses zero closes all that was open
 * with its share of the notional (cut the same way) and opens the other side with the rest. Fee and tax are realized at
 * once. `undefined` is a position that never was.
 * @throws FillError
 */
export function applyFill(position: Position | undefined, fill: PositionFill): Position {
  checkFill(position, fill)
  const before = position?.quantity ?? 0n
  const direction = directionOf(fill.side)
  const open = position?.openNotional ?? ZERO_MONEY
  const charged = (position?.realizedPnl ?? 0n) - fill.fee - fill.tax

  const held = magnitudeOf(before)
  const closes = before * direction >= 0n ? 0n : held < fill.quantity ? held : fill.quantity
  const closing = portionOf(fill.notional, closes, fill.quantity)
  const opening = fill.notional - closing
  const released = closes === 0n ? 0n : portionOf(open, closes, held)
  return {
    instrumentId: fill.instrumentId,
    quantity: before + direction * fill.quantity,
    openNotional: (open - released + direction * opening) as Money,
    realizedPnl: (charged - direction * closing - released) as Money,
  }
}

function checkFill(position: Position | undefined, fill: PositionFill): void {
  if (fill.quantity <= 0n) throw new FillError(`fill of ${fill.instrumentId} has quantity ${fill.quantity}`)
  if (fill.notional < 0n) throw new FillError(`fill of ${fill.instrumentId} has notional ${fill.notional}`)
  if (position !== undefined && position.instrumentId !== fill.instrumentId) {
    throw new FillError(`fill of ${fill.instrumentId} on a position in ${position.instrumentId}`)
  }
}

/** What a fill does to cash: a buy takes notional and fee, a sell brings notional less fee and tax. Negative takes. */
export function cashChangeOf(fill: PositionFill): Money {
  const traded = fill.side === 'buy' ? negateMoney(fill.notional) : fill.notional
  return (traded - fill.fee - fill.tax) as Money
}

/** What one unit of the open quantity cost, fees not included, rounded half up to four places; `undefined` when flat. */
export function averagePriceOfPosition(position: Position): Price | undefined {
  if (position.quantity === 0n) return undefined
  return averagePriceOf(
    magnitudeOf(position.openNotional) as Money,
    magnitudeOf(position.quantity) as Quantity,
  )
}
