// What is due when. Pure: of the time, the timers and the calendars alone.
//
// D1. A timer is due at whole multiples of its interval since 1970, so every process agrees on the due times.
// D2. What is due has an id made of what it is: timer and due time, or venue, session date and phase. Two schedulers
//     publish the same ids, and whoever keeps an inbox drops the second.
// D3. Of the times that a timer missed, only the latest counts. Phases all count, in order.
import { KRX_CALENDAR_RANGE, krxSessionOf } from '#shared/domain/krx-calendar.ts'
import type { Session, SessionPhase } from '#shared/domain/session.ts'
import {
  type Instant,
  type SessionDate,
  addDays,
  formatInstant,
  instant,
  kstDate,
} from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { SessionPhaseChanged, TimerFired } from '#shared/events/timers.ts'
import { contentId, finishRoot } from '#shared/runtime/root-event.ts'

const SOURCE = '/jts/connectors/scheduler'
/** The longest that a venue has stayed closed, twice over. */
const CLOSED_DAYS_MAX = 31

export interface Timer {
  readonly name: string
  readonly intervalMs: number
}

/** The sessions of a venue. */
export interface VenueCalendar {
  readonly venue: string
  /** The day at the venue that an instant falls on. */
  dateOf(at: Instant): SessionDate
  /** `undefined` on a day without a session, and on a day that is not known. */
  sessionOf(date: SessionDate): Session | undefined
  /** False for a day that nobody knows to be open or closed. */
  isKnown(date: SessionDate): boolean
}

const isInKrxRange = (date: SessionDate): boolean =>
  date >= KRX_CALENDAR_RANGE.first && date <= KRX_CALENDAR_RANGE.last

const krxCalendar: VenueCalendar = {
  venue: 'KRX',
  dateOf: kstDate,
  sessionOf: (date) => (isInKrxRange(date) ? krxSessionOf(date) : undefined),
  isKnown: isInKrxRange,
}

/** The venues whose sessions are known. */
export const CALENDARS = { KRX: krxCalendar } as const
export type ScheduledVenue = keyof typeof CALENDARS

export interface PhaseChange {
  readonly venue: string
  readonly sessionDate: SessionDate
  readonly phase: SessionPhase
  readonly at: Instant
}

function changesOn(calendar: VenueCalendar, date: SessionDate): readonly PhaseChange[] {
  const phases = calendar.sessionOf(date)?.phases ?? []
  const last = phases.at(-1)
  if (last === undefined) return []
  const changes = phases.map(({ phase, from }) => ({ phase, at: from }))
  return [...changes, { phase: 'closed' as const, at: last.to }].map((change) => ({
    venue: calendar.venue,
    sessionDate: date,
    ...change,
  }))
}

/** Changes later than `after` and not later than `upTo`, in order. */
export function changesBetween(
  calendar: VenueCalendar,
  after: Instant,
  upTo: Instant,
): readonly PhaseChange[] {
  const changes: PhaseChange[] = []
  const last = calendar.dateOf(upTo)
  for (let date = calendar.dateOf(after); date <= last; date = addDays(date, 1)) {
    changes.push(...changesOn(calendar, date).filter(({ at }) => at > after && at <= upTo))
  }
  return changes
}

/** The change that made the phase of `at` what it is; a venue that was closed for very long has none. */
export function latestChange(calendar: VenueCalendar, at: Instant): PhaseChange | undefined {
  let date = calendar.dateOf(at)
  for (let days = 0; days <= CLOSED_DAYS_MAX; days += 1) {
    const change = changesOn(calendar, date).findLast((each) => each.at <= at)
    if (change !== undefined) return change
    date = addDays(date, -1)
  }
  return undefined
}

/** When the venue's phase changes next, if that is known. */
export function nextChangeTime(calendar: VenueCalendar, after: Instant): Instant | undefined {
  let date = calendar.dateOf(after)
  for (let days = 0; days <= CLOSED_DAYS_MAX; days += 1) {
    const change = changesOn(calendar, date).find(({ at }) => at > after)
    if (change !== undefined) return change.at
    date = addDays(date, 1)
  }
  return undefined
}

/** D1. */
export const latestDueTime = ({ intervalMs }: Timer, at: Instant): Instant =>
  instant(Math.floor(at / intervalMs) * intervalMs)

export const nextDueTime = (timer: Timer, after: Instant): Instant =>
  instant(latestDueTime(timer, after) + timer.intervalMs)

export const phaseEvent = ({ venue, sessionDate, phase, at }: PhaseChange): Event =>
  finishRoot(
    SessionPhaseChanged,
    { venue, sessionDate, phase, changedTime: formatInstant(at) },
    { id: contentId('session-phase', venue, sessionDate, phase), source: SOURCE, now: at },
  )

export const timerEvent = ({ name }: Timer, due: Instant): Event =>
  finishRoot(
    TimerFired,
    { timer: name, dueTime: formatInstant(due) },
    { id: contentId('timer', name, formatInstant(due)), source: SOURCE, now: due },
  )
