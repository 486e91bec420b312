import {
  OrderAbsent,
  OrderAccepted,
  OrderApproved,
  OrderDenied,
  OrderExpired,
  OrderOutcomeUnknown,
  OrderRejected,
  OrderSubmitted,
} from '#shared/events/orders.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const placeOrder = defineFunction({
  name: 'place-order',
  summary:
    'Records the intent to send an approved order, sends it once, and records what the broker answered.',
  consumes: [OrderApproved, OrderAbsent],
  produces: [OrderSubmitted, OrderAccepted, OrderRejected, OrderOutcomeUnknown, OrderDenied, OrderExpired],
  timeoutMs: 15_000,
  scale: { min: 1, max: 4 },
})
