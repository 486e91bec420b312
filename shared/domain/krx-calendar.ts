// Which days KRX trades and when, regular session only (no off-hours or after-market trading).
//
// C1. A day outside the bundled years is not known to be open or closed: everything here throws CalendarRangeError
//     for it. So nothing trades on a guess, and the days after the last session of the last year have no next one.
// C2. When a session begins or ends at other times, its auctions move along: order entry opens half an hour before
//     continuous trading, and the closing auction takes the last ten minutes.
import {
  KRX_CALENDAR_FIRST,
  KRX_CALENDAR_LAST,
  KRX_HOLIDAYS,
  KRX_PROVISIONAL_FROM,
  KRX_SPECIAL_HOURS,
} from './krx-holidays.ts'
import type { PhaseSpan, Session, SessionPhase } from './session.ts'
import {
  type Instant,
  type SessionDate,
  type TimeOfDay,
  addDays,
  kstDate,
  kstInstant,
  kstTimeOfDay,
  sessionDate,
  timeOfDay,
  weekdayOf,
} from './time.ts'

/** Thrown for a day that the bundled calendar does not cover. */
export class CalendarRangeError extends Error {
  override name = 'CalendarRangeError'
}

/** First and last day that the calendar covers, both inclusive; what it says from `provisionalFrom` on is not published. */
export const KRX_CALENDAR_RANGE = {
  first: sessionDate(KRX_CALENDAR_FIRST),
  last: sessionDate(KRX_CALENDAR_LAST),
  provisionalFrom: sessionDate(KRX_PROVISIONAL_FROM),
} as const

const ENDS_SOON_DAYS = 60

/** What a person must know of the calendar on this day; undefined while it is published and reaches far enough. */
export function krxCalendarWarning(today: SessionDate): string | undefined {
  const { last, provisionalFrom } = KRX_CALENDAR_RANGE
  if (addDays(today, ENDS_SOON_DAYS) > last) {
    return `the KRX calendar ends on ${last}: nothing is traded after it. A newer release of JTS knows the next year`
  }
  if (today < provisionalFrom) return undefined
  return (
    `the KRX calendar is provisional from ${provisionalFrom} on: derived from the law, not published by KRX. ` +
    'Compare shared/domain/krx-holidays.ts with the list of KRX'
  )
}

interface Hours {
  readonly open: TimeOfDay
  readonly close: TimeOfDay
}

const REGULAR: Hours = { open: timeOfDay('09:00'), close: timeOfDay('15:30') }
const OPENING_AUCTION_MS = 30 * 60_000
const CLOSING_AUCTION_MS = 10 * 60_000
/** Trades settle this many sessions later (T+2). */
const SETTLEMENT_SESSIONS = 2

const HOLIDAYS: ReadonlySet<string> = new Set(KRX_HOLIDAYS.map(([date]) => date))
const SPECIAL: ReadonlyMap<string, Hours> = new Map(
  KRX_SPECIAL_HOURS.map(({ date, open, close }) => [
    date,
    { open: timeOfDay(open), close: timeOfDay(close) },
  ]),
)

function hoursOn(date: SessionDate): Hours | undefined {
  const { first, last } = KRX_CALENDAR_RANGE
  if (date < first || date > last) {
    throw new CalendarRangeError(`the KRX calendar covers ${first} to ${last}, not ${date}`)
  }
  const weekday = weekdayOf(date)
  if (weekday === 0 || weekday === 6 || HOLIDAYS.has(date)) return undefined
  return SPECIAL.get(date) ?? REGULAR
}

interface PhaseTimes {
  readonly phase: SessionPhase
  readonly from: TimeOfDay
  readonly to: TimeOfDay
}

function phasesOf({ open, close }: Hours): readonly PhaseTimes[] {
  const entry = (open - OPENING_AUCTION_MS) as TimeOfDay
  const closing = (close - CLOSING_AUCTION_MS) as TimeOfDay
  return [
    { phase: 'openingAuction', from: entry, to: open },
    { phase: 'continuous', from: open, to: closing },
    { phase: 'closingAuction', from: closing, to: close },
  ]
}

/** The session of a day, or `undefined` on a weekend or holiday. @throws CalendarRangeError (C1) */
export function krxSessionOf(date: SessionDate): Session | undefined {
  const hours = hoursOn(date)
  if (hours === undefined) return undefined
  const phases = phasesOf(hours).map(({ phase, from, to }): PhaseSpan => ({
    phase,
    from: kstInstant(date, from),
    to: kstInstant(date, to),
  }))
  return { date, phases }
}

/** The phase at an instant. @throws CalendarRangeError (C1) */
export function krxPhaseAt(at: Instant): SessionPhase {
  const hours = hoursOn(kstDate(at))
  if (hours === undefined) return 'closed'
  const time = kstTimeOfDay(at)
  return phasesOf(hours).find(({ from, to }) => time >= from && time < to)?.phase ?? 'closed'
}

function stepTo(from: SessionDate, days: 1 | -1): SessionDate {
  let date = addDays(from, days)
  while (hoursOn(date) === undefined) date = addDays(date, days)
  return date
}

/** The first session day after a day, that day not counted. @throws CalendarRangeError (C1) */
export const nextSessionDate = (after: SessionDate): SessionDate => stepTo(after, 1)

/** The last session day before a day, that day not counted. @throws CalendarRangeError (C1) */
export const previousSessionDate = (before: SessionDate): SessionDate => stepTo(before, -1)

/** When a trade of this day is settled: two sessions later. @throws CalendarRangeError (C1) */
export function settlementDateOf(date: SessionDate): SessionDate {
  let settles = date
  for (let sessions = 0; sessions < SETTLEMENT_SESSIONS; sessions += 1) settles = nextSessionDate(settles)
  return settles
}
