import { ExecutionReported } from '#shared/events/executions.ts'
import { NotificationRequested } from '#shared/events/notifications.ts'
import {
  OrderAccepted,
  OrderCanceled,
  OrderExpired,
  OrderFilled,
  OrderPartiallyFilled,
  OrderRejected,
  PositionChanged,
} from '#shared/events/orders.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const recordExecution = defineFunction({
  name: 'record-execution',
  summary: 'Turns execution reports into order states, fills, positions, cash, fees and tax.',
  consumes: [ExecutionReported],
  produces: [
    OrderAccepted,
    OrderRejected,
    OrderPartiallyFilled,
    OrderFilled,
    OrderCanceled,
    OrderExpired,
    PositionChanged,
    NotificationRequested,
  ],
  timeoutMs: 5_000,
  scale: { min: 1, max: 4 },
})
