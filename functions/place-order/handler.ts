// Write-ahead placement at a broker that cannot deduplicate for us.
//
// P1. Nothing leaves before its intent is committed (recordIntent), and only the delivery that recorded it may send.
// P2. The send happens once for each recorded attempt. Only `notSent`, which proves that nothing was taken, may be tried
//     again, inside the same attempt and before SEND_WINDOW_MS is over.
// P3. A send that would start later than SEND_WINDOW_MS after its intent does not start: reconciliation may by then have
//     declared the attempt absent. Its settle wait is longer than this window.
// P4. A delivery that finds the intent recorded and unanswered never sends. It records `outcomeUnknown`; evidence decides.
// P5. Orders that one row of the broker's list could match equally wait for each other (shapeTaken).
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { nextStatus } from '#shared/domain/order-lifecycle.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { ZERO_MONEY } from '#shared/domain/values.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { approvedFromWire } from '#shared/events/order-codec.ts'
import { OrderApproved, OrderDenied, OrderExpired, OrderSubmitted } from '#shared/events/orders.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { IntentResult, OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { EventFor, Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type Answer, effectOf } from './decide.ts'
import type { placeOrder } from './function.ts'

/** Process milliseconds after the intent within which a send may start. */
export const SEND_WINDOW_MS = 2_000
const NOT_SENT_PAUSES_MS = [50, 150, 400] as const
const CONFLICTS_MAX = 5

export interface PlaceOrderDeps {
  readonly gateway: Pick<BrokerGateway, 'submit'>
  readonly orders: Pick<OrderStore, 'fence' | 'recordIntent' | 'change' | 'acknowledge' | 'order'>
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  /** An approval older than this is not sent any more, milliseconds. */
  readonly approvalAgeMsMax: number
}

type Context = HandlerContext<typeof placeOrder>
type Outputs = readonly OutputOf<typeof placeOrder>[]

export function placeOrderHandler(deps: PlaceOrderDeps): Handler<typeof placeOrder> {
  const epochs = new Map<string, number>()

  return async (event, context) => {
    const { accountId, clientOrderId } = event.data
    const resend = !isOf(OrderApproved, event)
    const stored = resend ? await deps.orders.order(clientOrderId) : undefined
    if (resend && (stored?.status !== 'outcomeUnknown' || stored.attempt !== attemptOf(event))) {
      await deps.orders.acknowledge(context.receipt([])) // evidence came, or a later attempt is under way
      return []
    }
    if (deps.clock.now() - decidedFrom(event, stored) > deps.approvalAgeMsMax) {
      return tooLate(deps, clientOrderId, context)
    }

    const epoch = epochs.get(accountId) ?? (await deps.orders.fence(accountId))
    epochs.set(accountId, epoch)
    const submitted = (attempt: number) =>
      output(OrderSubmitted, {
        accountId,
        clientOrderId,
        attempt,
        epoch,
        submittedTime: formatInstant(deps.clock.now()),
      })
    const result = await deps.orders.recordIntent(
      { accountId, clientOrderId, epoch, submittedTime: deps.clock.now() },
      (attempt) => context.finish([submitted(attempt)]),
      resend,
    )
    const recordedAtMs = deps.stopwatch.elapsedMs()
    if (result.outcome === 'fenced') epochs.delete(accountId)
    if (result.outcome !== 'recorded') return withoutSending(deps, result, clientOrderId, context)

    const order = { ...result.order } as StoredOrder & ApprovedOrder // recordIntent joins on the stored approval
    const answer = await sendOnce(deps, order, recordedAtMs, context.signal)
    return recordAnswer(deps, answer, order, [submitted(order.attempt)], context)
  }
}

const attemptOf = (event: EventFor<typeof placeOrder>): number | undefined =>
  'attempt' in event.data ? event.data.attempt : undefined

const decidedFrom = (event: EventFor<typeof placeOrder>, stored: StoredOrder | undefined): number =>
  isOf(OrderApproved, event) ? approvedFromWire(event.data).decidedTime : (stored?.decidedTime ?? 0)

/** P1–P3. Resolves with what is known; never rejects for a reason that concerns the broker. */
async function sendOnce(
  deps: PlaceOrderDeps,
  order: ApprovedOrder,
  recordedAtMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const { gateway, stopwatch } = deps
  for (const pauseMs of [...NOT_SENT_PAUSES_MS, undefined]) {
    if (stopwatch.elapsedMs() - recordedAtMs > SEND_WINDOW_MS || signal.aborted) break
    const result = await gateway.submit(order, signal)
    if (result.outcome !== 'notSent') return result
    if (pauseMs === undefined)
      return { outcome: 'unknown', cause: 'noAnswer', detail: `not sent: ${result.detail}` }
    await stopwatch.sleep(pauseMs, signal).catch(() => undefined)
  }
  return { outcome: 'unknown', cause: 'interrupted', detail: 'the send window closed before anything left' }
}

async function recordAnswer(
  deps: PlaceOrderDeps,
  answer: Answer,
  sent: StoredOrder,
  before: Outputs,
  context: Context,
): Promise<Outputs> {
  let order: StoredOrder | undefined = sent
  for (let conflicts = 0; conflicts < CONFLICTS_MAX; conflicts += 1) {
    if (order === undefined) throw new Error(`${sent.clientOrderId} vanished from the store`)
    if (
      answer.outcome === 'accepted' &&
      order.brokerOrderId !== undefined &&
      order.brokerOrderId !== answer.brokerOrderId
    ) {
      throw new PoisonError(
        `${order.clientOrderId} was taken for broker order ${order.brokerOrderId}, but the broker acknowledges ${answer.brokerOrderId}`,
      )
    }
    const effect = effectOf(answer, order, deps.clock.now())
    if (effect === undefined) {
      await deps.orders.acknowledge(context.receipt(before))
      return before
    }
    const outputs = [...before, effect.output]
    if ((await deps.orders.change(effect.change, context.receipt(outputs))) === 'done') return outputs
    order = await deps.orders.order(sent.clientOrderId)
  }
  throw new RetryableError(
    `${sent.clientOrderId} changed ${CONFLICTS_MAX} times while its answer was recorded`,
  )
}

async function withoutSending(
  deps: PlaceOrderDeps,
  result: Exclude<IntentResult, { outcome: 'recorded' }>,
  clientOrderId: string,
  context: Context,
): Promise<Outputs> {
  switch (result.outcome) {
    case 'fenced':
      throw new RetryableError(`another replica places orders under epoch ${result.epoch}`)
    case 'shapeTaken':
      throw new RetryableError(`${clientOrderId} waits: ${result.by} is unclear and looks the same`)
    case 'halted':
      throw new RetryableError(`trading of ${result.order.accountId} is halted`)
    case 'notApproved':
      throw new PoisonError(`no approval is stored for ${clientOrderId}`)
    case 'notWaiting':
      if (result.order.status === 'submitting') {
        const detail = 'an intent was recorded, its answer was not'
        return recordAnswer(
          deps,
          { outcome: 'unknown', cause: 'interrupted', detail },
          result.order,
          [],
          context,
        )
      }
      await deps.orders.acknowledge(context.receipt([]))
      return []
  }
}

/** The market has moved on: what was approved is not sent any more, and its reservation is released. */
async function tooLate(deps: PlaceOrderDeps, clientOrderId: string, context: Context): Promise<Outputs> {
  const order = await deps.orders.order(clientOrderId)
  if (order === undefined) throw new PoisonError(`no approval is stored for ${clientOrderId}`)
  if (order.status === 'submitting') {
    return withoutSending(deps, { outcome: 'notWaiting', order }, clientOrderId, context)
  }
  const { accountId } = order
  const step = order.status === 'approved' ? 'deny' : 'expire'
  const status = nextStatus(order.status, step, order.filledQuantity)
  if (status === undefined || (step === 'expire' && order.status !== 'outcomeUnknown')) {
    await deps.orders.acknowledge(context.receipt([]))
    return []
  }
  const detail = `approval older than ${deps.approvalAgeMsMax} ms`
  const outputs: Outputs =
    step === 'deny'
      ? [output(OrderDenied, { accountId, clientOrderId, code: 'REQUEST_STALE', detail })]
      : [
          output(OrderExpired, {
            accountId,
            clientOrderId,
            filledQuantity: order.filledQuantity.toString(),
            expiredQuantity: (order.quantity - order.filledQuantity).toString(),
            eventTime: formatInstant(deps.clock.now()),
          }),
        ]
  const change = { accountId, clientOrderId, revision: order.revision, status, reservedCash: ZERO_MONEY }
  if ((await deps.orders.change(change, context.receipt(outputs))) === 'done') return outputs
  throw new RetryableError(`${clientOrderId} changed while it was found too old`)
}
