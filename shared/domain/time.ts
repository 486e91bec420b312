// Instants are UTC; session dates are days at a venue and never mix with them.

declare const kind: unique symbol
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly [kind]: 'instant' }
/** A calendar day at a venue, `YYYY-MM-DD`. Compares as text. */
export type SessionDate = string & { readonly [kind]: 'sessionDate' }
/** A time of day at a venue, milliseconds since its midnight. */
export type TimeOfDay = number & { readonly [kind]: 'timeOfDay' }

export class TimeError extends Error {
  override name = 'TimeError'
}

export const MS_PER_DAY = 86_400_000
/** Korea has kept UTC+9 without daylight saving time since 1988. */
const KST_OFFSET_MS = 9 * 3_600_000

export const instant = (ms: number): Instant => {
  if (!Number.isSafeInteger(ms)) throw new TimeError(`not an instant: ${ms}`)
  return ms as Instant
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

/** Reads RFC 3339. Digits below a millisecond are cut. @throws TimeError for anything else. */
export function parseInstant(text: string): Instant {
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new TimeError(`not an RFC 3339 time: ${JSON.stringify(text)}`)
  // Date.parse takes 30 February for 2 March.
  if (text.slice(8, 10) > '28') sessionDate(text.slice(0, 10))
  return ms as Instant
}

/** RFC 3339 in UTC with milliseconds. */
export const formatInstant = (value: Instant): string => new Date(value).toISOString()

export const addMs = (value: Instant, ms: number): Instant => instant(value + ms)

/** @throws TimeError unless the text is a real day, `YYYY-MM-DD`. */
export function sessionDate(text: string): SessionDate {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text) {
    throw new TimeError(`not a date: ${JSON.stringify(text)}`)
  }
  return text as SessionDate
}

/** `HH:MM` or `HH:MM:SS`. @throws TimeError for anything else. */
export function timeOfDay(text: string): TimeOfDay {
  const match = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text)
  if (match === null) throw new TimeError(`not a time of day: ${JSON.stringify(text)}`)
  return (Number(match[1]) * 3_600_000 +
    Number(match[2]) * 60_000 +
    Number(match[3] ?? 0) * 1000) as TimeOfDay
}

/** The Korean day that an instant falls on. */
export const kstDate = (value: Instant): SessionDate =>
  new Date(value + KST_OFFSET_MS).toISOString().slice(0, 10) as SessionDate

/** The Korean wall clock at an instant. */
export const kstTimeOfDay = (value: Instant): TimeOfDay =>
  ((((value + KST_OFFSET_MS) % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY) as TimeOfDay

/** The instant of a Korean day and time. */
export const kstInstant = (date: SessionDate, time: TimeOfDay): Instant =>
  (Date.parse(`${date}T00:00:00Z`) - KST_OFFSET_MS + time) as Instant

/** Calendar arithmetic; knows nothing of sessions. */
export const addDays = (date: SessionDate, days: number): SessionDate =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * MS_PER_DAY).toISOString().slice(0, 10) as SessionDate

/** 0 is Sunday. */
export const weekdayOf = (date: SessionDate): number => new Date(`${date}T00:00:00Z`).getUTCDay()
