// The venue as the tape tells it: which day and phase it is, what is listed, and each instrument's book with our resting
// orders in it.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { type PriceLimits, isOnTick, priceLimitsOf } from '#shared/domain/krx-rules.ts'
import type { SessionPhase } from '#shared/domain/session.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'
import type { Depth, InstrumentEvent, MarketEvent, SessionOpened } from './market-event.ts'
import { type Matched, type Matching, emptyMatching, print, quote, uncross } from './matching.ts'
import type { Refusal } from './venue-order.ts'

export interface Listing {
  readonly instrument: Instrument
  readonly basePrice: Price
  readonly limits: PriceLimits
}

export class Venue {
  readonly #books = new Map<InstrumentId, Matching>()
  readonly #listings = new Map<InstrumentId, Listing>()
  /** Still waiting for their auction price. */
  readonly #inAuction = new Set<InstrumentId>()
  date: SessionDate | undefined
  phase: SessionPhase = 'closed'
  /** Whether today's session has begun: `closed` is before it or after it. */
  hasOpened = false
  now = 0 as Instant

  listing = (instrumentId: InstrumentId): Listing | undefined => this.#listings.get(instrumentId)
  listings = (): Iterable<Listing> => this.#listings.values()
  book = (instrumentId: InstrumentId): Matching => this.#books.get(instrumentId) ?? emptyMatching
  depth = (instrumentId: InstrumentId): Depth => this.book(instrumentId).depth
  isInAuction = (instrumentId: InstrumentId): boolean => this.#inAuction.has(instrumentId)

  setBook(instrumentId: InstrumentId, book: Matching): void {
    this.#books.set(instrumentId, book)
  }

  /** @throws RangeError when time goes back. */
  advance(event: MarketEvent): void {
    if (event.at < this.now) throw new RangeError(`market event at ${event.at} after ${this.now}`)
    this.now = event.at
  }

  open(event: SessionOpened): void {
    this.date = event.date
    this.hasOpened = false
    this.phase = 'openingAuction'
    this.#books.clear()
    this.#listings.clear()
    for (const instrument of event.instruments) {
      const { basePrice } = instrument
      const limits = priceLimitsOf(instrument, basePrice, event.date)
      this.#listings.set(instrument.id, { instrument, basePrice, limits })
      this.#inAuction.add(instrument.id)
    }
  }

  enterPhase(phase: SessionPhase): void {
    this.phase = phase
    this.hasOpened = true
    if (phase === 'closingAuction') for (const id of this.#listings.keys()) this.#inAuction.add(id)
  }

  /**
   * Matches what an event does to the orders of its instrument, one result a step: the print, then the book that came
   * with it. The caller stores each result before it asks for the next.
   */
  *match(event: InstrumentEvent): Generator<Matched> {
    const { instrumentId } = event
    if (event.kind === 'uncrossed' || this.phase === 'continuous') this.#inAuction.delete(instrumentId)
    if (event.kind === 'uncrossed') {
      yield uncross(this.book(instrumentId), event.price, event.quantity)
      return
    }
    const isAuction = this.#inAuction.has(instrumentId)
    if (event.kind === 'printed' && !isAuction) {
      yield print(this.book(instrumentId), event.price, event.quantity)
    }
    if (event.depth === undefined) return
    const book = this.book(instrumentId)
    yield isAuction ? { state: { ...book, depth: event.depth }, matches: [] } : quote(book, event.depth)
  }

  /** Follows an event without letting it touch our orders. */
  follow(event: InstrumentEvent): void {
    const { instrumentId } = event
    if (event.kind === 'uncrossed' || this.phase === 'continuous') this.#inAuction.delete(instrumentId)
    if (event.kind === 'uncrossed' || event.depth === undefined) return
    this.setBook(instrumentId, { ...this.book(instrumentId), depth: event.depth })
  }
}

/** What the venue has against an order's price, or against trading it at all. */
export function priceRefusal(
  limitPrice: Price | undefined,
  { instrument, limits }: Listing,
  date: SessionDate,
): Refusal | undefined {
  if (!instrument.isTradable) return 'notTradable'
  if (limitPrice === undefined) return undefined
  if (!isOnTick(instrument.kind, limitPrice, date, instrument.market)) return 'offTick'
  return limitPrice < limits.lower || limitPrice > limits.upper ? 'outsideLimits' : undefined
}
