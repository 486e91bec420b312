// One partition: an append-only list of frozen records with dense offsets, and the groups' positions in it.
//
// L1. A record is kept while a group has not resolved it, and for late groups as long as it is among the newest
//     `retention` ones. Everything else is let go of.
// L2. A record settles once: when the last group that was there then has resolved it, or at once where there is none.
import type { Event, Topic } from '#shared/events/contract.ts'
import type { BusRecord } from '#shared/ports/event-bus.ts'

/** Letting go of records one by one would copy the list each time. */
const TRIM_MIN = 256

export interface Position {
  /** The first offset that is not resolved. */
  committed: number
}

export interface PartitionLog<P extends Position = Position> {
  readonly topic: Topic
  readonly partition: number
  /** One for each group that ever subscribed to the topic. */
  readonly positions: P[]
  /** Oldest offset still kept. */
  start(): number
  /** The offset that the next record will get. */
  end(): number
  append(event: Event): void
  /** At most `limit` records from `offset` on. */
  read(offset: number, limit: number): readonly BusRecord[]
  /** Applies L1 and L2 after a position moved or records came; returns the events that have settled now. */
  settle(): readonly BusRecord[]
}

export function partitionLog<P extends Position>(
  topic: Topic,
  partition: number,
  retention: number,
): PartitionLog<P> {
  const records: BusRecord[] = []
  const positions: P[] = []
  let start = 0
  let settledTo = 0

  const trim = (resolvedTo: number): void => {
    const keepFrom = Math.min(resolvedTo, start + records.length - retention)
    if (keepFrom - start < TRIM_MIN) return
    records.splice(0, keepFrom - start)
    start = keepFrom
  }

  return {
    topic,
    partition,
    positions,
    start: () => start,
    end: () => start + records.length,
    append(event) {
      records.push(Object.freeze({ event, partition, offset: BigInt(start + records.length) }))
    },
    read: (offset, limit) => records.slice(offset - start, offset - start + limit),
    settle() {
      let resolvedTo = start + records.length
      for (const { committed } of positions) if (committed < resolvedTo) resolvedTo = committed
      const settled =
        resolvedTo > settledTo ? records.slice(Math.max(settledTo - start, 0), resolvedTo - start) : []
      settledTo = Math.max(settledTo, resolvedTo)
      trim(resolvedTo)
      return settled
    },
  }
}
