// Intents that risk-check records for place-order with its approval, in the process that runs both.
//
// I1. An order leaves when the transaction that holds approval and intent has come back, and leaves once. It is made ready
//     while that transaction is under way, and held back by the gateway. The delivery of the approval takes the answer. A
//     delivery that is not given one, here or anywhere, finds the intent in the store as recorded and unanswered, and
//     never sends (P4).
// I2. Nothing is drafted that place-order would not record and send at once: not without a fence, not for an approval
//     that it would give up, not while anything else of that account is on its way to it or in its hands. Orders of one
//     account leave one after another, and an intent that stood in a line would outlive its window (P3).
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { type DataOf, type Event, type EventOf, isOf, output } from '#shared/events/contract.ts'
import { OrderApproved, OrderSubmitted } from '#shared/events/orders.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { type Approval, type StoredOrder, submittingOrder } from '#shared/ports/order-store.ts'
import type { IntentDraft, PreparedIntents } from '#shared/ports/prepared-intents.ts'
import { outputEvent } from '#shared/runtime/output-event.ts'
import { type Answer, reasonNotToSend } from './decide.ts'
import { placeOrder } from './function.ts'
import { SEND_WINDOW_MS, type SendDeps, sendOnce } from './send.ts'

/** An approval that never arrives, because its delivery failed for good, holds up nothing for longer than this. */
const REMEMBERED_MS = 60_000

/** An order that was sent before its approval arrived. */
export interface Sent {
  readonly order: StoredOrder & ApprovedOrder
  readonly submitted: DataOf<typeof OrderSubmitted>
  readonly answer: Promise<Answer>
}

export interface IntentHandoverOptions extends SendDeps {
  readonly clock: Pick<Clock, 'now'>
  /** As given to place-order. */
  readonly approvalAgeMsMax: number
}

interface HeldSend {
  /** Lets the order go, or ends it. The first word counts. */
  readonly clear: (isCleared: boolean) => void
  readonly answer: Promise<Answer>
}

type AccountEvent = EventOf<{ readonly accountId: string }>

/** Both ends: risk-check drafts, place-order takes the answer. One for each process that runs the two. */
export class IntentHandover implements PreparedIntents {
  readonly #options: IntentHandoverOptions
  /** A send ends by its own limits; it is never cut off. */
  readonly #forever = new AbortController().signal
  readonly #epochs = new Map<string, number>()
  /** By account: events on their way to place-order or in its hands, and since when. */
  readonly #lines = new Map<string, Map<string, number>>()
  readonly #held = new WeakMap<IntentDraft, HeldSend>()
  /** By approval. */
  readonly #sent = new Map<string, Sent>()
  /** Deliveries that are over, oldest first. */
  readonly #over = new Map<string, number>()

  constructor(options: IntentHandoverOptions) {
    this.#options = options
  }

  draft(approved: Event, { order }: Approval): IntentDraft | undefined {
    if (!isOf(OrderApproved, approved)) return undefined
    const { accountId, decidedTime } = approved.data
    const epoch = this.#epochs.get(accountId)
    if (epoch === undefined || !this.#isFree(accountId)) return undefined
    const now = this.#options.clock.now()
    if (reasonNotToSend(decidedTime, now, this.#options.approvalAgeMsMax) !== undefined) return undefined
    const submitted = output(OrderSubmitted, submittedOf(approved, epoch, formatInstant(now)))
    const draft: IntentDraft = {
      epoch,
      submittedTime: now,
      outputs: [outputEvent(placeOrder, approved, submitted, 0, formatInstant(now))],
      begunMs: this.#options.stopwatch.elapsedMs(),
    }
    const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
    // After this turn: the statement goes to the store first.
    const answer = Promise.resolve().then(() =>
      sendOnce(this.#options, order, draft.begunMs, this.#forever, cleared),
    )
    answer.catch(() => undefined) // whoever takes it hears of it
    this.#held.set(draft, { clear, answer })
    return draft
  }

  stored(approved: Event, approval: Approval, draft?: IntentDraft): void {
    if (!isOf(OrderApproved, approved)) return
    const held = draft === undefined ? undefined : this.#held.get(draft)
    const { accountId } = approval.order
    if (this.#over.has(approved.id) || this.#lines.get(accountId)?.has(approved.id)) {
      held?.clear(false) // told late: a delivery went without the answer (I1)
      return
    }
    this.arrived(approved)
    if (draft === undefined || held === undefined) return
    held.clear(this.#options.stopwatch.elapsedMs() - draft.begunMs <= SEND_WINDOW_MS)
    const submitted = submittedOf(approved, draft.epoch, formatInstant(draft.submittedTime))
    this.#sent.set(approved.id, { order: submittingOrder(approval, draft), submitted, answer: held.answer })
  }

  dropped(draft: IntentDraft): void {
    this.#held.get(draft)?.clear(false)
  }

  /** place-order holds this fence from now on; undefined: it has lost it. */
  fenced(accountId: string, epoch: number | undefined): void {
    if (epoch === undefined) this.#epochs.delete(accountId)
    else this.#epochs.set(accountId, epoch)
  }

  arrived({ id, data }: AccountEvent): void {
    const line = this.#lines.get(data.accountId) ?? new Map<string, number>()
    this.#lines.set(data.accountId, line.set(id, this.#options.stopwatch.elapsedMs()))
  }

  /** I1. */
  take(approvalId: string): Sent | undefined {
    return this.#sent.get(approvalId)
  }

  over({ id, data }: AccountEvent): void {
    const nowMs = this.#options.stopwatch.elapsedMs()
    this.#lines.get(data.accountId)?.delete(id)
    this.#sent.delete(id)
    this.#over.delete(id)
    this.#over.set(id, nowMs)
    for (const [oldest, overMs] of this.#over) {
      if (nowMs - overMs <= REMEMBERED_MS) break
      this.#over.delete(oldest)
    }
  }

  /** I2. */
  #isFree(accountId: string): boolean {
    const line = this.#lines.get(accountId)
    if (line === undefined || line.size === 0) return true
    const sinceMs = this.#options.stopwatch.elapsedMs() - REMEMBERED_MS
    for (const [id, arrivedMs] of line) {
      if (arrivedMs > sinceMs) return false
      line.delete(id)
      this.#sent.delete(id)
    }
    return true
  }
}

const submittedOf = (
  { data: { accountId, clientOrderId } }: EventOf<DataOf<typeof OrderApproved>>,
  epoch: number,
  submittedTime: string,
): DataOf<typeof OrderSubmitted> => ({ accountId, clientOrderId, attempt: 1, epoch, submittedTime })
