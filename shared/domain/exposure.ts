// What an account has at stake: read-only questions about a snapshot. Where a price is missing the answer is
// `undefined`, so that a check on it denies.
import type { AccountSnapshot, Position, Reservation } from './account.ts'
import type { InstrumentId } from './instrument.ts'
import { type Side, directionOf } from './order.ts'
import {
  type Money,
  type Price,
  type Quantity,
  ZERO_MONEY,
  ZERO_QUANTITY,
  addMoney,
  addQuantity,
  notionalOf,
  subtractMoney,
} from './values.ts'

export type LastPriceOf = (id: InstrumentId) => Price | undefined

/** The order that a question is about. Its own reservation, if it has one already, is never counted against it. */
export interface OrderAtHand {
  readonly clientOrderId?: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly quantity: Quantity
}

/** `undefined` for an instrument that was never held; a flat position may be there or not. */
export const positionOf = (snapshot: AccountSnapshot, id: InstrumentId): Position | undefined =>
  snapshot.positions.find((position) => position.instrumentId === id)

const netQuantityOf = (snapshot: AccountSnapshot, id: InstrumentId): bigint =>
  positionOf(snapshot, id)?.quantity ?? 0n

const reservationsOn = (snapshot: AccountSnapshot, id: InstrumentId, side: Side): readonly Reservation[] =>
  snapshot.reservations.filter((held) => held.instrumentId === id && held.side === side)

const remainingOf = (reservations: readonly Reservation[]): Quantity =>
  reservations.reduce((sum, held) => addQuantity(sum, held.remainingQuantity), ZERO_QUANTITY)

/** What orders of one side may still fill, approved ones that have not reached the broker included. */
export const workingQuantity = (snapshot: AccountSnapshot, id: InstrumentId, side: Side): Quantity =>
  remainingOf(reservationsOn(snapshot, id, side))

/** Cash that no order holds. Negative when more is reserved than there is. */
export const availableCash = (snapshot: AccountSnapshot): Money =>
  snapshot.reservations.reduce((cash, held) => subtractMoney(cash, held.cash), snapshot.cash)

/** Cash plus the market value of all positions, a short one negative. `undefined` when a held instrument has no price. */
export function equityOf(snapshot: AccountSnapshot, lastPriceOf: LastPriceOf): Money | undefined {
  let equity = snapshot.cash
  for (const { instrumentId, quantity } of snapshot.positions) {
    if (quantity === 0n) continue
    const last = lastPriceOf(instrumentId)
    if (last === undefined) return undefined
    equity = addMoney(equity, notionalOf(last, quantity as Quantity))
  }
  return equity
}

/**
 * True when the order, filled in part or whole after every working order of its side, could only bring the open position
 * nearer to zero and never through it.
 */
export function reducesPosition(snapshot: AccountSnapshot, order: OrderAtHand): boolean {
  if (order.quantity <= 0n) return false
  const closable = -directionOf(order.side) * netQuantityOf(snapshot, order.instrumentId)
  const others = reservationsOn(snapshot, order.instrumentId, order.side).filter(
    (held) => held.clientOrderId !== order.clientOrderId,
  )
  return remainingOf(others) + order.quantity <= closable
}

/**
 * The largest notional that one instrument can come to, unsigned: the position at `last` and the working orders that add
 * to it, each at its reserved price or `last`, whichever is more. Orders of the other side count only as far as they
 * could carry the position through zero to something larger.
 */
export function notionalOfInstrument(snapshot: AccountSnapshot, id: InstrumentId, last: Price): Money {
  const long = notionalOfSide(snapshot, id, 'buy', last)
  const short = notionalOfSide(snapshot, id, 'sell', last)
  return long > short ? long : short
}

function notionalOfSide(snapshot: AccountSnapshot, id: InstrumentId, side: Side, last: Price): Money {
  const held = directionOf(side) * netQuantityOf(snapshot, id)
  const orders = reservationsOn(snapshot, id, side)
  if (held >= 0n) {
    return orders.reduce(
      (sum, order) => addMoney(sum, notionalOf(dearer(order.reservedPrice, last), order.remainingQuantity)),
      notionalOf(last, held as Quantity),
    )
  }
  const beyond = remainingOf(orders) + held
  if (beyond <= 0n) return ZERO_MONEY
  const dearest = orders.reduce((highest, order) => dearer(highest, order.reservedPrice), last)
  return notionalOf(dearest, beyond as Quantity)
}

const dearer = (left: Price, right: Price): Price => (left > right ? left : right)

/** Sum of notionalOfInstrument over all that is held or on order. `undefined` when one of them has no price. */
export function grossExposure(snapshot: AccountSnapshot, lastPriceOf: LastPriceOf): Money | undefined {
  const ids = new Set<InstrumentId>()
  for (const { instrumentId, quantity } of snapshot.positions) if (quantity !== 0n) ids.add(instrumentId)
  for (const { instrumentId } of snapshot.reservations) ids.add(instrumentId)

  let gross = ZERO_MONEY
  for (const id of ids) {
    const last = lastPriceOf(id)
    if (last === undefined) return undefined
    gross = addMoney(gross, notionalOfInstrument(snapshot, id, last))
  }
  return gross
}
