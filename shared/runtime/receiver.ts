// Who handles the events that a consumer group brings: a function of this process, or one that is called over HTTP.
import type { Event, Topic } from '#shared/events/contract.ts'
import type { BusBatch } from '#shared/ports/event-bus.ts'
import type { Delivery, Failure } from './delivery.ts'
import type { FunctionHost } from './host.ts'
import { topicsOf } from './routing.ts'

/** How far a receiver got. */
export interface Handled {
  /** Records that are done, counted from where it was told to begin. */
  readonly count: number
  /** What they emitted together: finished and not yet published. */
  readonly outputs: readonly Event[]
  /** What became of the record after them. Absent: it was not tried. */
  readonly failure?: Failure
}

export interface Receiver {
  /** The consumer group; dead letters and log lines name it. */
  readonly name: string
  readonly topics: readonly Topic[]
  /**
   * Handles the records of a batch in order, from the one at index `at`: one, or as many as it likes to take at once. It
   * ends with at least one record done, or with a failure. `attempt` counts the deliveries of the first of them, from 1.
   * Never rejects.
   */
  handle(batch: BusBatch, at: number, attempt: number): Promise<Handled>
}

/** So many positions at most wait for one another to be resolved. */
const RECORDS_MAX = 16

/**
 * A function of this process, one event at a time. Events that emit nothing are taken in a row: to come back after each
 * would cost more than many a handler.
 */
export const hostReceiver = (host: FunctionHost): Receiver => ({
  name: host.definition.name,
  topics: topicsOf(host.definition),
  handle: ({ records, signal }, at) =>
    new Promise((resolve) => {
      const end = Math.min(at + RECORDS_MAX, records.length)
      const next = (index: number): void => {
        const record = records[index]
        if (record === undefined) throw new RangeError(`no record ${index} in a batch of ${records.length}`)
        host.start(record.event, (delivery) => {
          const isQuiet = delivery.outcome === 'ignored' || isEmpty(delivery)
          if (isQuiet && index + 1 < end && !signal.aborted) next(index + 1)
          else resolve(handledUpTo(index - at, delivery))
        })
      }
      next(at)
    }),
})

const NOTHING: readonly Event[] = []

const isEmpty = (delivery: Delivery): boolean => delivery.outcome === 'done' && delivery.outputs.length === 0

/** What became of a row of events whose last one is `delivery`, with `before` quiet ones before it. */
function handledUpTo(before: number, delivery: Delivery): Handled {
  if (delivery.outcome === 'done') return { count: before + 1, outputs: delivery.outputs }
  if (delivery.outcome === 'ignored') return { count: before + 1, outputs: NOTHING }
  return { count: before, outputs: NOTHING, failure: delivery }
}
