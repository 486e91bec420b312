// What place-order knows: what an answer from the broker does to an order.
import { type OrderStep, nextStatus } from '#shared/domain/order-lifecycle.ts'
import { type Instant, formatInstant } from '#shared/domain/time.ts'
import { ZERO_MONEY } from '#shared/domain/values.ts'
import { output } from '#shared/events/contract.ts'
import { OrderAccepted, OrderOutcomeUnknown, OrderRejected } from '#shared/events/orders.ts'
import type { SendResult } from '#shared/ports/broker-gateway.ts'
import type { OrderChange, StoredOrder } from '#shared/ports/order-store.ts'
import type { OutputOf } from '#shared/runtime/function.ts'
import type { placeOrder } from './function.ts'

/** An answer that is recorded. `interrupted`: a crash, or a lost reply of our own, between send and record. */
export type Answer =
  | Extract<SendResult, { outcome: 'accepted' | 'rejected' | 'unknown' }>
  | { readonly outcome: 'unknown'; readonly cause: 'interrupted'; readonly detail: string }

const STEP: Record<Answer['outcome'], OrderStep> = {
  accepted: 'accept',
  rejected: 'reject',
  unknown: 'loseOutcome',
}

export interface AnswerEffect {
  readonly change: OrderChange
  readonly output: OutputOf<typeof placeOrder>
}

/**
 * Undefined when the order's life has gone past the answer (it filled before a late "unknown" was noted): nothing is
 * left to record.
 */
export function effectOf(answer: Answer, order: StoredOrder, at: Instant): AnswerEffect | undefined {
  const status = nextStatus(order.status, STEP[answer.outcome], order.filledQuantity)
  if (status === undefined) return undefined
  const { accountId, clientOrderId } = order
  const base = { accountId, clientOrderId, revision: order.revision, status }
  switch (answer.outcome) {
    case 'accepted':
      return {
        change: { ...base, brokerOrderId: answer.brokerOrderId, brokerRoute: answer.brokerRoute },
        output: output(OrderAccepted, {
          accountId,
          clientOrderId,
          brokerOrderId: answer.brokerOrderId,
          brokerRoute: answer.brokerRoute,
          evidence: 'response',
          acceptedTime: formatInstant(at),
        }),
      }
    case 'rejected':
      return {
        change: { ...base, reservedCash: ZERO_MONEY },
        output: output(OrderRejected, {
          accountId,
          clientOrderId,
          code: answer.code,
          detail: answer.detail,
          rejectedTime: formatInstant(at),
        }),
      }
    case 'unknown':
      return {
        change: base,
        output: output(OrderOutcomeUnknown, {
          accountId,
          clientOrderId,
          attempt: order.attempt,
          cause: answer.cause,
          detail: answer.detail,
          sinceTime: formatInstant(at),
        }),
      }
  }
}
