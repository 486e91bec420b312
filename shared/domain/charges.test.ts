import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChargedOrder, chargesOn } from './charges.ts'
import { INSTRUMENT_KINDS, MARKETS } from './instrument.ts'
import { SIDES } from './order.ts'
import { sessionDate } from './time.ts'
import { type Money, type Ratio, ZERO_MONEY, addMoney, formatMoney, money, ratio } from './values.ts'

const SELL: ChargedOrder = {
  side: 'sell',
  kind: 'stock',
  market: 'KOSPI',
  date: sessionDate('2026-10-07'),
  feeRatio: ratio('0.00014'),
}
const charged = (order: ChargedOrder, before: string, after: string): string => {
  const { fee, tax } = chargesOn(order, money(before), money(after))
  return `fee ${formatMoney(fee)} tax ${formatMoney(tax)}`
}

describe('charges on one fill', () => {
  test.each([
    // order                                                before     after      charges
    [SELL, '0', '995000', 'fee 139 tax 1990'], // 139.3 and 1,990
    [{ ...SELL, side: 'buy' }, '0', '995000', 'fee 139 tax 0'],
    [{ ...SELL, kind: 'etp' }, '0', '995000', 'fee 139 tax 0'],
    [{ ...SELL, date: sessionDate('2025-12-26') }, '0', '995000', 'fee 139 tax 1492'], // 0.15 %: 1,492.5
    [{ ...SELL, market: 'KONEX' }, '0', '995000', 'fee 139 tax 995'],
    [{ ...SELL, feeRatio: ratio('0') }, '0', '995000', 'fee 0 tax 1990'],
    [SELL, '0', '499', 'fee 0 tax 0'], // less than a won of each
    [SELL, '499', '500', 'fee 0 tax 1'], // the won is due when the order's total reaches it
    [SELL, '500', '500', 'fee 0 tax 0'],
  ] as const)('%o from %s to %s: %s', (order, before, after, expected) => {
    expect(charged(order, before, after)).toBe(expected)
  })

  test.each([
    ['100', '99'],
    ['-1', '0'],
  ])('a traded notional that goes from %s to %s is refused', (before, after) => {
    expect(() => charged(SELL, before, after)).toThrow(RangeError)
  })
})

describe('charges on an order', () => {
  const anyOrder = fc.record({
    side: fc.constantFrom(...SIDES),
    kind: fc.constantFrom(...INSTRUMENT_KINDS),
    market: fc.constantFrom(...MARKETS),
    date: fc.constantFrom('2019-05-29', '2022-12-28', '2024-06-03', '2026-10-07').map(sessionDate),
    feeRatio: fc.bigInt({ min: 0n, max: 10n ** 6n }).map((value) => value as Ratio),
  })
  const anyPieces = fc
    .array(fc.bigInt({ min: 1n, max: 10n ** 10n }), { minLength: 1, maxLength: 30 })
    .map((pieces) => pieces as Money[])

  test('however the broker cuts it into fills, the charges come to the same, and none is ever negative', () => {
    fc.assert(
      fc.property(anyOrder, anyPieces, (order, pieces) => {
        let traded = ZERO_MONEY
        let fees = ZERO_MONEY
        let taxes = ZERO_MONEY
        for (const piece of pieces) {
          const after = addMoney(traded, piece)
          const { fee, tax } = chargesOn(order, traded, after)
          expect(fee >= 0n && tax >= 0n).toBe(true)
          fees = addMoney(fees, fee)
          taxes = addMoney(taxes, tax)
          traded = after
        }
        expect({ fee: fees, tax: taxes }).toEqual(chargesOn(order, ZERO_MONEY, traded))
      }),
    )
  })
})
