// The chain from the market event that began it to the last fill: what happened, why, and by whom.
import { isOf } from '#shared/events/contract.ts'
import type { Event } from '#shared/events/contract.ts'
import { BarClosed, FrameReceived, SignalRaised, TickTraded } from '#shared/events/market.ts'
import {
  OrderAccepted,
  OrderApproved,
  OrderDenied,
  OrderFilled,
  OrderOutcomeUnknown,
  OrderPartiallyFilled,
  OrderRejected,
  OrderRequested,
  OrderSubmitted,
} from '#shared/events/orders.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import type { Stores } from './stores.ts'

export interface Link {
  readonly time: string
  readonly type: string
  readonly eventId: string
  readonly causationId: string
  readonly summary: string
}

const CHAIN_MAX = 500

/** Oldest first. What is archived and what is stored with the order are joined by event id. */
export async function chainOf(
  order: StoredOrder,
  stores: Pick<Stores, 'orders' | 'archive'>,
): Promise<readonly Link[]> {
  const [stored, archived] = await Promise.all([
    stores.orders.history(order.clientOrderId),
    archivedChain(order, stores.archive),
  ])
  const steps = stored.filter((event) => concerns(event, order))
  const ids = new Set(steps.map((event) => event.id))
  const causes = archived.filter((event) => !ids.has(event.id) && concerns(event, order))
  return [...inOrder(causes), ...steps].toSorted(byTime).map((event) => ({
    time: event.time,
    type: event.type,
    eventId: event.id,
    causationId: event.causationid,
    summary: summaryOf(event),
  }))
}

/** Stable: what led to the order stays before what became of it. */
const byTime = (left: Event, right: Event): number => left.time.localeCompare(right.time)

async function archivedChain(order: StoredOrder, archive: Stores['archive']): Promise<readonly Event[]> {
  await archive.flush()
  return archive.byCorrelation(order.correlationId, CHAIN_MAX)
}

/** One market event can begin several orders: the siblings are left out. */
const concerns = (event: Event, order: StoredOrder): boolean => {
  const { data } = event
  if (typeof data !== 'object' || data === null) return true
  if ('clientOrderId' in data) return data.clientOrderId === order.clientOrderId
  if ('instrumentId' in data) return data.instrumentId === order.instrumentId
  return true
}

/** Causes before effects. */
function inOrder(events: readonly Event[]): readonly Event[] {
  const byId = new Map(events.map((event) => [event.id, event]))
  const depthOf = (event: Event, seen = 0): number => {
    const cause = event.causationid === event.id ? undefined : byId.get(event.causationid)
    return cause === undefined || seen > CHAIN_MAX ? 0 : 1 + depthOf(cause, seen + 1)
  }
  const depth = new Map(events.map((event) => [event.id, depthOf(event)]))
  return events.toSorted((left, right) => (depth.get(left.id) ?? 0) - (depth.get(right.id) ?? 0))
}

function summaryOf(event: Event): string {
  if (isOf(FrameReceived, event)) return `frame on ${event.data.channel} from ${event.data.broker}`
  if (isOf(TickTraded, event))
    return `${event.data.instrumentId} traded ${event.data.quantity} @ ${event.data.price}`
  if (isOf(BarClosed, event)) {
    const { interval, open, high, low, close, volume } = event.data
    return `${interval} bar closed: ${open} ${high} ${low} ${close}, volume ${volume}`
  }
  if (isOf(SignalRaised, event)) {
    const evidence = Object.entries(event.data.evidence).map(([name, value]) => `${name}=${value}`)
    return `${event.data.strategyId} v${event.data.parametersVersion} says ${event.data.direction}: ${evidence.join(' ')}`
  }
  if (isOf(OrderRequested, event)) {
    const { side, quantity, limitPrice, reason, requestedBy } = event.data
    return `${requestedBy} wants to ${side} ${quantity} @ ${limitPrice ?? 'market'}: ${reason}`
  }
  if (isOf(OrderApproved, event)) {
    return `approved against ${event.data.limitsVersion}, ${event.data.reservedCash} reserved`
  }
  if (isOf(OrderDenied, event)) return `denied ${event.data.code} ${event.data.detail}`
  if (isOf(OrderSubmitted, event))
    return `intent recorded, attempt ${event.data.attempt}, epoch ${event.data.epoch}`
  if (isOf(OrderAccepted, event))
    return `the broker has it as ${event.data.brokerOrderId} (${event.data.evidence})`
  if (isOf(OrderRejected, event)) return `rejected ${event.data.code} ${event.data.detail}`
  if (isOf(OrderOutcomeUnknown, event)) return `outcome unknown: ${event.data.cause} ${event.data.detail}`
  if (isOf(OrderPartiallyFilled, event) || isOf(OrderFilled, event)) {
    const { lastQuantity, lastPrice, filledQuantity, remainingQuantity, fee, tax } = event.data
    return `traded ${lastQuantity} @ ${lastPrice}, filled ${filledQuantity}, left ${remainingQuantity}, fee ${fee}, tax ${tax}`
  }
  return event.type.slice('jts.'.length)
}
