// Builders that keep the eye on what differs.
import type { AccountSnapshot, Position, Reservation } from '#shared/domain/account.ts'
import { type Instrument, type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import type { OrderRequest, Side } from '#shared/domain/order.ts'
import type { RiskLimits } from '#shared/domain/risk.ts'
import { type Instant, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { ZERO_MONEY, money, price, quantity, ratio } from '#shared/domain/values.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'

export const ACCOUNT = 'kis:5012345601'
export const SAMSUNG: InstrumentId = instrumentId('005930.KRX')
export const HYNIX: InstrumentId = instrumentId('000660.KRX')
/** A Tuesday with a session. */
export const DATE = sessionDate('2025-09-02')
/** In the middle of continuous trading. */
export const NOON: Instant = kstInstant(DATE, timeOfDay('12:00'))

export const samsung: Instrument = {
  id: SAMSUNG,
  name: '삼성전자',
  kind: 'stock',
  market: 'KOSPI',
  currency: 'KRW',
  quantityIncrement: quantity('1'),
  isTradable: true,
  basePrice: price('70000'),
  basePriceDate: DATE,
}

/** `'buy 10 @ 70000'`, or `'sell 3 @ market'`. */
export function request(text: string, over: Partial<OrderRequest> = {}): OrderRequest {
  const match = /^(buy|sell) (\d+) @ (market|[\d.]+)$/.exec(text)
  if (match === null) throw new Error(`not an order: ${text}`)
  const [, side, units = '', at = ''] = match
  return {
    accountId: ACCOUNT,
    clientOrderId: 'order-1',
    requestedBy: 'strategy-1',
    instrumentId: SAMSUNG,
    side: side as Side,
    orderType: at === 'market' ? 'market' : 'limit',
    timeInForce: 'day',
    quantity: quantity(units),
    ...(at === 'market' ? {} : { limitPrice: price(at) }),
    decidedTime: NOON,
    ...over,
  }
}

export const limits = (over: Partial<RiskLimits> = {}): RiskLimits => ({
  version: 'limits-1',
  orderQuantityMax: quantity('1000'),
  orderNotionalMax: money('10000000'),
  positionNotionalMax: money('20000000'),
  positionConcentrationMax: ratio('0.5'),
  portfolioNotionalMax: money('50000000'),
  dailyLossMax: money('1000000'),
  ordersPerSecondMax: 5,
  duplicateWindowMs: 3_000,
  factsAgeMsMax: 2_000,
  requestAgeMsMax: 5_000,
  ...over,
})

export const position = (of: InstrumentId, units: bigint, openNotional: string): Position => ({
  instrumentId: of,
  quantity: units,
  openNotional: money(openNotional),
  realizedPnl: ZERO_MONEY,
})

/** An active account with 100 million won and nothing else. */
export const account = (over: Partial<AccountSnapshot> = {}): AccountSnapshot => ({
  accountId: ACCOUNT,
  version: 7n,
  tradingState: 'active',
  currency: 'KRW',
  cash: money('100000000'),
  openingEquity: money('100000000'),
  openingDate: DATE,
  positions: [],
  reservations: [],
  recentOrders: [],
  ...over,
})

export const working = (text: string, over: Partial<Reservation> = {}): Reservation => {
  const order = request(text)
  const at = order.limitPrice ?? price('91000')
  return {
    clientOrderId: 'working-1',
    instrumentId: order.instrumentId,
    side: order.side,
    orderType: order.orderType,
    ...(order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }),
    remainingQuantity: order.quantity,
    reservedPrice: at,
    cash: order.side === 'buy' ? money(((at / 10_000n) * order.quantity).toString()) : ZERO_MONEY,
    decidedTime: NOON,
    ...over,
  }
}

/** An order as the store has it, approved and not yet sent unless told otherwise. */
export const stored = (text: string, over: Partial<StoredOrder> = {}): StoredOrder => ({
  ...request(text),
  status: 'approved',
  revision: 1,
  limitsVersion: 'limits-1',
  attempt: 0,
  filledQuantity: quantity('0'),
  filledNotional: ZERO_MONEY,
  noticedQuantity: quantity('0'),
  listedQuantity: quantity('0'),
  reservedPrice: price('70000'),
  reservedCash: money('700105'),
  fee: ZERO_MONEY,
  tax: ZERO_MONEY,
  correlationId: 'frame-1',
  ...over,
})
