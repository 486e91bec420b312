import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MS_PER_DAY,
  TimeError,
  addDays,
  addMs,
  formatInstant,
  instant,
  kstDate,
  kstInstant,
  kstTimeOfDay,
  parseInstant,
  sessionDate,
  timeOfDay,
  weekdayOf,
} from './time.ts'

const anyInstant = fc
  .integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2099, 11, 31) })
  .map((ms) => instant(ms))

describe('instants', () => {
  test.each([
    ['2026-01-02T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02T09:00:00+09:00', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02T00:00:00.123456789Z', '2026-01-02T00:00:00.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s', (text, utc) => {
    expect(formatInstant(parseInstant(text))).toBe(utc)
  })

  test.each([
    '2026-01-02',
    '2026-01-02 00:00:00Z',
    '2026-01-02T00:00:00', // a wall clock without a zone
    '2026-01-02T00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z', // no leap year; Date.parse would make it 1 March
    '2026-04-31T00:00:00+09:00',
    '2026-01-02T24:00:00Z',
    '1767312000000',
    '',
  ])('%j is refused', (text) => {
    expect(() => parseInstant(text)).toThrow(TimeError)
  })

  test.each([Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 53])('%d is not an instant', (ms) => {
    expect(() => instant(ms)).toThrow(TimeError)
    expect(() => addMs(instant(0), ms)).toThrow(TimeError)
  })

  test('what is written reads back', () => {
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at)
      }),
    )
  })
})

describe('days', () => {
  test.each(['2026-02-29', '2026-2-01', '20260201', '2026-01-32', ' 2026-01-01', ''])(
    '%j is not a day',
    (text) => {
      expect(() => sessionDate(text)).toThrow(TimeError)
    },
  )

  test('days cross months, years and leap days', () => {
    expect(addDays(sessionDate('2024-02-28'), 1)).toBe('2024-02-29')
    expect(addDays(sessionDate('2025-12-31'), 1)).toBe('2026-01-01')
    expect(addDays(sessionDate('2026-03-01'), -1)).toBe('2026-02-28')
  })

  test('0 is Sunday', () => {
    expect(weekdayOf(sessionDate('2026-11-15'))).toBe(0)
    expect(weekdayOf(sessionDate('2026-11-19'))).toBe(4)
  })
})

describe('the Korean clock', () => {
  test('the day changes at 15:00 UTC', () => {
    expect(kstDate(parseInstant('2026-01-01T14:59:59.999Z'))).toBe('2026-01-01')
    expect(kstDate(parseInstant('2026-01-01T15:00:00Z'))).toBe('2026-01-02')
  })

  test.each(['24:00', '9:00', '09:60', '09:00:60', '0900', ''])('%j is not a time of day', (text) => {
    expect(() => timeOfDay(text)).toThrow(TimeError)
  })

  test('a day and a time of day are an instant, and the instant gives both back', () => {
    expect(formatInstant(kstInstant(sessionDate('2026-01-02'), timeOfDay('09:00:30')))).toBe(
      '2026-01-02T00:00:30.000Z',
    )
    fc.assert(
      fc.property(anyInstant, (at) => {
        const time = kstTimeOfDay(at)
        expect(time).toBeGreaterThanOrEqual(0)
        expect(time).toBeLessThan(MS_PER_DAY)
        expect(kstInstant(kstDate(at), time)).toBe(at)
      }),
    )
  })

  test('a time of day before 1970 is not negative', () => {
    expect(kstTimeOfDay(instant(-10 * 3_600_000))).toBe(23 * 3_600_000)
  })
})
