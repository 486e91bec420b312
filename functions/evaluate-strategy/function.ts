import { BarClosed, SignalRaised, TickTraded } from '#shared/events/market.ts'
import {
  OrderAmended,
  OrderApproved,
  OrderCanceled,
  OrderDenied,
  OrderExpired,
  OrderFilled,
  OrderPartiallyFilled,
  OrderRejected,
  OrderRequested,
  PositionChanged,
} from '#shared/events/orders.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const evaluateStrategy = defineFunction({
  name: 'evaluate-strategy',
  summary: 'Runs every enabled strategy on a tick or a closed bar; emits signals and order requests.',
  consumes: [
    TickTraded,
    BarClosed,
    PositionChanged,
    OrderApproved,
    OrderAmended,
    OrderPartiallyFilled,
    OrderFilled,
    OrderDenied,
    OrderRejected,
    OrderCanceled,
    OrderExpired,
  ],
  produces: [SignalRaised, OrderRequested],
  timeoutMs: 10_000,
  /** One: indicators and orders in flight live in the process. */
  scale: { min: 1, max: 1 },
})
