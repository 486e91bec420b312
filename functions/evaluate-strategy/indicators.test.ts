import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Indicator, crossedAbove, crossedBelow, ema, feed, isReady, rsi, sma } from './indicators.ts'

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** By the book, from all closes each time; undefined while there are too few. */
const ORACLES: Record<Indicator['kind'], (closes: readonly number[], length: number) => number | undefined> =
  {
    sma: (closes, length) => (closes.length < length ? undefined : mean(closes.slice(-length))),
    ema: (closes, length) => {
      if (closes.length < length) return undefined
      const weight = 2 / (length + 1)
      return closes
        .slice(length)
        .reduce((value, close) => close * weight + value * (1 - weight), mean(closes.slice(0, length)))
    },
    rsi: (closes, length) => {
      if (closes.length <= length) return undefined
      const changes = closes.slice(1).map((close, index) => close - (closes[index] ?? 0))
      const smooth = (moves: readonly number[]): number =>
        moves
          .slice(length)
          .reduce((value, move) => (value * (length - 1) + move) / length, mean(moves.slice(0, length)))
      const gain = smooth(changes.map((change) => Math.max(change, 0)))
      const loss = smooth(changes.map((change) => Math.max(-change, 0)))
      if (gain + loss === 0) return 50
      return 100 - 100 / (1 + gain / loss)
    },
  }
const MAKE = { sma, ema, rsi }

describe.each(['sma', 'ema', 'rsi'] as const)('%s', (kind) => {
  test('is what the definition says, to a billionth, after every close', () => {
    const closes = fc.array(fc.integer({ min: 1_000, max: 1_000_000 }), { minLength: 1, maxLength: 120 })
    fc.assert(
      fc.property(closes, fc.integer({ min: 1, max: 20 }), (given, length) => {
        const indicator = MAKE[kind](length)
        given.forEach((close, index) => {
          feed(indicator, close)
          const expected = ORACLES[kind](given.slice(0, index + 1), length)
          expect(isReady(indicator)).toBe(expected !== undefined)
          const error = expected === undefined ? 0 : Math.abs(indicator.value - expected)
          expect(error).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected ?? 0)))
        })
      }),
      { numRuns: 100 },
    )
  })

  test('goes on after JSON as if nothing had happened', () => {
    const straight: Indicator = MAKE[kind](7)
    let stored: Indicator = MAKE[kind](7)
    for (let step = 0; step < 50; step += 1) {
      const close = 1_000 + ((step * 7_919) % 211)
      feed(straight, close)
      feed(stored, close)
      stored = JSON.parse(JSON.stringify(stored)) as Indicator
    }
    expect(stored).toEqual(straight)
  })

  test('refuses a length that is not a whole number above zero', () => {
    expect(() => MAKE[kind](0)).toThrow(RangeError)
    expect(() => MAKE[kind](1.5)).toThrow(RangeError)
  })
})

test('a mean does not drift over a million closes', () => {
  const indicator = sma(20)
  const last: number[] = []
  for (let step = 0; step < 1_000_000; step += 1) {
    const close = 70_000 + Math.sin(step) * 1_000
    feed(indicator, close)
    last.push(close)
    if (last.length > 20) last.shift()
  }
  expect(Math.abs(indicator.value / mean(last) - 1)).toBeLessThan(1e-12)
})

test('the RSI of prices that do not move is 50, of prices that only rise 100', () => {
  const still = rsi(3)
  const rising = rsi(3)
  for (let step = 1; step <= 10; step += 1) {
    feed(still, 100)
    feed(rising, step)
  }
  expect([still.value, rising.value]).toEqual([50, 100])
})

describe('a crossing', () => {
  /** Means of one close: the values themselves. */
  const at = (before: number, now: number): Indicator => {
    const line = sma(1)
    feed(line, before)
    feed(line, now)
    return line
  }
  test.each([
    // line        other    above  below
    [at(1, 3), 2, true, false],
    [at(2, 3), 2, true, false],
    [at(3, 4), 2, false, false],
    [at(3, 1), 2, false, true],
    [at(2, 1), 2, false, true],
    [at(2, 2), 2, false, false],
    [at(1, 2), 2, false, false],
    [at(1, 3), at(2, 2.5), true, false],
  ] as const)('case %#', (line, other, above, below) => {
    expect([crossedAbove(line, other), crossedBelow(line, other)]).toEqual([above, below])
  })

  test('is not seen on the first value, which has nothing before it', () => {
    const line = sma(1)
    feed(line, 5)
    expect(crossedAbove(line, 2)).toBe(false)
  })
})
