// Events that a committed state change produced and that may not have reached every consumer.
import type { Event } from '#shared/events/contract.ts'

export interface Outbox {
  /** Oldest first. `afterSequence` pages on; start with 0n. */
  unsettled(limit: number, afterSequence: bigint): Promise<readonly { sequence: bigint; event: Event }[]>
  /** Notes that the bus holds these durably (or that every group has handled them, where the bus is not durable). */
  settle(eventIds: readonly string[]): Promise<void>
}
