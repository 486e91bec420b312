// What place-order knows: whether an order may still be sent, and what an answer from the broker does to it.
import { CalendarRangeError, krxPhaseAt } from '#shared/domain/krx-calendar.ts'
import { type OrderStep, nextStatus } from '#shared/domain/order-lifecycle.ts'
import type { DenialCode } from '#shared/domain/risk.ts'
import { type Instant, formatInstant, parseInstant } from '#shared/domain/time.ts'
import { ZERO_MONEY } from '#shared/domain/values.ts'
import { output } from '#shared/events/contract.ts'
import {
  OrderAccepted,
  OrderDenied,
  OrderExpired,
  OrderOutcomeUnknown,
  OrderRejected,
} from '#shared/events/orders.ts'
import type { SendResult } from '#shared/ports/broker-gateway.ts'
import type { OrderChange, StoredOrder } from '#shared/ports/order-store.ts'
import type { OutputOf } from '#shared/runtime/function.ts'
import type { placeOrder } from './function.ts'

/** An answer that is recorded. `interrupted`: a crash, or a lost reply of our own, between send and record. */
export type Answer =
  | Extract<SendResult, { outcome: 'accepted' | 'rejected' | 'unknown' }>
  | { readonly outcome: 'unknown'; readonly cause: 'interrupted'; readonly detail: string }

/** What the event contracts allow; brokers say more. */
const CODE_LENGTH_MAX = 100
const DETAIL_LENGTH_MAX = 1_000

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
          code: answer.code.slice(0, CODE_LENGTH_MAX),
          detail: answer.detail.slice(0, DETAIL_LENGTH_MAX),
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
          detail: answer.detail.slice(0, DETAIL_LENGTH_MAX),
          sinceTime: formatInstant(at),
        }),
      }
  }
}

/** Two things that cannot both be true: a person must look, and nothing may be overwritten. */
export function contradictionOf(answer: Answer, order: StoredOrder): string | undefined {
  const { clientOrderId, brokerOrderId } = order
  if (brokerOrderId === undefined) return undefined
  const taken = `${clientOrderId} was taken for broker order ${brokerOrderId}`
  if (answer.outcome === 'accepted' && answer.brokerOrderId !== brokerOrderId)
    return `${taken}, but the broker acknowledges ${answer.brokerOrderId}`
  if (answer.outcome === 'rejected') return `${taken}, but the broker rejects it: ${answer.code}`
  return undefined
}

/** True when evidence that `attempt` never arrived is about where the order stands. Attempt 0: approved, never sent. */
export const isAwaited = (order: StoredOrder, attempt: number): boolean =>
  order.attempt === attempt && order.status === (attempt === 0 ? 'approved' : 'outcomeUnknown')

export interface GiveUpReason {
  readonly code: DenialCode
  readonly detail: string
}

/** An approval is for its moment. `decidedTime` is on the wire; without it nothing is sent. */
export function reasonNotToSend(
  decidedTime: string | undefined,
  now: Instant,
  ageMsMax: number,
): GiveUpReason | undefined {
  if (decidedTime === undefined || now - parseInstant(decidedTime) > ageMsMax)
    return { code: 'REQUEST_STALE', detail: `approval older than ${ageMsMax} ms` }
  if (!isInSession(now)) return { code: 'SESSION_CLOSED', detail: 'the session ended after the approval' }
  return undefined
}

function isInSession(now: Instant): boolean {
  try {
    return krxPhaseAt(now) !== 'closed'
  } catch (error) {
    if (error instanceof CalendarRangeError) return false
    throw error
  }
}

/**
 * How an order ends that is not sent (any more): denied if it never was, expired if its last attempt is proved absent.
 * Undefined for any other: it may be at the broker.
 */
export function givenUp(
  order: StoredOrder,
  { code, detail }: GiveUpReason,
  isAbsent: boolean,
  at: Instant,
): AnswerEffect | undefined {
  const step = order.status === 'approved' ? 'deny' : isAbsent ? 'expire' : undefined
  const status = step === undefined ? undefined : nextStatus(order.status, step, order.filledQuantity)
  if (status === undefined) return undefined
  const { accountId, clientOrderId, revision, filledQuantity, quantity } = order
  return {
    change: { accountId, clientOrderId, revision, status, reservedCash: ZERO_MONEY },
    output:
      step === 'deny'
        ? output(OrderDenied, { accountId, clientOrderId, code, detail })
        : output(OrderExpired, {
            accountId,
            clientOrderId,
            filledQuantity: filledQuantity.toString(),
            expiredQuantity: (quantity - filledQuantity).toString(),
            eventTime: formatInstant(at),
          }),
  }
}
