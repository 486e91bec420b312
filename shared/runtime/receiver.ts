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

/** A function of this process, one event at a time. */
export const hostReceiver = (host: FunctionHost): Receiver => ({
  name: host.definition.name,
  topics: topicsOf(host.definition),
  handle: ({ records }, at) =>
    new Promise((resolve) => {
      const record = records[at]
      if (record === undefined) throw new RangeError(`no record ${at} in a batch of ${records.length}`)
      host.start(record.event, (delivery) => resolve(handledOne(delivery)))
    }),
})

const NOTHING: readonly Event[] = []

function handledOne(delivery: Delivery): Handled {
  if (delivery.outcome === 'done') return { count: 1, outputs: delivery.outputs }
  if (delivery.outcome === 'ignored') return { count: 1, outputs: NOTHING }
  return { count: 0, outputs: NOTHING, failure: delivery }
}
