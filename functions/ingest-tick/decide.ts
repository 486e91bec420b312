// What one instrument's ticks mean, one at a time.
//
// D1. The venue's running volume orders ticks: one that does not raise it was seen before (a redelivery, a replayed
//     frame) and is dropped. One that raises it by more than its own quantity tells of trades that we missed.
// D2. A tick that cannot be true is dropped and counted: no price or quantity, outside the session's price limits,
//     or from the future. A tick that comes late is true: it is passed on, but a closed bar does not take it (B3).
// D3. Base prices are facts of a session: without the base price of the tick's own date, limits are not checked.
import type { Instrument } from '#shared/domain/instrument.ts'
import { venueOf } from '#shared/domain/instrument.ts'
import { type PriceLimits, priceLimitsOf } from '#shared/domain/krx-rules.ts'
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import { type Price, type Quantity, ZERO_QUANTITY } from '#shared/domain/values.ts'
import { type Forming, type FormingBar, NOTHING_FORMING, addTick, openTimeOf } from './bars.ts'

/** Everything that ingesting counts, for a person to watch. */
export const INGEST_COUNTS = [
  'empty', // a tick without price or quantity
  'ahead', // its time is after we received it
  'outsideLimits', // outside the session's price limits
  'repeated', // seen before
  'gap', // the running volume jumped: trades were missed
  'backwards', // its time is before the last tick's
  'late', // its bar was closed
  'incompleteBar', // a bar that missed too much and was not emitted
  'hotStateFailure', // last prices or forming bars could not be kept hot
] as const
export type IngestCount = (typeof INGEST_COUNTS)[number]

export interface InstrumentState {
  readonly forming: Forming
  /** Begin of the session day that `sessionVolume` belongs to; 0 before the first tick. */
  readonly dayOpenTime: Instant
  /** Highest running volume seen. */
  readonly sessionVolume: Quantity
  readonly lastEventTime: Instant
  readonly bidPrice: Price
  readonly askPrice: Price
  readonly quoteTime: Instant
}

export const UNSEEN: InstrumentState = {
  forming: NOTHING_FORMING,
  dayOpenTime: 0 as Instant,
  sessionVolume: ZERO_QUANTITY,
  lastEventTime: 0 as Instant,
  bidPrice: 0n as Price,
  askPrice: 0n as Price,
  quoteTime: 0 as Instant,
}

export interface TickDecision {
  readonly state: InstrumentState
  readonly isKept: boolean
  readonly closed: readonly FormingBar[]
  readonly counts: readonly IngestCount[]
}

/** Clocks of venue and connector may differ by this much. */
const AHEAD_MS_MAX = 60_000

const dropped = (state: InstrumentState, count: IngestCount): TickDecision => ({
  state,
  isKept: false,
  closed: [],
  counts: [count],
})

/** The price limits that a session's ticks are held against, where they are known (D3). */
export function limitsFor(instrument: Instrument | undefined, date: SessionDate): PriceLimits | undefined {
  if (instrument?.basePrice === undefined || instrument.basePriceDate !== date) return undefined
  if (venueOf(instrument.id) !== 'KRX') return undefined
  if (instrument.kind === 'etp' && instrument.leverage === undefined) return undefined // it may be wider
  return priceLimitsOf(instrument, instrument.basePrice, date)
}

export function decideTick(
  state: InstrumentState,
  tick: TradeTick,
  receivedTime: Instant,
  limits: PriceLimits | undefined,
): TickDecision {
  if (tick.price <= 0n || tick.quantity <= 0n) return dropped(state, 'empty')
  if (tick.eventTime > receivedTime + AHEAD_MS_MAX) return dropped(state, 'ahead')
  if (limits !== undefined && (tick.price < limits.lower || tick.price > limits.upper)) {
    return dropped(state, 'outsideLimits')
  }

  const dayOpenTime = openTimeOf(tick.instrumentId, '1d', tick.eventTime)
  if (dayOpenTime < state.dayOpenTime) return { ...dropped(state, 'late'), isKept: true }
  const seenVolume = dayOpenTime === state.dayOpenTime ? state.sessionVolume : ZERO_QUANTITY
  // A feed without a running volume says zero: then repeats and gaps cannot be told.
  const hasVolume = tick.sessionVolume > 0n
  if (hasVolume && tick.sessionVolume <= seenVolume) return dropped(state, 'repeated')
  const unseen = tick.sessionVolume - tick.quantity - seenVolume
  const missed = (hasVolume && unseen > 0n ? unseen : 0n) as Quantity

  const { forming, closed, late } = addTick(state.forming, tick, missed)
  const counts: IngestCount[] = []
  if (missed > 0n) counts.push('gap')
  if (tick.eventTime < state.lastEventTime) counts.push('backwards')
  if (late.length > 0) counts.push('late')
  return {
    state: {
      ...state,
      forming,
      dayOpenTime,
      sessionVolume: hasVolume ? tick.sessionVolume : seenVolume,
      lastEventTime: tick.eventTime > state.lastEventTime ? tick.eventTime : state.lastEventTime,
    },
    isKept: true,
    closed,
    counts,
  }
}

/** A quote is news when a best price differs; sizes alone are not, and an older quote never is. */
export function decideQuote(
  state: InstrumentState,
  quote: QuoteTick,
): { readonly state: InstrumentState; readonly hasChanged: boolean } {
  const isOld = quote.eventTime < state.quoteTime
  const isSame = quote.bidPrice === state.bidPrice && quote.askPrice === state.askPrice
  if (isOld || isSame) return { state, hasChanged: false }
  const { bidPrice, askPrice, eventTime: quoteTime } = quote
  return { state: { ...state, bidPrice, askPrice, quoteTime }, hasChanged: true }
}
