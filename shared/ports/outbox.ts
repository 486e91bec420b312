// Events that a committed state change produced and that may not have reached every consumer.
import type { Instant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'

export interface Outbox {
  /** Oldest first. `afterSequence` pages on; start with 0n. */
  unsettled(limit: number, afterSequence: bigint): Promise<readonly { sequence: bigint; event: Event }[]>
  /** Notes that the bus holds these durably (or that every group has handled them, where the bus is not durable). */
  settle(eventIds: readonly string[]): Promise<void>
  /**
   * Forgets events that were settled before `before`, and receipts from before it; by the store's own clock, which is
   * wall time. Kept are: what is not settled; every event of an open order; a receipt whose event, or one of whose
   * outputs, is kept. What is forgotten is handled as new if it is delivered again: choose `before` older than anything
   * that a bus keeps or a broker repeats. Running it again, or stopping it half way, does no harm.
   */
  prune(before: Instant): Promise<Pruned>
}

/** How many were forgotten. */
export interface Pruned {
  readonly events: number
  readonly receipts: number
}
