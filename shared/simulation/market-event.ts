// What a market does, in the order it does it. A tape is a sequence of these; times never go back.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import type { Aggressor, BookLevel } from '#shared/domain/market-data.ts'
import type { SessionPhase } from '#shared/domain/session.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'

/** Best first on both sides; a level without a quantity is absent. */
export interface Depth {
  readonly asks: readonly BookLevel[]
  readonly bids: readonly BookLevel[]
}

/** First event of a day. Every instrument carries the base price that it has on this day. */
export interface SessionOpened {
  readonly kind: 'sessionOpened'
  readonly at: Instant
  readonly date: SessionDate
  readonly instruments: readonly (Instrument & { readonly basePrice: Price })[]
}

export interface PhaseChanged {
  readonly kind: 'phaseChanged'
  readonly at: Instant
  readonly phase: SessionPhase
}

/** A trade of others in continuous trading, with the order book as it stands after it where that is known. */
export interface Printed {
  readonly kind: 'printed'
  readonly at: Instant
  readonly instrumentId: InstrumentId
  readonly price: Price
  readonly quantity: Quantity
  readonly aggressor: Aggressor
  readonly depth?: Depth
}

export interface Quoted {
  readonly kind: 'quoted'
  readonly at: Instant
  readonly instrumentId: InstrumentId
  readonly depth: Depth
}

/** A call auction came to a price. Quantity zero: nobody met anybody, the price is only the new reference. */
export interface Uncrossed {
  readonly kind: 'uncrossed'
  readonly at: Instant
  readonly instrumentId: InstrumentId
  readonly price: Price
  readonly quantity: Quantity
}

export type InstrumentEvent = Printed | Quoted | Uncrossed
export type MarketEvent = SessionOpened | PhaseChanged | InstrumentEvent
