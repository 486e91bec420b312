// Our orders against a market that does not know of them, one instrument at a time. Pure: every step returns the next
// state and what it matched; nothing happens to the state it was given.
//
// M1. Price, then time: of our orders on one side the better price is served first, at equal prices the earlier one.
//     A market order comes before every limit order.
// M2. An incoming order takes the displayed levels of the other side, best first, at their prices, as far as its limit
//     allows. What it took stays taken while the level is displayed, until prints at that price have made up for it.
//     At one price the displayed quantity comes before our own resting orders; those trade at their own limit.
// M3. A resting order fills when the tape prints beyond its limit, or at its limit once the quantity that was displayed
//     there when it came (its queue) has printed or left the book. It fills at its own limit: it was there first.
//     A queue that could not be seen at entry counts as endless until the level is displayed.
// M4. Against one print our fills on one side never exceed the printed quantity.
// M5. A resting order that the other side's displayed levels reach takes them at its own limit.
// M6. In a call auction orders rest; the auction fills what its price allows, at its price, up to its quantity a side.
// M7. `ioc` cancels what does not match at once; `fok` matches all at once or nothing.
import type { BookLevel } from '#shared/domain/market-data.ts'
import type { Side, TimeInForce } from '#shared/domain/order.ts'
import { oppositeOf } from '#shared/domain/order.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'
import { ZERO_QUANTITY, minQuantity, subtractQuantity } from '#shared/domain/values.ts'
import type { Depth } from './market-event.ts'

export interface RestingOrder {
  readonly orderId: string
  readonly side: Side
  /** Absent for a market order. */
  readonly limitPrice?: Price
  readonly remaining: Quantity
  /** Entry order: lower came first. */
  readonly priority: number
  /** Of others, at our price, before us (M3). */
  readonly queueAhead: Quantity
}

export interface Match {
  readonly orderId: string
  readonly price: Price
  readonly quantity: Quantity
}

type Taken = ReadonlyMap<Price, Quantity>
const NOTHING_TAKEN: Taken = new Map()
const NO_DEPTH: Depth = { asks: [], bids: [] }
/** Longer than any queue. */
const UNSEEN = (1n << 62n) as Quantity

/** One side of our orders is in the order of M1. */
export interface Matching {
  readonly depth: Depth
  /** What our orders took of the displayed levels of each side (M2). */
  readonly takenAsks: Taken
  readonly takenBids: Taken
  readonly buys: readonly RestingOrder[]
  readonly sells: readonly RestingOrder[]
}

export interface Matched {
  readonly state: Matching
  readonly matches: readonly Match[]
}

export const emptyMatching: Matching = {
  depth: NO_DEPTH,
  takenAsks: NOTHING_TAKEN,
  takenBids: NOTHING_TAKEN,
  buys: [],
  sells: [],
}

const ordersOn = (state: Matching, side: Side): readonly RestingOrder[] =>
  side === 'buy' ? state.buys : state.sells

const withOrders = (state: Matching, side: Side, orders: readonly RestingOrder[]): Matching =>
  side === 'buy' ? { ...state, buys: orders } : { ...state, sells: orders }

const levelsOn = (depth: Depth, side: Side): readonly BookLevel[] =>
  side === 'buy' ? depth.bids : depth.asks

/** Whether `price` is at least as good for a trader on `side` as `limit`; everything is for a market order. */
const reaches = (side: Side, limit: Price | undefined, price: Price): boolean =>
  limit === undefined || (side === 'buy' ? price <= limit : price >= limit)

function comesBefore(left: RestingOrder, right: RestingOrder): boolean {
  const a = left.limitPrice
  const b = right.limitPrice
  if (a === b) return left.priority < right.priority
  if (a === undefined || b === undefined) return a === undefined
  return left.side === 'buy' ? a > b : a < b
}

function rest(state: Matching, order: RestingOrder): Matching {
  const orders = ordersOn(state, order.side)
  let low = 0
  let high = orders.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = orders[middle]
    if (other !== undefined && comesBefore(other, order)) low = middle + 1
    else high = middle
  }
  return withOrders(state, order.side, orders.toSpliced(low, 0, order))
}

/** Displayed at a price; `undefined` where the book does not reach that deep. */
function displayedAt(levels: readonly BookLevel[], side: Side, price: Price): Quantity | undefined {
  for (const level of levels) {
    if (level.price === price) return level.quantity
    if (side === 'buy' ? level.price < price : level.price > price) return ZERO_QUANTITY
  }
  return levels.length === 0 ? ZERO_QUANTITY : undefined
}

const queueAt = (state: Matching, side: Side, limitPrice: Price | undefined): Quantity =>
  limitPrice === undefined
    ? ZERO_QUANTITY
    : (displayedAt(levelsOn(state.depth, side), side, limitPrice) ?? UNSEEN)

interface Offer {
  readonly price: Price
  readonly quantity: Quantity
  /** One of our own orders; absent for a displayed level. */
  readonly orderId?: string
}

/** What an order on `side` could take now within its limit, best first, displayed before ours at one price (M2). */
function* offersTo(state: Matching, side: Side, limit: Price | undefined): Generator<Offer> {
  const other = oppositeOf(side)
  const taken = other === 'sell' ? state.takenAsks : state.takenBids
  const own = ordersOn(state, other).filter((order) => order.limitPrice !== undefined)
  let next = 0
  const ownUpTo = function* (price: Price | undefined): Generator<Offer> {
    for (let order = own[next]; order?.limitPrice !== undefined; order = own[next]) {
      const better =
        price === undefined || (side === 'buy' ? order.limitPrice < price : order.limitPrice > price)
      if (!better || !reaches(side, limit, order.limitPrice)) return
      yield { price: order.limitPrice, quantity: order.remaining, orderId: order.orderId }
      next += 1
    }
  }
  for (const level of levelsOn(state.depth, other)) {
    yield* ownUpTo(level.price)
    if (!reaches(side, limit, level.price)) break
    const left = level.quantity - (taken.get(level.price) ?? 0n)
    if (left > 0n) yield { price: level.price, quantity: left as Quantity }
  }
  yield* ownUpTo(undefined)
}

function addTaken(state: Matching, side: Side, price: Price, quantity: Quantity): Matching {
  const taken = new Map(side === 'sell' ? state.takenAsks : state.takenBids)
  taken.set(price, ((taken.get(price) ?? 0n) + quantity) as Quantity)
  return side === 'sell' ? { ...state, takenAsks: taken } : { ...state, takenBids: taken }
}

/** Takes from an order what it traded; an order with nothing left is gone. */
function reduce(state: Matching, side: Side, orderId: string, by: Quantity): Matching {
  const orders = ordersOn(state, side).flatMap((order) => {
    if (order.orderId !== orderId) return [order]
    return order.remaining > by ? [{ ...order, remaining: subtractQuantity(order.remaining, by) }] : []
  })
  return withOrders(state, side, orders)
}

/** Lets an order take what it can reach. `at` is its own price where it was there first (M5). */
function take(state: Matching, order: RestingOrder, at: Price | undefined): Matched & { left: Quantity } {
  const matches: Match[] = []
  let next = state
  let left = order.remaining
  const other = oppositeOf(order.side)
  for (const offer of offersTo(state, order.side, order.limitPrice)) {
    if (left === 0n) break
    if (at !== undefined && offer.orderId !== undefined) continue
    const quantity = minQuantity(left, offer.quantity)
    const price = at ?? offer.price
    matches.push({ orderId: order.orderId, price, quantity })
    if (offer.orderId === undefined) next = addTaken(next, other, offer.price, quantity)
    else {
      matches.push({ orderId: offer.orderId, price, quantity })
      next = reduce(next, other, offer.orderId, quantity)
    }
    left = subtractQuantity(left, quantity)
  }
  return { state: next, matches, left }
}

export interface IncomingOrder {
  readonly orderId: string
  readonly side: Side
  readonly limitPrice?: Price
  readonly quantity: Quantity
  readonly timeInForce: TimeInForce
  readonly priority: number
}

/** `killed` is what IOC or FOK canceled (M7). */
export interface Entered extends Matched {
  readonly killed: Quantity
}

/** An order arrives. In a call auction it only rests (M6). */
export function enter(state: Matching, order: IncomingOrder, isAuction: boolean): Entered {
  const { orderId, side, priority } = order
  const limit = order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }
  const queueAhead = isAuction ? ZERO_QUANTITY : queueAt(state, side, order.limitPrice)
  const resting: RestingOrder = { orderId, side, ...limit, remaining: order.quantity, priority, queueAhead }
  if (isAuction) return { state: rest(state, resting), matches: [], killed: ZERO_QUANTITY }

  const taken = take(state, resting, undefined)
  if (order.timeInForce === 'fok' && taken.left > 0n) return { state, matches: [], killed: order.quantity }
  if (taken.left === 0n || order.timeInForce !== 'day') {
    return { state: taken.state, matches: taken.matches, killed: taken.left }
  }
  const left = rest(taken.state, { ...resting, remaining: taken.left })
  return { state: left, matches: taken.matches, killed: ZERO_QUANTITY }
}

/** Puts an order back as it was, after a restart. */
export const restore = (state: Matching, order: RestingOrder): Matching => rest(state, order)

/** Takes an order out; the state itself when it is not there. */
export function withdraw(state: Matching, side: Side, orderId: string): Matching {
  const orders = ordersOn(state, side)
  const index = orders.findIndex((order) => order.orderId === orderId)
  return index < 0 ? state : withOrders(state, side, orders.toSpliced(index, 1))
}

/** Leaves an order its place with less to fill. `remaining` is positive and not above what it has. */
export const shrink = (state: Matching, side: Side, orderId: string, remaining: Quantity): Matching =>
  withOrders(
    state,
    side,
    ordersOn(state, side).map((order) => (order.orderId === orderId ? { ...order, remaining } : order)),
  )

function printOn(
  orders: readonly RestingOrder[],
  side: Side,
  price: Price,
  printed: Quantity,
): { readonly orders: readonly RestingOrder[]; readonly matches: readonly Match[] } | undefined {
  const first = orders[0]
  if (first === undefined || !reaches(side, first.limitPrice, price)) return undefined
  const matches: Match[] = []
  const next: RestingOrder[] = []
  let used = 0n
  for (const order of orders) {
    if (!reaches(side, order.limitPrice, price)) {
      next.push(order)
      continue
    }
    const ahead = order.limitPrice === price ? order.queueAhead : 0n
    const free = printed - used - ahead
    const quantity = (free <= 0n ? 0n : free < order.remaining ? free : order.remaining) as Quantity
    used += quantity
    const queueAhead = (ahead === UNSEEN ? UNSEEN : ahead > printed ? ahead - printed : 0n) as Quantity
    if (quantity > 0n) matches.push({ orderId: order.orderId, price: order.limitPrice ?? price, quantity })
    if (quantity < order.remaining) {
      next.push({ ...order, remaining: subtractQuantity(order.remaining, quantity), queueAhead })
    }
  }
  return { orders: next, matches }
}

/** Prints at a price give back what we had taken there (M2). */
function restoreTaken(taken: Taken, price: Price, printed: Quantity): Taken {
  const held = taken.get(price)
  if (held === undefined) return taken
  const next = new Map(taken)
  if (held > printed) next.set(price, subtractQuantity(held, printed))
  else next.delete(price)
  return next
}

/** The tape prints (M3, M4). */
export function print(state: Matching, price: Price, printed: Quantity): Matched {
  const buys = printOn(state.buys, 'buy', price, printed)
  const sells = printOn(state.sells, 'sell', price, printed)
  const takenAsks = restoreTaken(state.takenAsks, price, printed)
  const takenBids = restoreTaken(state.takenBids, price, printed)
  if (!buys && !sells && takenAsks === state.takenAsks && takenBids === state.takenBids) {
    return { state, matches: [] }
  }
  return {
    state: {
      ...state,
      buys: buys?.orders ?? state.buys,
      sells: sells?.orders ?? state.sells,
      takenAsks,
      takenBids,
    },
    matches: [...(buys?.matches ?? []), ...(sells?.matches ?? [])],
  }
}

function stillTaken(taken: Taken, levels: readonly BookLevel[]): Taken {
  if (taken.size === 0) return taken
  return new Map(
    levels.flatMap(({ price }) => {
      const held = taken.get(price)
      return held === undefined ? [] : [[price, held] as const]
    }),
  )
}

function shortenQueues(orders: readonly RestingOrder[], levels: readonly BookLevel[], side: Side) {
  if (!orders.some((order) => order.queueAhead > 0n)) return orders
  return orders.map((order) => {
    if (order.limitPrice === undefined || order.queueAhead === 0n) return order
    const displayed = displayedAt(levels, side, order.limitPrice)
    if (displayed === undefined || displayed >= order.queueAhead) return order
    return { ...order, queueAhead: displayed }
  })
}

/** The book changes (M2, M3, M5). */
export function quote(state: Matching, depth: Depth): Matched {
  if (state.buys.length === 0 && state.sells.length === 0 && !state.takenAsks.size && !state.takenBids.size) {
    return { state: { ...state, depth }, matches: [] }
  }
  let next: Matching = {
    depth,
    takenAsks: stillTaken(state.takenAsks, depth.asks),
    takenBids: stillTaken(state.takenBids, depth.bids),
    buys: shortenQueues(state.buys, depth.bids, 'buy'),
    sells: shortenQueues(state.sells, depth.asks, 'sell'),
  }
  const matches: Match[] = []
  for (const side of ['buy', 'sell'] as const) {
    const best = levelsOn(depth, oppositeOf(side))[0]
    if (best === undefined) continue
    for (const order of ordersOn(next, side)) {
      if (!reaches(side, order.limitPrice, best.price)) break
      const taken = take(next, order, order.limitPrice)
      matches.push(...taken.matches)
      next = reduce(taken.state, side, order.orderId, subtractQuantity(order.remaining, taken.left))
    }
  }
  return { state: next, matches }
}

/** The auction of an instrument came to a price (M6). */
export function uncross(state: Matching, price: Price, printed: Quantity): Matched {
  const matches: Match[] = []
  let next = state
  for (const side of ['buy', 'sell'] as const) {
    let left = printed
    for (const order of ordersOn(next, side)) {
      if (left === 0n || !reaches(side, order.limitPrice, price)) break
      const quantity = minQuantity(left, order.remaining)
      matches.push({ orderId: order.orderId, price, quantity })
      left = subtractQuantity(left, quantity)
      next = reduce(next, side, order.orderId, quantity)
    }
  }
  return { state: next, matches }
}
