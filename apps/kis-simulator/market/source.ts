// Where a tape comes from. A source can begin at any of its sessions without playing those before it, so a restart costs one
// session and not a year.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { CalendarRangeError, krxSessionOf } from '#shared/domain/krx-calendar.ts'
import type { Session } from '#shared/domain/session.ts'
import { type SessionDate, kstInstant, timeOfDay } from '#shared/domain/time.ts'
import type { Money, Price, Quantity } from '#shared/domain/values.ts'
import type { MarketEvent } from '#shared/simulation/market-event.ts'

/** One session of one instrument, adjusted as the tape is. */
export interface DailyBar {
  readonly date: SessionDate
  readonly open: Price
  readonly high: Price
  readonly low: Price
  readonly close: Price
  readonly volume: Quantity
  readonly notional: Money
}

export type Closes = ReadonlyMap<InstrumentId, Price>
export type Listed = Instrument & { readonly basePrice: Price }

export interface MarketSource {
  /** Names the tape: what was remembered of another one is of no use. */
  readonly name: string
  readonly firstDate: SessionDate
  /** The session that follows one of this tape; `undefined` after the last. */
  after(date: SessionDate): SessionDate | undefined
  /** In order. Begins with `sessionOpened`, ends with the phase `closed`. `closes` are those of the session before. */
  session(date: SessionDate, closes: Closes): Iterable<MarketEvent>
  /** Sessions before the tape begins, oldest first; empty where nothing is known. */
  history(instrumentId: InstrumentId): readonly DailyBar[]
}

/** Thrown for a recording that cannot be played: names the file, the line and the fault. */
export class RecordingError extends Error {
  override name = 'RecordingError'
}

const span = (date: SessionDate, phase: Session['phases'][number]['phase'], from: string, to: string) => ({
  phase,
  from: kstInstant(date, timeOfDay(from)),
  to: kstInstant(date, timeOfDay(to)),
})

/** The hours of a recorded day. A recording proves that the day was traded, also outside the bundled calendar. */
export function sessionOn(date: SessionDate): Session {
  const regular: Session = {
    date,
    phases: [
      span(date, 'openingAuction', '08:30', '09:00'),
      span(date, 'continuous', '09:00', '15:20'),
      span(date, 'closingAuction', '15:20', '15:30'),
    ],
  }
  try {
    return krxSessionOf(date) ?? regular
  } catch (error) {
    if (error instanceof CalendarRangeError) return regular
    throw error
  }
}

export interface Hours {
  readonly entry: number
  readonly open: number
  readonly closing: number
  readonly close: number
}

/** Milliseconds since the epoch: order entry, continuous trading, closing auction, close. */
export function hoursOf(session: Session): Hours {
  const [opening, continuous, closing] = session.phases
  if (opening === undefined || continuous === undefined || closing === undefined) {
    throw new RecordingError(`session ${session.date} lacks a phase`)
  }
  return { entry: opening.from, open: continuous.from, closing: closing.from, close: closing.to }
}
