import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { INSTRUMENT_KINDS, MARKETS, type Market } from './instrument.ts'
import { nextSessionDate, previousSessionDate, settlementDateOf } from './krx-calendar.ts'
import {
  KRX_RULES_FROM,
  KrxRuleError,
  isOnTick,
  priceLimitsOf,
  roundToPriceIncrement,
  sellTaxRatioOf,
  tickSizeOf,
} from './krx-rules.ts'
import { type SessionDate, addDays, sessionDate } from './time.ts'
import { type Price, formatPrice, formatRatio, price, ratio } from './values.ts'

const TODAY = sessionDate('2026-10-07')
const STOCK = { kind: 'stock', market: 'KOSPI' } as const
const day = (text: string): SessionDate => sessionDate(text)
const tick = (...args: Parameters<typeof tickSizeOf>): string => formatPrice(tickSizeOf(...args))

const anyKind = fc.constantFrom(...INSTRUMENT_KINDS)
const anyMarket = fc.constantFrom(...MARKETS)
const anyDate = fc.integer({ min: 0, max: 6_200 }).map((days) => addDays(KRX_RULES_FROM, days))
/** Won with four places, dense where the tick table changes. */
const anyPrice = fc
  .oneof(fc.bigInt({ min: 1n, max: 30_000_000_000n }), fc.bigInt({ min: 1n, max: 100_000_000n }))
  .map((value) => value as Price)

describe('tick size', () => {
  test.each([
    // date        market    just below a bound and on it: price tick
    ['2026-10-07', 'KOSPI', '1 1, 1999 1, 2000 5, 4995 5, 5000 10, 19990 10, 20000 50, 49950 50, 50000 100'],
    ['2026-10-07', 'KOSPI', '199900 100, 200000 500, 499500 500, 500000 1000, 1500000 1000'],
    ['2026-10-07', 'KOSDAQ', '199900 100, 200000 500, 500000 1000'],
    ['2023-01-25', 'KONEX', '1999 1, 199900 100, 200000 500, 500000 1000'],
    ['2023-01-24', 'KOSPI', '999 1, 1000 5, 4995 5, 5000 10, 9990 10, 10000 50, 49950 50, 50000 100'],
    ['2023-01-24', 'KOSPI', '99900 100, 100000 500, 499500 500, 500000 1000'],
    ['2023-01-24', 'KOSDAQ', '999 1, 1000 5, 10000 50, 50000 100, 100000 100, 500000 100'],
    ['2023-01-24', 'KONEX', '100000 100, 500000 100'],
  ] as const)('of a stock, %s on %s: %s', (date, market, rows) => {
    for (const [at = '', expected] of rows.split(', ').map((text) => text.split(' '))) {
      expect([at, tick('stock', price(at), day(date), market)]).toEqual([at, expected])
    }
  })

  test.each([
    ['2026-10-07', '1999', '1'],
    ['2026-10-07', '2000', '5'],
    ['2026-10-07', '110745', '5'],
    ['2023-12-18', '1999', '1'],
    ['2023-12-15', '1995', '5'],
    ['2022-01-03', '500', '5'],
  ])('of an ETF, %s at %s: %s', (date, at, expected) => {
    expect(tick('etp', price(at), day(date))).toBe(expected)
  })

  test('with no market given, a price that is good is good on every market', () => {
    fc.assert(
      fc.property(anyKind, anyPrice, anyDate, anyMarket, (kind, at, date, market) => {
        const valid = roundToPriceIncrement(kind, at, date, 'up')
        expect(isOnTick(kind, valid, date, market)).toBe(true)
      }),
    )
  })

  test('a date before the tables is an error, not the oldest rule', () => {
    const before = addDays(KRX_RULES_FROM, -1)
    expect(() => tickSizeOf('stock', price('1000'), before)).toThrow(KrxRuleError)
    expect(() => priceLimitsOf(STOCK, price('1000'), before)).toThrow('no KRX rule known for 2010-10-03')
    expect(() => sellTaxRatioOf('stock', 'KOSPI', before)).toThrow(KrxRuleError)
  })
})

describe('prices on the grid', () => {
  test.each([
    ['272000', true],
    ['272250', false], // half a tick: a midpoint trade prints here, an order cannot
    ['272001', false],
    ['0', false],
    ['-500', false],
    ['1.5', false],
  ])('%s: %s', (at, expected) => {
    expect(isOnTick('stock', price(at), TODAY)).toBe(expected)
  })

  test.each([
    // price     down      up
    ['272250', '272000', '272500'],
    ['272000', '272000', '272000'],
    ['499501', '499500', '500000'], // up into the next row
    ['199999.9', '199900', '200000'],
    ['0.5', '0', '1'],
  ])('%s rounds to %s and %s', (at, down, up) => {
    expect(formatPrice(roundToPriceIncrement('stock', price(at), TODAY, 'down'))).toBe(down)
    expect(formatPrice(roundToPriceIncrement('stock', price(at), TODAY, 'up'))).toBe(up)
  })

  test('a price of zero or less cannot be rounded', () => {
    expect(() => roundToPriceIncrement('stock', price('0'), TODAY, 'up')).toThrow(RangeError)
    expect(() => roundToPriceIncrement('stock', price('-1'), TODAY, 'down')).toThrow(RangeError)
  })

  test('rounding gives the nearest good price on its side, on any day, kind and market', () => {
    fc.assert(
      fc.property(anyKind, anyPrice, anyDate, anyMarket, (kind, at, date, market) => {
        const down = roundToPriceIncrement(kind, at, date, 'down', market)
        const up = roundToPriceIncrement(kind, at, date, 'up', market)
        expect(down <= at && at <= up).toBe(true)
        expect(down === 0n || isOnTick(kind, down, date, market)).toBe(true)
        expect(isOnTick(kind, up, date, market)).toBe(true)
        expect(down === up).toBe(isOnTick(kind, at, date, market))
        expect(up - down).toBeLessThanOrEqual(tickSizeOf(kind, at, date, market))
      }),
      { numRuns: 500 },
    )
  })
})

describe('daily limits', () => {
  test.each([
    // As the broker stated them.
    ['stock', '2026-10-07', '272000', '190500', '353500'], // 190,400 is within 30 % and on the grid, and still refused
    ['etp', '2026-10-07', '110745', '77525', '143965'],
    ['stock', '2025-07-25', '66000', '46200', '85800'],
    ['stock', '2024-05-02', '78600', '55100', '102100'],
    ['stock', '2022-06-02', '128500', '90000', '167000'], // old ticks: width 38,550 cut to 38,500
    ['etp', '2026-01-05', '35980', '25190', '46770'],
    // By the rule.
    ['stock', '2015-06-12', '10000', '8500', '11500'],
    ['stock', '2022-06-02', '9990', '7000', '12950'], // 12,980 is off the tick of its own price
    ['stock', '2026-10-07', '19990', '14000', '25950'],
    ['stock', '2015-06-15', '10000', '7000', '13000'],
    ['stock', '2026-10-07', '3', '3', '3'], // 30 % is less than a tick
  ] as const)('%s on %s with base %s: %s to %s', (kind, date, base, lower, upper) => {
    const limits = priceLimitsOf({ kind, market: 'KOSPI' }, price(base), day(date))
    expect([formatPrice(limits.lower), formatPrice(limits.upper)]).toEqual([lower, upper])
  })

  test('KONEX kept 15 %', () => {
    const { lower, upper } = priceLimitsOf({ kind: 'stock', market: 'KONEX' }, price('10000'), TODAY)
    expect([formatPrice(lower), formatPrice(upper)]).toEqual(['8500', '11500'])
  })

  test.each([
    ['1', '22385', '15670', '29100'],
    ['2', '22385', '8955', '35815'],
    ['3', '10000', '1000', '19000'],
  ])('what moves %s times its index, from %s: %s to %s', (leverage, base, lower, upper) => {
    const etf = { kind: 'etp', market: 'KOSPI', leverage: ratio(leverage) } as const
    const limits = priceLimitsOf(etf, price(base), TODAY)
    expect([formatPrice(limits.lower), formatPrice(limits.upper)]).toEqual([lower, upper])
  })

  test('a base price of zero or less has no limits', () => {
    expect(() => priceLimitsOf(STOCK, price('0'), TODAY)).toThrow(RangeError)
  })

  test('limits are prices an order may name, hold the base between them, and never leave the ratio', () => {
    fc.assert(
      fc.property(anyKind, anyPrice, anyDate, anyMarket, (kind, at, date, market) => {
        const base = roundToPriceIncrement(kind, at, date, 'up', market)
        const { lower, upper } = priceLimitsOf({ kind, market }, base, date)
        expect(isOnTick(kind, lower, date, market) && isOnTick(kind, upper, date, market)).toBe(true)
        expect(lower <= base && base <= upper).toBe(true)
        expect((base - lower) * 10n <= base * 3n && (upper - base) * 10n <= base * 3n).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('sell tax', () => {
  test.each([
    // trade date    KOSPI     KOSDAQ    KONEX
    ['2019-05-29', '0.003', '0.003', '0.003'],
    ['2019-05-30', '0.0025', '0.0025', '0.001'],
    ['2020-12-28', '0.0025', '0.0025', '0.001'],
    ['2020-12-29', '0.0023', '0.0023', '0.001'],
    ['2022-12-27', '0.0023', '0.0023', '0.001'],
    ['2022-12-28', '0.002', '0.002', '0.001'],
    ['2023-12-26', '0.002', '0.002', '0.001'],
    ['2023-12-27', '0.0018', '0.0018', '0.001'],
    ['2024-12-26', '0.0018', '0.0018', '0.001'],
    ['2024-12-27', '0.0015', '0.0015', '0.001'],
    ['2025-12-26', '0.0015', '0.0015', '0.001'],
    ['2025-12-29', '0.002', '0.002', '0.001'],
    ['2026-10-07', '0.002', '0.002', '0.001'],
  ])('traded on %s: %s, %s, %s', (date, ...expected) => {
    const rates = MARKETS.map((market: Market) => formatRatio(sellTaxRatioOf('stock', market, day(date))))
    expect(rates).toEqual(expected)
  })

  test('a new rate begins with the first trade that settles in the new year', () => {
    for (const year of ['2024', '2025', '2026']) {
      let first = previousSessionDate(day(`${year}-01-01`))
      while (settlementDateOf(previousSessionDate(first)) >= `${year}-01-01`)
        first = previousSessionDate(first)
      const rate = sellTaxRatioOf('stock', 'KOSPI', first)
      expect(rate).not.toBe(sellTaxRatioOf('stock', 'KOSPI', previousSessionDate(first)))
      expect(rate).toBe(sellTaxRatioOf('stock', 'KOSPI', nextSessionDate(first)))
    }
  })

  test('ETF and ETN are exempt, on every market and day', () => {
    for (const market of MARKETS) {
      expect(sellTaxRatioOf('etp', market, TODAY)).toBe(0n)
      expect(sellTaxRatioOf('etp', market, day('2015-01-02'))).toBe(0n)
    }
  })
})
