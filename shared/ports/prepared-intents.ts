// The way of an intent from the function that approves to the function that sends, where both run in one process. A
// function that is deployed alone is not given one: it approves, and the sender records its intent itself.
import type { Event } from '#shared/events/contract.ts'
import type { Approval, FirstIntent } from './order-store.ts'

export interface PreparedIntents {
  /**
   * What the sender would record if it were given the event `approved` now; undefined where it would not send it at
   * once.
   */
  draft(approved: Event, approval: Approval): IntentDraft | undefined
  /** The store has taken the approval, and `draft` with it where one is given: then the order leaves now. */
  stored(approved: Event, approval: Approval, draft?: IntentDraft): void
  /** The store has not taken `draft`, or is not known to have: nothing leaves on it. */
  dropped(draft: IntentDraft): void
}

export interface IntentDraft extends FirstIntent {
  /** By the stopwatch of this process: from here on the sender's window counts. */
  readonly begunMs: number
}
