import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecimalError } from './decimal.ts'
import {
  type Money,
  type Price,
  type Quantity,
  type Ratio,
  addMoney,
  averagePriceOf,
  formatMoney,
  formatPrice,
  formatQuantity,
  formatRatio,
  minQuantity,
  money,
  negateMoney,
  notionalOf,
  price,
  quantity,
  ratio,
  ratioOf,
  shareOf,
  subtractMoney,
  toNumber,
} from './values.ts'

const anyMoney = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }).map((value) => value as Money)
const anyPrice = fc.bigInt({ min: 1n, max: 10n ** 11n }).map((value) => value as Price)
const anyQuantity = fc.bigInt({ min: 1n, max: 10n ** 9n }).map((value) => value as Quantity)
const anyRatio = fc.bigInt({ min: 0n, max: 10n ** 8n }).map((value) => value as Ratio)

describe('kinds', () => {
  test('a price passed as a quantity does not compile', () => {
    // @ts-expect-error the brands differ
    expect(notionalOf(quantity('1'), price('1'))).toBe(10_000n)
    // @ts-expect-error a bare bigint has no kind
    expect(addMoney(1n, money('1'))).toBe(10_001n)
  })

  test('a quantity has no fraction', () => {
    expect(() => quantity('1.5')).toThrow(DecimalError)
  })

  test('each kind is written as it is read', () => {
    expect(formatMoney(money('-1234.5'))).toBe('-1234.5')
    expect(formatPrice(price('0.0001'))).toBe('0.0001')
    expect(formatQuantity(quantity('42'))).toBe('42')
    expect(formatRatio(ratio('0.00000001'))).toBe('0.00000001')
  })
})

describe('arithmetic', () => {
  test('adding and taking away again changes nothing, at any size', () => {
    fc.assert(
      fc.property(anyMoney, anyMoney, (left, right) => {
        expect(subtractMoney(addMoney(left, right), right)).toBe(left)
        expect(addMoney(left, negateMoney(right))).toBe(subtractMoney(left, right))
      }),
    )
  })

  test('a notional is exact: its average price is the price', () => {
    fc.assert(
      fc.property(anyPrice, anyQuantity, (unit, units) => {
        expect(averagePriceOf(notionalOf(unit, units), units)).toBe(unit)
      }),
    )
  })

  test('an average that does not come out even is rounded half up unless told otherwise', () => {
    expect(formatPrice(averagePriceOf(money('100'), quantity('3')))).toBe('33.3333')
    expect(formatPrice(averagePriceOf(money('200'), quantity('3')))).toBe('66.6667')
    expect(formatPrice(averagePriceOf(money('200'), quantity('3'), 'down'))).toBe('66.6666')
  })

  test('the smaller quantity', () => {
    expect(minQuantity(quantity('3'), quantity('2'))).toBe(2n)
    expect(minQuantity(quantity('2'), quantity('3'))).toBe(2n)
  })
})

describe('shares', () => {
  test.each([
    // whole       part          down   up
    ['1000000', '0.00014', '140', '140'],
    ['995000', '0.00014', '139', '140'], // 139.3
    ['1', '0.1', '0', '1'],
    ['0', '0.5', '0', '0'],
  ] as const)('%s × %s is whole won: %s or %s', (whole, part, down, up) => {
    expect(formatMoney(shareOf(money(whole), ratio(part), 'down'))).toBe(down)
    expect(formatMoney(shareOf(money(whole), ratio(part), 'up'))).toBe(up)
  })

  test('the increment can be finer than one won', () => {
    expect(formatMoney(shareOf(money('995000'), ratio('0.00014'), 'down', money('0.1')))).toBe('139.3')
  })

  test('a share of a whole and what is left of it lose at most one won between them', () => {
    fc.assert(
      fc.property(anyPrice, anyQuantity, anyRatio, (unit, units, part) => {
        const whole = notionalOf(unit, units)
        const share = shareOf(whole, part, 'down')
        const exact = whole * part
        expect(exact - share * ratio('1')).toBeGreaterThanOrEqual(0n)
        expect(exact - share * ratio('1')).toBeLessThan(money('1') * ratio('1'))
      }),
    )
  })

  test('a ratio of two amounts is cut, not rounded up past a limit', () => {
    expect(formatRatio(ratioOf(money('1'), money('3')))).toBe('0.33333333')
    expect(formatRatio(ratioOf(money('2'), money('3')))).toBe('0.66666666')
    expect(() => ratioOf(money('1'), money('0'))).toThrow(RangeError)
  })

  test('a double is near enough for statistics', () => {
    expect(toNumber(money('1234.5678'))).toBe(1234.5678)
  })
})
