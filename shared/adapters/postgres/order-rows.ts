// Rows of trading.orders and trading.fills ↔ the port's types.
import { instrumentId } from '#shared/domain/instrument.ts'
import type { OrderRequest, OrderType, Side, TimeInForce } from '#shared/domain/order.ts'
import { ORDER_STATUSES, type OrderStatus, isClosed } from '#shared/domain/order-lifecycle.ts'
import { type Instant, formatInstant, instant } from '#shared/domain/time.ts'
import { formatPrice, formatQuantity, money, price, quantity } from '#shared/domain/values.ts'
import type { Fill, StoredOrder } from '#shared/ports/order-store.ts'

export interface OrderRow {
  readonly account_id: string
  readonly client_order_id: string
  readonly requested_by: string
  readonly instrument_id: string
  readonly side: Side
  readonly order_type: OrderType
  readonly time_in_force: TimeInForce
  readonly quantity: string
  readonly limit_price: string | null
  readonly decided_time: Date
  readonly status: OrderStatus
  readonly revision: number
  readonly limits_version: string
  readonly attempt: number
  readonly broker_order_id: string | null
  readonly broker_route: string | null
  readonly filled_quantity: string
  readonly filled_notional: string
  readonly noticed_quantity: string
  readonly listed_quantity: string
  readonly reserved_price: string
  readonly reserved_cash: string
  readonly fee: string
  readonly tax: string
  readonly submitted_time: Date | null
  readonly correlation_id: string
}

/** For a SELECT or RETURNING; `o` is trading.orders. */
export const ORDER_COLUMNS = `o.account_id, o.client_order_id, o.requested_by, o.instrument_id, o.side, o.order_type,
  o.time_in_force, o.quantity, o.limit_price, o.decided_time, o.status, o.revision, o.limits_version, o.attempt,
  o.broker_order_id, o.broker_route, o.filled_quantity, o.filled_notional, o.noticed_quantity, o.listed_quantity,
  o.reserved_price, o.reserved_cash, o.fee, o.tax, o.submitted_time, o.correlation_id`

/** True for an order that is not closed; `o` is trading.orders. The condition of the index orders_open. */
export const IS_OPEN = `o.status NOT IN (${ORDER_STATUSES.filter(isClosed)
  .map((status) => `'${status}'`)
  .join(', ')})`

export const instantOf = (time: Date): Instant => instant(time.getTime())

export const orderOf = (row: OrderRow): StoredOrder => ({
  accountId: row.account_id,
  clientOrderId: row.client_order_id,
  requestedBy: row.requested_by,
  instrumentId: instrumentId(row.instrument_id),
  side: row.side,
  orderType: row.order_type,
  timeInForce: row.time_in_force,
  quantity: quantity(row.quantity),
  ...(row.limit_price === null ? {} : { limitPrice: price(row.limit_price) }),
  decidedTime: instantOf(row.decided_time),
  status: row.status,
  revision: row.revision,
  limitsVersion: row.limits_version,
  attempt: row.attempt,
  ...(row.broker_order_id === null ? {} : { brokerOrderId: row.broker_order_id }),
  ...(row.broker_route === null ? {} : { brokerRoute: row.broker_route }),
  filledQuantity: quantity(row.filled_quantity),
  filledNotional: money(row.filled_notional),
  noticedQuantity: quantity(row.noticed_quantity),
  listedQuantity: quantity(row.listed_quantity),
  reservedPrice: price(row.reserved_price),
  reservedCash: money(row.reserved_cash),
  fee: money(row.fee),
  tax: money(row.tax),
  ...(row.submitted_time === null ? {} : { submittedTime: instantOf(row.submitted_time) }),
  correlationId: row.correlation_id,
})

/** Values of the columns of REQUEST_COLUMNS, in that order. */
export const requestValues = (order: OrderRequest, correlationId: string): readonly unknown[] => [
  order.clientOrderId,
  order.accountId,
  order.requestedBy,
  order.instrumentId,
  order.side,
  order.orderType,
  order.timeInForce,
  formatQuantity(order.quantity),
  order.limitPrice === undefined ? null : formatPrice(order.limitPrice),
  formatInstant(order.decidedTime),
  correlationId,
]

export const REQUEST_COLUMNS = `client_order_id, account_id, requested_by, instrument_id, side, order_type,
  time_in_force, quantity, limit_price, decided_time, correlation_id`

export interface FillRow {
  readonly execution_id: string
  readonly client_order_id: string
  readonly account_id: string
  readonly instrument_id: string
  readonly side: Side
  readonly quantity: string
  readonly price: string
  readonly notional: string
  readonly fee: string
  readonly tax: string
  readonly origin: 'stream' | 'list'
  readonly event_time: Date
}

export const FILL_COLUMNS = `execution_id, client_order_id, account_id, instrument_id, side, quantity, price, notional,
  fee, tax, origin, event_time`

export const fillOf = (row: FillRow): Fill => ({
  executionId: row.execution_id,
  clientOrderId: row.client_order_id,
  accountId: row.account_id,
  instrumentId: instrumentId(row.instrument_id),
  side: row.side,
  quantity: quantity(row.quantity),
  price: price(row.price),
  notional: money(row.notional),
  fee: money(row.fee),
  tax: money(row.tax),
  origin: row.origin,
  eventTime: instantOf(row.event_time),
})
