import { OrderApproved, OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const riskCheck = defineFunction({
  name: 'risk-check',
  summary:
    'Approves or denies a requested order against the limits of its account, and reserves what it may use.',
  consumes: [OrderRequested],
  produces: [OrderApproved, OrderDenied],
  timeoutMs: 2_000,
  scale: { min: 1, max: 4 },
})
