// Inbox and outbox in one value. A store writes the receipt in the same transaction as the state change it belongs to.
import type { Event } from '#shared/events/contract.ts'

/** That `consumer` handled an event, and what it emitted. */
export interface Receipt {
  readonly consumer: string
  readonly eventId: string
  /** Finished events, ids and all, in order. */
  readonly outputs: readonly Event[]
}

/** Thrown by a store when the event was handled before. Carries what was emitted then, to be emitted again. */
export class AlreadyHandledError extends Error {
  override name = 'AlreadyHandledError'
  readonly outputs: readonly Event[]

  constructor(consumer: string, eventId: string, outputs: readonly Event[]) {
    super(`${consumer} has handled ${eventId} before`)
    this.outputs = outputs
  }
}
