import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Position } from './account.ts'
import { instrumentId } from './instrument.ts'
import { type Side, directionOf } from './order.ts'
import { FillError, type PositionFill, applyFill, averagePriceOfPosition, cashChangeOf } from './position.ts'
import {
  type Money,
  type Quantity,
  ZERO_MONEY,
  formatMoney,
  formatPrice,
  money,
  notionalOf,
} from './values.ts'
import { price, quantity } from './values.ts'

const ID = instrumentId('005930.KRX')

/** `buy 10 @ 100 fee 1 tax 0`; fee and tax are zero when left out. */
function fill(text: string): PositionFill {
  const [side, units = '', , unit = '', , fee = '0', , tax = '0'] = text.split(' ')
  return {
    instrumentId: ID,
    side: side as Side,
    quantity: quantity(units),
    notional: notionalOf(price(unit), quantity(units)),
    fee: money(fee),
    tax: money(tax),
  }
}

const after = (fills: readonly PositionFill[]): Position | undefined =>
  fills.reduce<Position | undefined>((position, next) => applyFill(position, next), undefined)

const shown = (position: Position | undefined): string =>
  position === undefined
    ? 'none'
    : `${position.quantity} open ${formatMoney(position.openNotional)} realized ${formatMoney(position.realizedPnl)}`

describe('a position after its fills', () => {
  test.each([
    [['buy 10 @ 100'], '10 open 1000 realized 0'],
    [['buy 10 @ 100 fee 3'], '10 open 1000 realized -3'],
    [['buy 10 @ 100', 'buy 10 @ 200'], '20 open 3000 realized 0'],
    [['buy 10 @ 100', 'sell 4 @ 150 fee 1 tax 2'], '6 open 600 realized 197'],
    [['buy 10 @ 100', 'sell 10 @ 90'], '0 open 0 realized -100'],
    [['buy 10 @ 100', 'sell 10 @ 90', 'buy 5 @ 80'], '5 open 400 realized -100'],
    // short, and back
    [['sell 10 @ 100 fee 1'], '-10 open -1000 realized -1'],
    [['sell 10 @ 100', 'sell 10 @ 120'], '-20 open -2200 realized 0'],
    [['sell 10 @ 100', 'buy 4 @ 90'], '-6 open -600 realized 40'],
    // through zero
    [['buy 10 @ 100', 'sell 15 @ 120 fee 3 tax 2'], '-5 open -600 realized 195'],
    [['sell 10 @ 100', 'buy 15 @ 90'], '5 open 450 realized 100'],
    // a third of 100 does not come out even: the release is cut, what stays carries the rest
    [['buy 3 @ 33.3334', 'sell 1 @ 40'], '2 open 66.6668 realized 6.6666'],
  ] as const)('%j: %s', (fills, expected) => {
    expect(shown(after(fills.map(fill)))).toBe(expected)
  })

  test('an uneven cost is released in cut shares and is exactly gone at the end', () => {
    const cost = { ...fill('buy 3 @ 0'), notional: money('100') }
    const sale = fill('sell 1 @ 40')
    expect(shown(after([cost, sale]))).toBe('2 open 66.6667 realized 6.6667')
    expect(shown(after([cost, sale, sale]))).toBe('1 open 33.3334 realized 13.3334')
    expect(shown(after([cost, sale, sale, sale]))).toBe('0 open 0 realized 20')
  })

  test.each([
    ['no quantity', { quantity: 0n as Quantity }],
    ['a negative quantity', { quantity: -1n as Quantity }],
    ['a negative notional', { notional: money('-1') }],
    ['another instrument', { instrumentId: instrumentId('000660.KRX') }],
  ])('a fill with %s is refused', (_name, change) => {
    const position = applyFill(undefined, fill('buy 1 @ 1'))
    expect(() => applyFill(position, { ...fill('buy 1 @ 1'), ...change })).toThrow(FillError)
  })
})

describe('cash after a fill', () => {
  test.each([
    ['buy 10 @ 100 fee 3', '-1003'],
    ['sell 10 @ 100 fee 3 tax 2', '995'],
  ])('%s: %s', (text, expected) => {
    expect(formatMoney(cashChangeOf(fill(text)))).toBe(expected)
  })
})

describe('average price', () => {
  test.each([
    [['buy 10 @ 100', 'buy 5 @ 101'], '100.3333'],
    [['sell 10 @ 100', 'sell 5 @ 102'], '100.6667'],
  ] as const)('%j: %s', (fills, expected) => {
    const position = after(fills.map(fill))
    const average = position === undefined ? undefined : averagePriceOfPosition(position)
    expect(average === undefined ? undefined : formatPrice(average)).toBe(expected)
  })

  test('a flat position has none', () => {
    const flat = applyFill(applyFill(undefined, fill('buy 1 @ 100')), fill('sell 1 @ 90'))
    expect(averagePriceOfPosition(flat)).toBeUndefined()
  })
})

const anyMoney = (max: bigint): fc.Arbitrary<Money> =>
  fc.bigInt({ min: 0n, max }).map((value) => value as Money)

describe('whatever the fills', () => {
  const anyFill: fc.Arbitrary<PositionFill> = fc.record({
    instrumentId: fc.constant(ID),
    side: fc.constantFrom('buy', 'sell'),
    quantity: fc.bigInt({ min: 1n, max: 1_000n }).map((value) => value as Quantity),
    notional: anyMoney(10n ** 12n),
    fee: anyMoney(10n ** 6n),
    tax: anyMoney(10n ** 6n),
  })
  const anyFills = fc.array(anyFill, { minLength: 1, maxLength: 40 })

  test('P1: realized less open is the cash that moved, to the last ten-thousandth of a won', () => {
    fc.assert(
      fc.property(anyFills, (fills) => {
        let position: Position | undefined
        let cash = 0n
        for (const next of fills) {
          position = applyFill(position, next)
          cash += cashChangeOf(next)
          expect(position.realizedPnl - position.openNotional).toBe(cash)
        }
      }),
    )
  })

  test('P2, P3: flat is exactly zero, and the open notional has the sign of the quantity', () => {
    fc.assert(
      fc.property(anyFills, (fills) => {
        let position: Position | undefined
        let net = 0n
        for (const next of fills) {
          position = applyFill(position, next)
          net += directionOf(next.side) * next.quantity
          expect(position.quantity).toBe(net)
          expect(position.quantity * position.openNotional).toBeGreaterThanOrEqual(0n)
          expect(net === 0n && position.openNotional !== ZERO_MONEY).toBe(false)
        }
      }),
    )
  })

  test('closing everything leaves the whole result in realized, equal to the cash', () => {
    fc.assert(
      fc.property(anyFills, anyMoney(10n ** 12n), (fills, notional) => {
        const open = after(fills)
        fc.pre(open !== undefined && open.quantity !== 0n)
        const isLong = (open?.quantity ?? 0n) > 0n
        const closing: PositionFill = {
          ...fill('buy 1 @ 1'),
          side: isLong ? 'sell' : 'buy',
          quantity: (isLong ? (open?.quantity ?? 0n) : -(open?.quantity ?? 0n)) as Quantity,
          notional,
        }
        const flat = applyFill(open, closing)
        const cash = [...fills, closing].reduce((sum, next) => sum + cashChangeOf(next), 0n)
        expect([flat.quantity, flat.openNotional, flat.realizedPnl]).toEqual([0n, 0n, cash])
      }),
    )
  })
})
