import {
  OrderApproved,
  OrderCanceled,
  OrderDenied,
  OrderExpired,
  OrderRejected,
  OrderRequested,
  PositionChanged,
} from '#shared/events/orders.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const riskCheck = defineFunction({
  name: 'risk-check',
  summary:
    'Approves or denies a requested order against the limits of its account, and reserves what it may use.',
  /** All but the first only keep its copy of the account young. */
  consumes: [OrderRequested, PositionChanged, OrderDenied, OrderRejected, OrderCanceled, OrderExpired],
  produces: [OrderApproved, OrderDenied],
  timeoutMs: 2_000,
  scale: { min: 1, max: 4 },
})
