import { assert, integer, property, array as arrays } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KRX_CALENDAR_RANGE } from '#shared/domain/krx-calendar.ts'
import { addDays, addMs, instant, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import type { Instant } from '#shared/domain/time.ts'
import {
  changesBetween,
  CALENDARS,
  latestChange,
  latestDueTime,
  nextChangeTime,
  nextDueTime,
  phaseEvent,
  timerEvent,
} from './schedule.ts'

const krxCalendar = CALENDARS.KRX
/** Korean time, `2025-09-02 09:00`. */
const kst = (text: string): Instant => kstInstant(sessionDate(text.slice(0, 10)), timeOfDay(text.slice(11)))
const DAY_MS = 86_400_000

describe('phases of KRX', () => {
  test.each([
    // when                   date          phase               since
    ['2025-09-02 08:29:59', '2025-09-01', 'closed', '2025-09-01 15:30'],
    ['2025-09-02 08:30', '2025-09-02', 'openingAuction', '2025-09-02 08:30'],
    ['2025-09-02 08:59:59', '2025-09-02', 'openingAuction', '2025-09-02 08:30'],
    ['2025-09-02 09:00', '2025-09-02', 'continuous', '2025-09-02 09:00'],
    ['2025-09-02 15:20', '2025-09-02', 'closingAuction', '2025-09-02 15:20'],
    ['2025-09-02 15:30', '2025-09-02', 'closed', '2025-09-02 15:30'],
    ['2025-09-07 12:00', '2025-09-05', 'closed', '2025-09-05 15:30'],
    ['2025-10-09 12:00', '2025-10-02', 'closed', '2025-10-02 15:30'],
  ])('at %s the session of %s is in phase %s', (when, date, phase, since) => {
    expect(latestChange(krxCalendar, kst(when))).toEqual({
      venue: 'KRX',
      sessionDate: date,
      phase,
      at: kst(since),
    })
  })

  test('after the last close before a week of holidays the next change is the opening after it', () => {
    expect(nextChangeTime(krxCalendar, kst('2025-10-02 15:30'))).toBe(kst('2025-10-10 08:30'))
  })

  test('a change is not its own next change', () => {
    expect(nextChangeTime(krxCalendar, kst('2025-09-02 09:00'))).toBe(kst('2025-09-02 15:20'))
    expect(nextChangeTime(krxCalendar, addMs(kst('2025-09-02 09:00'), -1))).toBe(kst('2025-09-02 09:00'))
  })

  test('a weekend jumped over holds four changes a session and none in between', () => {
    const changes = changesBetween(krxCalendar, kst('2025-09-05 08:29'), kst('2025-09-08 15:30'))
    expect(changes.map(({ sessionDate: date, phase }) => `${date} ${phase}`)).toEqual([
      '2025-09-05 openingAuction',
      '2025-09-05 continuous',
      '2025-09-05 closingAuction',
      '2025-09-05 closed',
      '2025-09-08 openingAuction',
      '2025-09-08 continuous',
      '2025-09-08 closingAuction',
      '2025-09-08 closed',
    ])
  })

  test('in whatever steps time goes, each change comes once and in order', () => {
    const from = kst('2025-09-01 00:00')
    const whole = changesBetween(krxCalendar, from, addMs(from, 30 * DAY_MS))
    assert(
      property(arrays(integer({ min: 0, max: 30 * DAY_MS }), { maxLength: 40 }), (offsets) => {
        const stops = [...offsets, 30 * DAY_MS].toSorted((left, right) => left - right)
        const seen = stops.flatMap((offset, index) =>
          changesBetween(krxCalendar, addMs(from, stops[index - 1] ?? 0), addMs(from, offset)),
        )
        expect(seen).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })

  test('a day that the calendar does not cover has no session, and is said to be unknown', () => {
    const beyond = addDays(KRX_CALENDAR_RANGE.last, 1)
    expect(krxCalendar.isKnown(beyond)).toBe(false)
    expect(krxCalendar.sessionOf(beyond)).toBeUndefined()
    expect(latestChange(krxCalendar, kstInstant(addDays(beyond, 60), timeOfDay('12:00')))).toBeUndefined()
    expect(nextChangeTime(krxCalendar, kstInstant(beyond, timeOfDay('00:00')))).toBeUndefined()
  })
})

describe('timers', () => {
  const timer = { name: 'risk', intervalMs: 5_000 }

  test.each([
    // at      latest  next
    [10_000, 10_000, 15_000],
    [14_999, 10_000, 15_000],
    [15_000, 15_000, 20_000],
    [-1, -5_000, 0],
  ])('at %i the latest due time is %i and the next %i', (at, latest, next) => {
    expect(latestDueTime(timer, instant(at))).toBe(latest)
    expect(nextDueTime(timer, instant(at))).toBe(next)
  })
})

describe('ids are made of what is due', () => {
  const phase = latestChange(krxCalendar, kst('2025-09-02 09:00'))

  test('the same phase and the same due time have the same event, byte for byte', () => {
    expect(phase).toBeDefined()
    if (phase === undefined) return
    expect(phaseEvent({ ...phase })).toEqual(phaseEvent(phase))
    const timer = { name: 'risk', intervalMs: 5_000 }
    expect(timerEvent(timer, instant(5_000))).toEqual(
      timerEvent({ ...timer, intervalMs: 1_000 }, instant(5_000)),
    )
  })

  test('no two of a week share an id', () => {
    const from = kst('2025-09-01 00:00')
    const changes = changesBetween(krxCalendar, from, addMs(from, 7 * DAY_MS))
    const dues = Array.from({ length: 1_000 }, (_, index) => instant(from + index * 5_000))
    const ids = [
      ...changes.map((change) => phaseEvent(change).id),
      ...dues.map((due) => timerEvent({ name: 'risk', intervalMs: 5_000 }, due).id),
      ...dues.map((due) => timerEvent({ name: 'reconcile', intervalMs: 5_000 }, due).id),
    ]
    expect(new Set(ids).size).toBe(20 + 2_000)
  })
})
