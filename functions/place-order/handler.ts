// Write-ahead placement at a broker that cannot deduplicate for us.
//
// P1. Nothing leaves before its intent is committed, and only the one that recorded it may send: a delivery of its
//     approval, or the approval itself where it carries the intent (prepared.ts).
// P2. The send happens once for each recorded attempt. Only `notSent`, which proves that nothing was taken, may be tried
//     again, inside the same attempt and before SEND_WINDOW_MS is over.
// P3. A send that would start later than SEND_WINDOW_MS after its intent was begun does not start: reconciliation may by
//     then have declared the attempt absent. Its settle wait is longer than this window and the deadline together.
// P4. A delivery that finds its own intent recorded and unanswered never sends. It records `outcomeUnknown`; evidence
//     decides. In one process it first waits for the delivery that may still be sending.
// P5. Orders that one row of the broker's list could match equally wait for each other (shapeTaken). They wait in the
//     store, not in the queue: the evidence on the other one comes through the same queue. Reconciliation wakes them.
// P6. A resend needs evidence on exactly the last attempt. An order is given up without evidence only if it was never
//     sent.
// P7. A halted account sends nothing more, and neither does a closed session.
// P8. What is returned is what was stored: an intent's event is made once and found again, never made anew.
import type { ApprovedOrder } from '#shared/domain/order.ts'
import type { DenialCode } from '#shared/domain/risk.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { OrderAbsent, OrderSubmitted } from '#shared/events/orders.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { IntentResult, OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { EventFor, Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type Answer, contradictionOf, effectOf, givenUp, isAwaited, reasonNotToSend } from './decide.ts'
import type { placeOrder } from './function.ts'
import type { IntentHandover } from './prepared.ts'
import { type SendDeps, sendOnce } from './send.ts'

/** An answer is in memory only: so long do we insist on recording it. */
const ANSWER_KEPT_MS = 60_000
const RECORD_PAUSE_MS = 50

export interface PlaceOrderDeps extends SendDeps {
  readonly orders: Pick<OrderStore, 'fence' | 'recordIntent' | 'change' | 'acknowledge' | 'order' | 'history'>
  readonly clock: Clock
  /** An approval older than this is not sent any more, milliseconds. */
  readonly approvalAgeMsMax: number
  /** Where risk-check runs in this process: intents that it recorded with the approval. */
  readonly intents?: IntentHandover
}

type PlaceEvent = EventFor<typeof placeOrder>
type Context = HandlerContext<typeof placeOrder>
type Outputs = readonly OutputOf<typeof placeOrder>[]
type Fences = ReturnType<typeof fencesOf>

export function placeOrderHandler(deps: PlaceOrderDeps): Handler<typeof placeOrder> {
  const fences = fencesOf(deps.orders, deps.intents)
  const underWay = new Map<string, Promise<Outputs>>()

  return async (event, context) => {
    for (let other = underWay.get(event.id); other !== undefined; other = underWay.get(event.id)) {
      await other.catch(() => undefined) // P4
    }
    if (context.signal.aborted) throw new RetryableError('the time for this delivery is over')
    deps.intents?.arrived(event)
    const run = place(deps, fences, event, context)
    underWay.set(event.id, run)
    try {
      return await run
    } finally {
      underWay.delete(event.id)
      deps.intents?.over(event)
    }
  }
}

/** One fence an account and process, taken when it is first needed. */
function fencesOf(orders: Pick<OrderStore, 'fence'>, intents: IntentHandover | undefined) {
  const epochs = new Map<string, Promise<number>>()
  return {
    of(accountId: string): Promise<number> {
      const known = epochs.get(accountId)
      if (known !== undefined) return known
      const taken = orders.fence(accountId)
      epochs.set(accountId, taken)
      taken.then(
        (epoch) => intents?.fenced(accountId, epoch),
        () => epochs.delete(accountId),
      )
      return taken
    },
    drop(accountId: string): void {
      epochs.delete(accountId)
      intents?.fenced(accountId, undefined)
    },
  }
}

async function place(
  deps: PlaceOrderDeps,
  fences: Fences,
  event: PlaceEvent,
  context: Context,
): Promise<Outputs> {
  const { orders, clock, stopwatch } = deps
  const { accountId, clientOrderId } = event.data
  const sent = deps.intents?.take(event.id)
  if (sent !== undefined) {
    const submission = [output(OrderSubmitted, sent.submitted)]
    return recordAnswer(deps, await sent.answer, sent.order, submission, context)
  }
  const isResend = isOf(OrderAbsent, event)
  let decidedTime = 'decidedTime' in event.data ? event.data.decidedTime : undefined
  if (isResend) {
    const stored = await orders.order(clientOrderId)
    if (stored === undefined) throw new PoisonError(`no order ${clientOrderId} is stored`)
    if (!isAwaited(stored, event.data.attempt)) return settled(deps, event, stored, context)
    decidedTime = formatInstant(stored.decidedTime)
  }
  const now = clock.now()
  const reason = reasonNotToSend(decidedTime, now, deps.approvalAgeMsMax)
  if (reason !== undefined) return giveUp(deps, event, reason, context)

  const epoch = await fences.of(accountId)
  const startedMs = stopwatch.elapsedMs()
  const submittedTime = formatInstant(now)
  const submitted = (attempt: number) =>
    output(OrderSubmitted, { accountId, clientOrderId, attempt, epoch, submittedTime })
  const result = await orders.recordIntent(
    {
      accountId,
      clientOrderId,
      epoch,
      submittedTime: now,
      ...(isResend ? { afterAttempt: event.data.attempt } : {}),
    },
    (attempt) => context.finish([submitted(attempt)]),
    isResend,
  )
  if (result.outcome === 'fenced') fences.drop(accountId)
  if (result.outcome !== 'recorded') return withoutSending(deps, event, result, context)

  const order = result.order as StoredOrder & ApprovedOrder // only an approved order has an intent
  const answer = await sendOnce(deps, order, startedMs, context.signal)
  return recordAnswer(deps, answer, order, [submitted(order.attempt)], context)
}

/** Insists: nobody else has the answer. A conflict is a report that came in between; the answer is held against it. */
async function recordAnswer(
  deps: PlaceOrderDeps,
  answer: Answer,
  sent: StoredOrder,
  before: Outputs,
  context: Context,
): Promise<Outputs> {
  const startedMs = deps.stopwatch.elapsedMs()
  const forever = new AbortController().signal
  let order: StoredOrder | undefined = sent
  for (;;) {
    try {
      order ??= await deps.orders.order(sent.clientOrderId)
      if (order === undefined) throw new Error(`${sent.clientOrderId} vanished from the store`)
      const contradiction = contradictionOf(answer, order)
      if (contradiction !== undefined) throw new PoisonError(contradiction)
      const effect = effectOf(answer, order, deps.clock.now())
      if (effect === undefined) return await acknowledged(deps, before, context)
      const outputs = [...before, effect.output]
      if ((await deps.orders.change(effect.change, context.receipt(outputs))) === 'done') return outputs
      order = undefined
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      if (deps.stopwatch.elapsedMs() - startedMs > ANSWER_KEPT_MS) throw error
      await deps.stopwatch.sleep(RECORD_PAUSE_MS, forever)
    }
  }
}

async function withoutSending(
  deps: PlaceOrderDeps,
  event: PlaceEvent,
  result: Exclude<IntentResult, { outcome: 'recorded' }>,
  context: Context,
): Promise<Outputs> {
  switch (result.outcome) {
    case 'fenced':
      throw new RetryableError(`another replica places orders under epoch ${result.epoch}`)
    case 'shapeTaken':
      return acknowledged(deps, [], context) // P5
    case 'halted':
      return giveUp(deps, event, { code: 'TRADING_HALTED', detail: 'halted after the approval' }, context)
    case 'notApproved':
      throw new PoisonError(`no approval is stored for ${event.data.clientOrderId}`)
    case 'notWaiting':
      return settled(deps, event, result.order, context)
  }
}

/** The order is not waiting for this event: either this event's own intent was interrupted, or life went on. */
async function settled(
  deps: PlaceOrderDeps,
  event: PlaceEvent,
  order: StoredOrder,
  context: Context,
): Promise<Outputs> {
  if (order.status !== 'submitting') return acknowledged(deps, [], context)
  const own = await ownIntent(deps, event, order)
  if (own === undefined) return acknowledged(deps, [], context) // another event's delivery sends it
  const detail = 'an intent was recorded, its answer was not'
  return recordAnswer(deps, { outcome: 'unknown', cause: 'interrupted', detail }, order, [own], context)
}

/** P8. */
async function ownIntent(
  { orders }: PlaceOrderDeps,
  event: PlaceEvent,
  order: StoredOrder,
): Promise<Outputs[number] | undefined> {
  for (const stored of await orders.history(order.clientOrderId)) {
    if (stored.causationid !== event.id || !isOf(OrderSubmitted, stored)) continue
    if (stored.data.attempt === order.attempt) return output(OrderSubmitted, stored.data)
  }
  return undefined
}

async function acknowledged(deps: PlaceOrderDeps, outputs: Outputs, context: Context): Promise<Outputs> {
  await deps.orders.acknowledge(context.receipt(outputs))
  return outputs
}

/** It is not sent any more, and its reservation is released (P6). */
async function giveUp(
  deps: PlaceOrderDeps,
  event: PlaceEvent,
  reason: { readonly code: DenialCode; readonly detail: string },
  context: Context,
): Promise<Outputs> {
  const { clientOrderId } = event.data
  const order = await deps.orders.order(clientOrderId)
  if (order === undefined) throw new PoisonError(`no approval is stored for ${clientOrderId}`)
  const isAbsent = isOf(OrderAbsent, event) && isAwaited(order, event.data.attempt)
  const end = givenUp(order, reason, isAbsent, deps.clock.now())
  if (end === undefined) return settled(deps, event, order, context)
  const outputs = [end.output]
  if ((await deps.orders.change(end.change, context.receipt(outputs))) === 'done') return outputs
  throw new RetryableError(`${clientOrderId} changed while it was given up`)
}
