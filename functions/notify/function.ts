import {
  NotificationDelivered,
  NotificationFailed,
  NotificationRequested,
} from '#shared/events/notifications.ts'
import {
  OrderDenied,
  OrderFilled,
  OrderOutcomeUnknown,
  OrderParked,
  OrderRejected,
} from '#shared/events/orders.ts'
import {
  AccountReconciled,
  AccountValued,
  LimitBreached,
  LiquidationOrdered,
  TradingStateChanged,
} from '#shared/events/risk.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const notify = defineFunction({
  name: 'notify',
  summary: 'Tells people what happened: by severity, over e-mail, Slack and webhooks, once a channel.',
  consumes: [
    NotificationRequested,
    AccountReconciled,
    AccountValued,
    LimitBreached,
    LiquidationOrdered,
    TradingStateChanged,
    OrderDenied,
    OrderFilled,
    OrderOutcomeUnknown,
    OrderParked,
    OrderRejected,
  ],
  produces: [NotificationDelivered, NotificationFailed],
  timeoutMs: 30_000,
  /** One at most: message rates are counted in the process. */
  scale: { min: 0, max: 1 },
})
