// A broker and its venue: admits orders, matches them against the tape, keeps the books. No I/O, no clock: time comes with
// each event, and an order is entered at the time of the last one. It is the one mutable object of the simulation; each
// step says what it changed.
//
// X1. Every row keeps the sum stated in venue-order.ts; filled quantities of one instrument never exceed the tape (M4).
// X2. A working buy holds its remaining notional and the fee on it; a market buy is held at the upper daily limit.
// X3. Order numbers only grow, also across days and restarts.
// X4. An amended order is a new order that charges run on for; the old number is dead for what moved to it.
// X5. At the close every working order expires.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { OrderType, Side, TimeInForce } from '#shared/domain/order.ts'
import type { SessionDate } from '#shared/domain/time.ts'
import {
  type Money,
  type Price,
  type Quantity,
  type Ratio,
  ZERO_QUANTITY,
  addMoney,
  addQuantity,
  minQuantity,
  notionalOf,
  subtractQuantity,
} from '#shared/domain/values.ts'
import { applyTrade, heldQuantity } from './broker-account.ts'
import {
  type ExchangeMemory,
  ExchangeRecord,
  type Step,
  tradedNotional,
  untraded,
} from './exchange-record.ts'
import type { MarketEvent } from './market-event.ts'
import {
  type Match,
  type Matched,
  type RestingOrder,
  emptyMatching,
  enter,
  restore,
  shrink,
  withdraw,
} from './matching.ts'
import { type Listing, Venue, priceRefusal } from './venue.ts'
import type { Refusal, VenueOrder } from './venue-order.ts'

export interface NewOrder {
  readonly accountNumber: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  readonly typeCode: string
  readonly quantity: Quantity
  /** Present for `limit`. */
  readonly limitPrice?: Price
}

/** Which order a change is about. */
export interface ChangeTarget {
  readonly accountNumber: string
  readonly orderNumber: number
  readonly typeCode: string
}

export type Entry =
  | { readonly outcome: 'taken'; readonly order: VenueOrder; readonly step: Step }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

export interface ExchangeOptions {
  readonly accounts: readonly { readonly accountNumber: string; readonly cash: Money }[]
  readonly feeRatio: Ratio
  /**
   * Where the broker leaves price and suspension to the venue: such an order is taken and then rejected by a notice.
   * Otherwise it is refused on entry.
   */
  readonly venueRejects: boolean
}

const refused = (refusal: Refusal): Entry => ({ outcome: 'refused', refusal })

export class Exchange {
  readonly record: ExchangeRecord
  readonly venue = new Venue()
  readonly #feeRatio: Ratio
  readonly #venueRejects: boolean

  constructor(options: ExchangeOptions) {
    this.record = new ExchangeRecord(options.accounts, options.feeRatio)
    this.#feeRatio = options.feeRatio
    this.#venueRejects = options.venueRejects
  }

  /**
   * Takes up where another left off. Then `replay` the tape to the same place and `resume`, before anything else.
   */
  remember(memory: ExchangeMemory): void {
    this.record.remember(memory)
  }

  /** Follows the market without letting it touch orders: their fills are remembered already. */
  replay(event: MarketEvent): void {
    this.venue.advance(event)
    if (event.kind === 'sessionOpened') this.venue.open(event)
    else if (event.kind === 'phaseChanged') this.venue.enterPhase(event.phase)
    else this.venue.follow(event)
  }

  /** After the last `replay`: puts the remembered working orders back into their books. */
  resume(): void {
    for (const order of this.record.allWorking()) {
      const book = this.venue.book(order.instrumentId)
      this.venue.setBook(order.instrumentId, restore(book, restingOf(order)))
    }
  }

  /** The market moves on. @throws RangeError when time goes back. */
  apply(event: MarketEvent): Step {
    this.venue.advance(event)
    if (event.kind === 'sessionOpened') {
      this.#expireAll()
      this.venue.open(event)
    } else if (event.kind === 'phaseChanged') {
      this.venue.enterPhase(event.phase)
      if (event.phase === 'closed') this.#expireAll()
    } else {
      for (const matched of this.venue.match(event)) this.#settle(event.instrumentId, matched)
    }
    return this.record.finish()
  }

  submit(request: NewOrder): Entry {
    const listing = this.venue.listing(request.instrumentId)
    const { date } = this.venue
    const refusal = this.#admit(request, listing, date)
    if (refusal !== undefined) return refused(refusal)
    if (listing === undefined || date === undefined) return refused('instrumentUnknown')
    const order = this.record.put(this.#newRow(request, listing, date))
    this.record.say('accepted', order, this.venue.now, order.quantity)
    if (priceRefusal(request.limitPrice, listing, date) === undefined) this.#work(order)
    else this.#reject(order)
    return { outcome: 'taken', order, step: this.record.finish() }
  }

  /** Changes `quantity` (all that remains when absent) of an order to a new price. It keeps its place at an equal one. */
  amend(target: ChangeTarget, to: { readonly quantity?: Quantity; readonly limitPrice: Price }): Entry {
    const found = this.#changeable(target, to.quantity)
    if (typeof found === 'string') return refused(found)
    const { order, quantity, listing, date } = found
    const bad = priceRefusal(to.limitPrice, listing, date)
    if (bad !== undefined) return refused(bad)
    const { accountNumber, side, reservedPrice } = order
    const held = this.record.reserveFor({ side }, reservedPrice, quantity)
    const more = this.record.reserveFor({ side }, to.limitPrice, quantity) - held
    if (more > 0n && more > this.record.freeCash(accountNumber)) return refused('cashInsufficient')

    const keepsPlace = order.limitPrice === to.limitPrice && quantity === order.remaining
    this.#withdraw(order, quantity)
    const moved = addQuantity(order.moved, quantity)
    this.record.put({ ...order, moved, remaining: subtractQuantity(order.remaining, quantity) })
    const { typeCode } = target
    const wanted = { ...order, orderType: 'limit' as const, limitPrice: to.limitPrice, quantity, typeCode }
    const next = this.record.put({
      ...this.#newRow(wanted, listing, date),
      originalNumber: order.orderNumber,
      change: 'amend',
      earlierNotional: tradedNotional(order),
      ...(keepsPlace ? { priority: order.priority } : {}),
    })
    this.record.say('amendReceived', next, this.venue.now, quantity)
    this.record.say('amended', next, this.venue.now, quantity)
    this.#work(next)
    return { outcome: 'taken', order: next, step: this.record.finish() }
  }

  /** Cancels `quantity` of an order, all that remains when absent. */
  cancel(target: ChangeTarget, wanted?: Quantity): Entry {
    const found = this.#changeable(target, wanted)
    if (typeof found === 'string') return refused(found)
    const { order, quantity, listing, date } = found
    this.#withdraw(order, quantity)
    const canceled = addQuantity(order.canceled, quantity)
    this.record.put({ ...order, canceled, remaining: subtractQuantity(order.remaining, quantity) })
    const row = this.record.put({
      ...this.#newRow({ ...order, quantity, typeCode: target.typeCode }, listing, date),
      originalNumber: order.orderNumber,
      change: 'cancel',
      remaining: ZERO_QUANTITY,
    })
    this.record.say('cancelReceived', row, this.venue.now, quantity)
    this.record.say('canceled', row, this.venue.now, quantity)
    return { outcome: 'taken', order: row, step: this.record.finish() }
  }

  #admit(
    request: NewOrder,
    listing: Listing | undefined,
    date: SessionDate | undefined,
  ): Refusal | undefined {
    const { accountNumber, instrumentId, quantity, side, timeInForce } = request
    if (quantity <= 0n) return 'quantityNotPositive'
    if (this.venue.phase === 'closed') return this.venue.hasOpened ? 'sessionClosed' : 'sessionNotOpen'
    if (listing === undefined || date === undefined) return 'instrumentUnknown'
    if (this.venue.phase !== 'continuous' && timeInForce !== 'day') return 'typeNotAllowed'
    const bad = priceRefusal(request.limitPrice, listing, date)
    if (bad !== undefined && !this.#venueRejects) return bad
    if (side === 'buy') {
      const held = this.record.reserveFor(request, request.limitPrice ?? listing.limits.upper, quantity)
      return held > this.record.freeCash(accountNumber) ? 'cashInsufficient' : undefined
    }
    const account = this.record.account(accountNumber)
    if (account === undefined || heldQuantity(account, instrumentId) === 0n) return 'holdingNone'
    const free = this.record.freeQuantity(accountNumber, instrumentId)
    return quantity > free ? 'holdingInsufficient' : undefined
  }

  #changeable(target: ChangeTarget, wanted?: Quantity) {
    const order = this.record.order(target.orderNumber)
    const { date, hasOpened, phase } = this.venue
    if (order?.accountNumber !== target.accountNumber) return 'orderUnknown'
    if (order.remaining === 0n) return 'nothingRemains'
    if (phase === 'closed') return hasOpened ? 'sessionClosed' : 'sessionNotOpen'
    const listing = this.venue.listing(order.instrumentId)
    if (listing === undefined || date === undefined) return 'instrumentUnknown'
    if (wanted !== undefined && wanted <= 0n) return 'quantityNotPositive'
    if (wanted !== undefined && wanted > order.remaining) return 'quantityOverRemaining'
    return { order, quantity: wanted ?? order.remaining, listing, date }
  }

  #newRow(request: NewOrder, listing: Listing, date: SessionDate): VenueOrder {
    const { accountNumber, instrumentId, side, orderType, timeInForce, typeCode, quantity } = request
    const orderNumber = this.record.nextNumber()
    return {
      ...untraded,
      orderNumber,
      accountNumber,
      instrumentId,
      side,
      orderType,
      timeInForce,
      typeCode,
      quantity,
      date,
      ...(request.limitPrice === undefined ? {} : { limitPrice: request.limitPrice }),
      reservedPrice: request.limitPrice ?? listing.limits.upper,
      remaining: quantity,
      enteredTime: this.venue.now,
      priority: orderNumber,
    }
  }

  #settle(instrumentId: InstrumentId, matched: Matched): void {
    const before = this.venue.book(instrumentId)
    this.venue.setBook(instrumentId, matched.state)
    for (const match of matched.matches) this.#fill(match)
    // Queues are part of a row, so that a restart keeps an order's place.
    if (before.buys !== matched.state.buys) this.#keepQueues(matched.state.buys)
    if (before.sells !== matched.state.sells) this.#keepQueues(matched.state.sells)
  }

  #keepQueues(resting: readonly RestingOrder[]): void {
    for (const { orderId, queueAhead } of resting) {
      const order = this.record.order(Number(orderId))
      if (order !== undefined && order.queueAhead !== queueAhead) this.record.put({ ...order, queueAhead })
    }
  }

  #fill({ orderId, price, quantity }: Match): void {
    const order = this.record.order(Number(orderId))
    const account = order && this.record.account(order.accountNumber)
    const instrument = order && this.venue.listing(order.instrumentId)?.instrument
    if (!order || !account || !instrument) throw new RangeError(`match of unknown order ${orderId}`)
    const notionalBefore = tradedNotional(order)
    const trade = { instrument, side: order.side, date: order.date, price, quantity, notionalBefore }
    this.record.putAccount(applyTrade(account, trade, this.#feeRatio).account)
    const row = this.record.put({
      ...order,
      filled: addQuantity(order.filled, quantity),
      fills: order.fills + 1,
      filledNotional: addMoney(order.filledNotional, notionalOf(price, quantity)),
      remaining: subtractQuantity(order.remaining, quantity),
    })
    this.record.say('filled', row, this.venue.now, quantity, price)
  }

  #reject(order: VenueOrder): void {
    const row = this.record.put({ ...order, rejected: order.quantity, remaining: ZERO_QUANTITY })
    this.record.say('rejected', row, this.venue.now, order.quantity)
  }

  /** Sends an accepted order into its book. */
  #work(order: VenueOrder): void {
    const { instrumentId, side, timeInForce, priority, limitPrice } = order
    const incoming = {
      orderId: String(order.orderNumber),
      side,
      quantity: order.remaining,
      timeInForce,
      priority,
      ...(limitPrice === undefined ? {} : { limitPrice }),
    }
    const entered = enter(this.venue.book(instrumentId), incoming, this.venue.isInAuction(instrumentId))
    this.#settle(instrumentId, entered)
    if (entered.killed === 0n) return
    const row = this.record.order(order.orderNumber) ?? order
    const killed = minQuantity(entered.killed, row.remaining)
    const ended = this.record.put({
      ...row,
      canceled: addQuantity(row.canceled, killed),
      remaining: subtractQuantity(row.remaining, killed),
    })
    this.record.say('killed', ended, this.venue.now, killed)
  }

  #withdraw(order: VenueOrder, quantity: Quantity): void {
    const { instrumentId, side } = order
    const orderId = String(order.orderNumber)
    const book = this.venue.book(instrumentId)
    if (book === emptyMatching) return
    const left = subtractQuantity(order.remaining, quantity)
    const next = left === 0n ? withdraw(book, side, orderId) : shrink(book, side, orderId, left)
    this.venue.setBook(instrumentId, next)
  }

  #expireAll(): void {
    for (const order of this.record.allWorking()) {
      this.#withdraw(order, order.remaining)
      this.record.put({ ...order, expired: order.remaining, remaining: ZERO_QUANTITY })
    }
  }
}

const restingOf = (order: VenueOrder): RestingOrder => ({
  orderId: String(order.orderNumber),
  side: order.side,
  ...(order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }),
  remaining: order.remaining,
  priority: order.priority,
  queueAhead: order.queueAhead,
})

export type { ExchangeMemory, Step } from './exchange-record.ts'
export type { Listing } from './venue.ts'
