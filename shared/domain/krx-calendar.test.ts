import { describe, expect, test } from 'vitest'
import {
  CalendarRangeError,
  KRX_CALENDAR_RANGE,
  krxCalendarWarning,
  krxPhaseAt,
  krxSessionOf,
  nextSessionDate,
  previousSessionDate,
  settlementDateOf,
} from './krx-calendar.ts'
import { KRX_HOLIDAYS, KRX_SPECIAL_HOURS } from './krx-holidays.ts'
import {
  type SessionDate,
  addDays,
  addMs,
  kstInstant,
  kstTimeOfDay,
  sessionDate,
  timeOfDay,
  weekdayOf,
} from './time.ts'

const day = (text: string): SessionDate => sessionDate(text)
const at = (date: string, time: string): ReturnType<typeof kstInstant> =>
  kstInstant(day(date), timeOfDay(time))

function* everyDay(): Generator<SessionDate> {
  for (let date = KRX_CALENDAR_RANGE.first; date <= KRX_CALENDAR_RANGE.last; date = addDays(date, 1))
    yield date
}

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16)
const hoursOf = (date: string): string =>
  (krxSessionOf(day(date))?.phases ?? [])
    .map(({ phase, from, to }) => `${phase} ${clock(kstTimeOfDay(from))}-${clock(kstTimeOfDay(to))}`)
    .join(', ')

const USUAL = 'openingAuction 08:30-09:00, continuous 09:00-15:20, closingAuction 15:20-15:30'
const FIRST_DAY = 'openingAuction 09:30-10:00, continuous 10:00-15:20, closingAuction 15:20-15:30'
const EXAM_DAY = 'openingAuction 09:30-10:00, continuous 10:00-16:20, closingAuction 16:20-16:30'

describe('sessions', () => {
  test.each([
    ['2026-10-07', USUAL],
    ['2023-01-02', FIRST_DAY],
    ['2026-01-02', FIRST_DAY],
    ['2023-11-16', EXAM_DAY],
    ['2025-11-13', EXAM_DAY],
    ['2026-11-19', EXAM_DAY],
    ['2026-11-12', USUAL],
    ['2026-11-21', ''], // Saturday
    ['2026-11-22', ''], // Sunday
    ['2026-07-17', ''], // Constitution Day, a holiday again
    ['2026-12-31', ''], // year-end closing
    ['2023-12-29', ''], // the same, brought forward from a Sunday
  ])('%s: %s', (date, hours) => {
    expect(hoursOf(date)).toBe(hours)
  })

  test('the phases of a session follow each other without a gap, from the first to the last', () => {
    for (const date of everyDay()) {
      const phases = krxSessionOf(date)?.phases ?? []
      for (const [index, { from, to }] of phases.entries()) {
        expect(to).toBeGreaterThan(from)
        expect(phases[index + 1]?.from ?? to).toBe(to)
      }
    }
  })

  test('a day with special hours is a session, and the examination is on a Thursday', () => {
    for (const { date } of KRX_SPECIAL_HOURS)
      expect([date, krxSessionOf(day(date))?.date]).toEqual([date, date])
    const exams = KRX_SPECIAL_HOURS.filter(({ reason }) => reason.includes('examination'))
    expect(exams.map(({ date }) => weekdayOf(day(date)))).toEqual([4, 4, 4, 4, 4])
  })

  test('each year has as many sessions as KRX held', () => {
    const held = Map.groupBy(
      [...everyDay()].filter((date) => krxSessionOf(date) !== undefined),
      (date) => date.slice(0, 4),
    )
    expect([...held].map(([year, dates]) => [year, dates.length])).toEqual([
      ['2023', 245],
      ['2024', 244],
      ['2025', 242],
      ['2026', 244],
      ['2027', 246],
    ])
  })

  test('a holiday is listed twice, out of order, or on a weekend', () => {
    const dates = KRX_HOLIDAYS.map(([date]) => date)
    expect(dates).toEqual([...new Set(dates)].toSorted())
    expect(dates.filter((date) => [0, 6].includes(weekdayOf(day(date))))).toEqual([])
  })
})

describe('phases', () => {
  test.each([
    ['08:29:59', 'closed'],
    ['08:30', 'openingAuction'],
    ['08:59:59', 'openingAuction'],
    ['09:00', 'continuous'],
    ['15:19:59', 'continuous'],
    ['15:20', 'closingAuction'],
    ['15:29:59', 'closingAuction'],
    ['15:30', 'closed'],
    ['00:00', 'closed'],
    ['23:59:59', 'closed'],
  ])('at %s: %s', (time, phase) => {
    expect(krxPhaseAt(at('2026-10-07', time))).toBe(phase)
  })

  test('the day is the Korean one', () => {
    expect(krxPhaseAt(addMs(at('2026-10-12', '09:00'), 0))).toBe('continuous') // Monday 00:00 UTC
    expect(krxPhaseAt(at('2026-10-11', '10:00'))).toBe('closed') // Sunday
    expect(krxPhaseAt(at('2026-11-19', '09:15'))).toBe('closed') // examination day
  })

  test('the phase at an instant and the spans of the session never disagree', () => {
    for (const date of everyDay()) {
      for (const { phase, from, to } of krxSessionOf(date)?.phases ?? []) {
        expect(krxPhaseAt(from)).toBe(phase)
        expect(krxPhaseAt(addMs(to, -1))).toBe(phase)
      }
    }
  })
})

describe('stepping', () => {
  test.each([
    // day         previous      next          settles
    ['2026-10-07', '2026-10-06', '2026-10-08', '2026-10-12'], // Hangul Day and a weekend between
    ['2026-09-23', '2026-09-22', '2026-09-28', '2026-09-29'], // Chuseok
    ['2025-12-30', '2025-12-29', '2026-01-02', '2026-01-05'], // the turn of the year
    ['2026-12-30', '2026-12-29', '2027-01-04', '2027-01-05'],
    ['2025-10-02', '2025-10-01', '2025-10-10', '2025-10-13'], // seven days closed
    ['2026-10-10', '2026-10-08', '2026-10-12', '2026-10-13'], // from a Saturday
  ])('%s: %s, %s, %s', (date, previous, next, settles) => {
    expect(previousSessionDate(day(date))).toBe(previous)
    expect(nextSessionDate(day(date))).toBe(next)
    expect(settlementDateOf(day(date))).toBe(settles)
  })
})

describe('a day that the calendar does not know', () => {
  test.each(['2022-12-31', '2028-01-01'])('%s is an error, not a holiday', (date) => {
    expect(() => krxSessionOf(day(date))).toThrow(CalendarRangeError)
    expect(() => krxPhaseAt(at(date, '10:00'))).toThrow(
      `the KRX calendar covers 2023-01-01 to 2027-12-31, not ${date}`,
    )
  })

  test('no next session is invented after the last one, nor one before the first', () => {
    expect(nextSessionDate(day('2027-12-29'))).toBe('2027-12-30')
    expect(() => nextSessionDate(day('2027-12-30'))).toThrow(CalendarRangeError)
    expect(() => settlementDateOf(day('2027-12-29'))).toThrow(CalendarRangeError)
    expect(() => previousSessionDate(day('2023-01-02'))).toThrow(CalendarRangeError)
    expect(nextSessionDate(day('2022-12-31'))).toBe('2023-01-02')
  })
})

describe('the year that KRX has not published yet', () => {
  /** Month and day of the Korean lunar calendar, as the system's calendars have it. */
  const lunar = new Intl.DateTimeFormat('en-u-ca-dangi', {
    timeZone: 'Asia/Seoul',
    month: 'numeric',
    day: 'numeric',
  })
  const isWeekend = (date: SessionDate): boolean => [0, 6].includes(weekdayOf(date))
  const closed = new Set(KRX_HOLIDAYS.map(([date]) => date))

  test.each([2025, 2026, 2027])('%i: lunar holidays lie where the moon puts them', (year) => {
    let found = 0
    for (let date = day(`${year}-01-01`); date < day(`${year + 1}-01-01`); date = addDays(date, 1)) {
      const [month = '', dayOfMonth = ''] = lunar.format(new Date(`${date}T03:00:00Z`)).split('/')
      if (!['1/1', '1/2', '4/8', '8/14', '8/15', '8/16'].includes(`${month}/${dayOfMonth}`)) continue
      found += 1
      expect([date, closed.has(date) || isWeekend(date)]).toEqual([date, true])
    }
    expect(found).toBe(6)
  })

  test.each([2025, 2026, 2027])(
    '%i: fixed holidays, and the Monday after one that a weekend swallowed',
    (year) => {
      for (const fixed of ['03-01', '05-05', '08-15', '10-03', '10-09', '12-25']) {
        let date = day(`${year}-${fixed}`)
        while (isWeekend(date)) date = addDays(date, 1)
        expect([date, closed.has(date)]).toEqual([date, true])
      }
    },
  )

  test.each([
    ['2027-01-04', /provisional from 2027-01-01 on: derived from the law, not published by KRX/],
    ['2027-11-01', /provisional/],
    ['2027-11-02', /ends on 2027-12-31: nothing is traded after it/],
  ])('on %s a person is told %s', (today, words) => {
    expect(krxCalendarWarning(day(today))).toMatch(words)
  })

  test.each(['2026-10-31', '2026-12-31'])('on %s there is nothing to be told', (today) => {
    expect(krxCalendarWarning(day(today))).toBeUndefined()
  })
})
