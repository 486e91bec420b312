import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecimalError, type Rounding, divideRounded, formatDecimal, parseDecimal } from './decimal.ts'

const places = fc.integer({ min: 0, max: 8 })
const scaled = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })

describe('reading a decimal', () => {
  test.each([
    // text          places  scaled
    ['0', 4, 0n],
    ['-0', 4, 0n],
    ['1', 4, 10_000n],
    ['1.5', 4, 15_000n],
    ['-1.5', 4, -15_000n],
    ['0.0001', 4, 1n],
    ['1.50000000', 4, 15_000n], // more places, but nothing in them
    ['007', 0, 7n],
    ['123456789012345678901234567890', 0, 123456789012345678901234567890n], // far beyond a double
  ] as const)('%s at %i places', (text, at, expected) => {
    expect(parseDecimal(text, at)).toBe(expected)
  })

  test.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '1e3',
    '.5',
    '5.',
    '1,000',
    '0x10',
    'NaN',
    'Infinity',
    '--1',
    '1.2.3',
    '١',
  ])('%j is refused, not guessed at', (text) => {
    expect(() => parseDecimal(text, 4)).toThrow(DecimalError)
  })

  test('a digit that the scale cannot hold is refused, never cut', () => {
    expect(() => parseDecimal('0.00001', 4)).toThrow('more than 4 decimal places: "0.00001"')
    expect(() => parseDecimal('1.1', 0)).toThrow(DecimalError)
  })
})

describe('writing a decimal', () => {
  test.each([
    [0n, 4, '0'],
    [1n, 4, '0.0001'],
    [-1n, 4, '-0.0001'],
    [15_000n, 4, '1.5'],
    [10_000n, 4, '1'],
    [-100n, 0, '-100'],
  ] as const)('%s at %i places is %s', (value, at, expected) => {
    expect(formatDecimal(value, at)).toBe(expected)
  })

  test('what is written reads back as the same number', () => {
    fc.assert(
      fc.property(scaled, places, (value, at) => {
        expect(parseDecimal(formatDecimal(value, at), at)).toBe(value)
      }),
    )
  })
})

describe('dividing', () => {
  test.each([
    // dividend divisor rounding   quotient
    [7n, 2n, 'down', 3n],
    [7n, 2n, 'up', 4n],
    [7n, 2n, 'halfUp', 4n],
    [5n, 4n, 'halfUp', 1n],
    [8n, 2n, 'up', 4n],
    [-7n, 2n, 'down', -3n],
    [-7n, 2n, 'up', -4n],
    [-7n, 2n, 'halfUp', -4n],
    [0n, 3n, 'up', 0n],
  ] as const)('%s by %s %s is %s', (dividend, divisor, rounding, expected) => {
    expect(divideRounded(dividend, divisor, rounding)).toBe(expected)
  })

  test.each([0n, -1n])('a divisor of %s is refused', (divisor) => {
    expect(() => divideRounded(1n, divisor, 'down')).toThrow(RangeError)
  })

  test('down never passes the exact quotient, up never stops short of it, and they are one apart at most', () => {
    fc.assert(
      fc.property(scaled, fc.bigInt({ min: 1n, max: 10n ** 20n }), (dividend, divisor) => {
        const [down, up, nearest] = (['down', 'up', 'halfUp'] as const).map((rounding: Rounding) => {
          const quotient = divideRounded(dividend, divisor, rounding)
          return (quotient < 0n ? -quotient : quotient) * divisor
        })
        const exact = dividend < 0n ? -dividend : dividend
        expect(down !== undefined && down <= exact && exact - down < divisor).toBe(true)
        expect(up !== undefined && up >= exact && up - exact < divisor).toBe(true)
        expect(nearest === up || nearest === down).toBe(true)
      }),
    )
  })
})
