import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chargesOn } from './charges.ts'
import { instrumentId } from './instrument.ts'
import type { OrderRequest } from './order.ts'
import { reservationOf, reservedCashOf } from './reservation.ts'
import { instant, sessionDate } from './time.ts'
import {
  type Price,
  type Quantity,
  type Ratio,
  ZERO_MONEY,
  addMoney,
  formatMoney,
  notionalOf,
} from './values.ts'
import { price, quantity, ratio } from './values.ts'

const buy: OrderRequest = {
  accountId: 'a1',
  clientOrderId: 'o1',
  requestedBy: 'operator:kim',
  instrumentId: instrumentId('005930.KRX'),
  side: 'buy',
  orderType: 'limit',
  timeInForce: 'day',
  quantity: quantity('10'),
  limitPrice: price('70000'),
  decidedTime: instant(0),
}

describe('cash held for an order', () => {
  test('a buy holds its notional and its fee, the fee rounded up', () => {
    const cash = reservedCashOf(buy, price('99500'), quantity('10'), ratio('0.00014'))
    expect(formatMoney(cash)).toBe('995140') // 139.3 of fee
  })

  test('a sell holds none: it brings cash', () => {
    expect(reservedCashOf({ side: 'sell' }, price('99500'), quantity('10'), ratio('0.00014'))).toBe(
      ZERO_MONEY,
    )
  })

  test('what a buy comes to, filled in any pieces at or below the reserved price, is never more than what it holds', () => {
    const cuts = fc.array(fc.bigInt({ min: 1n, max: 10_000n }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 10n }),
        cuts,
        fc.bigInt({ min: 0n, max: 10n ** 6n }),
        (unit, pieces, fee) => {
          const order = {
            side: 'buy',
            kind: 'stock',
            market: 'KOSPI',
            date: sessionDate('2026-03-03'),
          } as const
          const feeRatio = fee as Ratio
          const total = pieces.reduce((sum, piece) => sum + piece, 0n) as Quantity
          let paid = ZERO_MONEY
          let traded = ZERO_MONEY
          for (const piece of pieces) {
            const after = addMoney(traded, notionalOf(unit as Price, piece as Quantity))
            paid = addMoney(paid, chargesOn({ ...order, feeRatio }, traded, after).fee)
            traded = after
          }
          expect(addMoney(paid, traded)).toBeLessThanOrEqual(
            reservedCashOf(order, unit as Price, total, feeRatio),
          )
        },
      ),
    )
  })
})

describe('the reservation of a new order', () => {
  test('holds the whole order', () => {
    expect(reservationOf(buy, price('70000'), ratio('0'))).toEqual({
      clientOrderId: 'o1',
      instrumentId: '005930.KRX',
      side: 'buy',
      orderType: 'limit',
      limitPrice: price('70000'),
      remainingQuantity: 10n,
      reservedPrice: price('70000'),
      cash: notionalOf(price('70000'), quantity('10')),
      decidedTime: 0,
    })
  })

  test('of a market order has no limit price, not an undefined one', () => {
    const { limitPrice: _, ...rest } = buy
    const reservation = reservationOf({ ...rest, orderType: 'market' }, price('91000'), ratio('0'))
    expect(Object.hasOwn(reservation, 'limitPrice')).toBe(false)
    expect(formatMoney(reservation.cash)).toBe('910000')
  })
})
