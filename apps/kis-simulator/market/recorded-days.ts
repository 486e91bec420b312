// What the recorded sources share: a tape of prepared sessions, and the volume that a bar's prints add up to.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { roundToPriceIncrement, tickSizeOf } from '#shared/domain/krx-rules.ts'
import type { BookLevel } from '#shared/domain/market-data.ts'
import { type Instant, type SessionDate, instant } from '#shared/domain/time.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'
import type { Depth, InstrumentEvent, MarketEvent } from '#shared/simulation/market-event.ts'
import { type DailyBar, type Hours, type Listed, type MarketSource, RecordingError } from './source.ts'

export interface RecordedDay {
  readonly date: SessionDate
  readonly hours: Hours
  readonly instruments: readonly Listed[]
  /** Of the day, in order. */
  readonly events: () => Iterable<InstrumentEvent>
}

/** A tape that holds each of its days ready. Base prices are those of the recording. */
export function recordedDays(
  name: string,
  days: readonly RecordedDay[],
  histories: ReadonlyMap<InstrumentId, readonly DailyBar[]>,
): MarketSource {
  const first = days[0]
  if (first === undefined) throw new RecordingError(`${name} holds no session`)
  const indexOf = new Map(days.map((day, index) => [day.date, index]))
  return {
    name,
    firstDate: first.date,
    after: (date) => days[(indexOf.get(date) ?? days.length) + 1]?.date,
    session(date) {
      const day = days[indexOf.get(date) ?? -1]
      if (day === undefined) throw new RecordingError(`${name} has no session of ${date}`)
      return framed(day)
    },
    history: (instrumentId) => histories.get(instrumentId) ?? [],
  }
}

const LEAD_MS = 1000

/** The day's events between its phases. A recording that begins in mid-session opens a second before its first event. */
function* framed({ date, hours, instruments, events }: RecordedDay): Generator<MarketEvent> {
  let phase: 'openingAuction' | 'continuous' | 'closingAuction' = 'openingAuction'
  let isOpen = false
  const opening = (at: number): MarketEvent => ({ kind: 'sessionOpened', at: instant(at), date, instruments })
  for (const event of events()) {
    if (!isOpen) {
      const startsLate = event.at > hours.open + 60_000
      yield opening(startsLate ? event.at - LEAD_MS : hours.entry)
      if (startsLate) {
        phase = 'continuous'
        yield { kind: 'phaseChanged', at: instant(event.at - LEAD_MS), phase }
      }
      isOpen = true
    }
    const isAuction = event.kind === 'uncrossed' && event.at === hours.open
    if (phase === 'openingAuction' && event.at >= hours.open && !isAuction) {
      phase = 'continuous'
      yield { kind: 'phaseChanged', at: instant(hours.open), phase }
    }
    if (phase === 'continuous' && event.at >= hours.closing && hours.closing < hours.close) {
      phase = 'closingAuction'
      yield { kind: 'phaseChanged', at: instant(hours.closing), phase }
    }
    yield event
  }
  if (!isOpen) yield opening(hours.entry)
  if (phase === 'openingAuction') yield { kind: 'phaseChanged', at: instant(hours.open), phase: 'continuous' }
  if (phase !== 'closingAuction' && hours.closing < hours.close) {
    yield { kind: 'phaseChanged', at: instant(hours.closing), phase: 'closingAuction' }
  }
  yield { kind: 'phaseChanged', at: instant(hours.close), phase: 'closed' }
}

/** Events of several instruments as one sequence: by time, then in the order given. */
export function merged(tapes: readonly (readonly InstrumentEvent[])[]): readonly InstrumentEvent[] {
  return tapes.flat().toSorted((left, right) => left.at - right.at)
}

const SYNTHETIC_LEVELS = 3
/** Of the print's quantity, at each level. */
const SYNTHETIC_PART = 20n

/**
 * A thin book around a print, for recordings without one: the bid at the print's price (or the tick below), the ask a tick
 * above, each level a twentieth of the printed quantity.
 */
export function syntheticDepth(
  instrument: Instrument,
  at: Price,
  printed: Quantity,
  date: SessionDate,
): Depth {
  const { kind, market } = instrument
  const quantity = (printed / SYNTHETIC_PART) as Quantity
  if (quantity === 0n) return { asks: [], bids: [] }
  const asks: BookLevel[] = []
  const bids: BookLevel[] = []
  let bid = roundToPriceIncrement(kind, at, date, 'down', market)
  let ask = (bid + tickSizeOf(kind, bid, date, market)) as Price
  for (let level = 0; level < SYNTHETIC_LEVELS; level += 1) {
    asks.push({ price: ask, quantity })
    if (bid > 0n) bids.push({ price: bid, quantity })
    ask = (ask + tickSizeOf(kind, ask, date, market)) as Price
    if (bid > 1n) bid = roundToPriceIncrement(kind, (bid - 1n) as Price, date, 'down', market)
  }
  return { asks, bids }
}

export interface PathPoint {
  readonly at: Instant
  readonly price: Price
}

/** Prints along a path whose quantities add up to `volume`; the last takes what division leaves. */
export function* printsAlong(
  instrument: Instrument,
  path: readonly PathPoint[],
  volume: Quantity,
  date: SessionDate,
): Generator<InstrumentEvent> {
  const part = volume / BigInt(path.length)
  let before: Price | undefined
  for (const [index, { at, price }] of path.entries()) {
    const isLast = index === path.length - 1
    const quantity = (isLast ? volume - part * BigInt(path.length - 1) : part) as Quantity
    if (quantity > 0n) {
      const aggressor = before !== undefined && price < before ? 'sell' : 'buy'
      const depth = syntheticDepth(instrument, price, quantity, date)
      yield { kind: 'printed', at, instrumentId: instrument.id, price, quantity, aggressor, depth }
    }
    before = price
  }
}
