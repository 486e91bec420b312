// The audit log: every event, appended once, hash-chained per partition key so that a missing or altered row shows.
import type { Event } from '#shared/events/contract.ts'

export interface ArchivedEvent {
  readonly topic: string
  readonly event: Event
}

export interface EventArchive {
  /** Buffered like TickStore. An event archived before is not appended again. */
  append(events: readonly ArchivedEvent[]): Promise<void>
  flush(): Promise<void>
  /** Everything that one market event or human action began, oldest first. */
  byCorrelation(correlationId: string, limit: number): Promise<readonly Event[]>
  byId(eventId: string): Promise<Event | undefined>
  /** Walks a chain; the first broken link, or undefined when it is whole. */
  verify(
    topic: string,
    partitionkey: string,
  ): Promise<{ readonly eventId: string; readonly reason: string } | undefined>
  count(): Promise<number>
  close(): Promise<void>
}
