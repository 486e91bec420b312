// Orders between the wire and the domain.
import { instrumentId } from '#shared/domain/instrument.ts'
import type { ApprovedOrder, OrderRequest } from '#shared/domain/order.ts'
import { formatInstant, parseInstant } from '#shared/domain/time.ts'
import { formatPrice, formatQuantity, price, quantity } from '#shared/domain/values.ts'
import type { DataOf } from './contract.ts'
import type { OrderApproved, OrderRequested } from './orders.ts'

type RequestData = Omit<DataOf<typeof OrderRequested>, 'reason'>

/** Data that its contract has validated. */
export function orderFromWire(data: RequestData): OrderRequest {
  return {
    accountId: data.accountId,
    clientOrderId: data.clientOrderId,
    requestedBy: data.requestedBy,
    instrumentId: instrumentId(data.instrumentId),
    side: data.side,
    orderType: data.orderType,
    timeInForce: data.timeInForce,
    quantity: quantity(data.quantity),
    ...(data.limitPrice === undefined ? {} : { limitPrice: price(data.limitPrice) }),
    decidedTime: parseInstant(data.decidedTime),
  }
}

export function orderToWire(order: OrderRequest): RequestData {
  return {
    accountId: order.accountId,
    clientOrderId: order.clientOrderId,
    requestedBy: order.requestedBy,
    instrumentId: order.instrumentId,
    side: order.side,
    orderType: order.orderType,
    timeInForce: order.timeInForce,
    quantity: formatQuantity(order.quantity),
    ...(order.limitPrice === undefined ? {} : { limitPrice: formatPrice(order.limitPrice) }),
    decidedTime: formatInstant(order.decidedTime),
  }
}

/** The only door by which an approval comes back from the wire. */
export const approvedFromWire = (data: DataOf<typeof OrderApproved>): ApprovedOrder =>
  ({ ...orderFromWire(data), limitsVersion: data.limitsVersion }) as ApprovedOrder
