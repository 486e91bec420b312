// What an order holds of an account until it closes.
import type { Reservation } from './account.ts'
import type { OrderRequest } from './order.ts'
import {
  type Money,
  type Price,
  type Quantity,
  type Ratio,
  ZERO_MONEY,
  addMoney,
  notionalOf,
  shareOf,
} from './values.ts'

/** Cash held for what is left of an order: for a buy its notional and the fee on it, rounded up; for a sell nothing. */
export function reservedCashOf(
  order: { readonly side: 'buy' | 'sell' },
  reservedPrice: Price,
  remaining: Quantity,
  feeRatio: Ratio,
): Money {
  if (order.side === 'sell') return ZERO_MONEY
  const notional = notionalOf(reservedPrice, remaining)
  return addMoney(notional, shareOf(notional, feeRatio, 'up'))
}

/**
 * The reservation of an order that has not traded yet.
 * `reservedPrice` is the limit price, or the upper daily limit for a market order (KIS checks market buys at it).
 */
export function reservationOf(order: OrderRequest, reservedPrice: Price, feeRatio: Ratio): Reservation {
  return {
    clientOrderId: order.clientOrderId,
    instrumentId: order.instrumentId,
    side: order.side,
    orderType: order.orderType,
    ...(order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }),
    remainingQuantity: order.quantity,
    reservedPrice,
    cash: reservedCashOf(order, reservedPrice, order.quantity, feeRatio),
    decidedTime: order.decidedTime,
  }
}
