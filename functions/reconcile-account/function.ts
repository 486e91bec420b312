import { ExecutionReported, StreamConnected } from '#shared/events/executions.ts'
import { OrderAbsent, OrderOutcomeUnknown, OrderParked } from '#shared/events/orders.ts'
import { AccountReconciled, TradingStateChanged } from '#shared/events/risk.ts'
import { SessionPhaseChanged, TimerFired } from '#shared/events/timers.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const reconcileAccount = defineFunction({
  name: 'reconcile-account',
  summary:
    "Compares our record with the broker's lists, settles unclear orders by evidence, and opens an account's session.",
  consumes: [StreamConnected, OrderOutcomeUnknown, SessionPhaseChanged, TimerFired],
  produces: [
    ExecutionReported,
    OrderAbsent,
    OrderOutcomeUnknown,
    OrderParked,
    AccountReconciled,
    TradingStateChanged,
  ],
  timeoutMs: 60_000,
  scale: { min: 1, max: 1 },
})
