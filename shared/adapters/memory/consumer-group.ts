// A consumer group: who reads which partition.
//
// G1. A partition has one reader. When it changes hands while a batch of it runs, that batch is told (its signal
//     aborts, its heartbeat rejects) and the next reader starts only when it has ended.
// G2. A group stays known when its last member has left: its positions are kept, and so are the records after them.
import type { Topic } from '#shared/events/contract.ts'
import type { BusBatch, BusRecord, SubscribeOptions } from '#shared/ports/event-bus.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { PartitionLog, Position } from './partition-log.ts'

export interface Member {
  readonly topics: readonly Topic[]
  readonly batchSizeMax: number
  readonly isBackground: boolean
  readonly onBatch: (batch: BusBatch) => Promise<void>
  /** Cursors of this member whose batch runs. */
  readonly running: Map<Cursor, Promise<void>>
  isClosing: boolean
}

export interface Cursor extends Position {
  readonly group: string
  readonly log: PartitionLog<Cursor>
  member?: Member | undefined
  state: 'idle' | 'queued' | 'running' | 'delayed'
  batch?: OpenBatch | undefined
  /** Deliveries in a row that resolved nothing. */
  failures: number
}

export interface OpenBatch extends BusBatch {
  /** Aborts the signal; heartbeats reject from now on. */
  revoke(reason: Error): void
  /** Aborts the signal; heartbeats go on, for the batch may end in peace. */
  closing(): void
}

export interface ConsumerGroup {
  readonly name: string
  readonly members: Member[]
  readonly cursors: Map<Topic, Cursor[]>
}

export const consumerGroup = (name: string): ConsumerGroup => ({ name, members: [], cursors: new Map() })

/** Adds the partitions of a topic to a group that has not read it before. */
export function addTopic(
  group: ConsumerGroup,
  topic: Topic,
  logs: readonly PartitionLog<Cursor>[],
  from: SubscribeOptions['from'],
): void {
  if (group.cursors.has(topic)) return
  const cursors = logs.map((log): Cursor => {
    const committed = from === 'latest' ? log.end() : log.start()
    return { group: group.name, log, committed, state: 'idle', failures: 0 }
  })
  group.cursors.set(topic, cursors)
  for (const cursor of cursors) cursor.log.positions.push(cursor)
}

/** Deals the partitions out evenly among the members that want them, in turn, and takes back what moves (G1). */
export function rebalance(group: ConsumerGroup): void {
  let turn = 0
  for (const [topic, cursors] of group.cursors) {
    const readers = group.members.filter((member) => member.topics.includes(topic))
    for (const cursor of cursors) {
      const next = readers[turn % Math.max(readers.length, 1)]
      turn += 1
      if (cursor.member === next) continue
      cursor.batch?.revoke(new RetryableError(`${topic}/${cursor.log.partition} was given to another member`))
      cursor.member = next
    }
  }
}

/** The batch as its consumer sees it. `onResolved` is called after each move of the position. */
export function openBatch(
  cursor: Cursor,
  records: readonly BusRecord[],
  onResolved: (cursor: Cursor) => void,
  breathe: () => Promise<void>,
): OpenBatch {
  const { log } = cursor
  const end = cursor.committed + records.length
  let revoked: Error | undefined
  let aborted: Error | undefined
  /** Made on demand: most consumers never ask, and it would cost more than the rest of the batch. */
  let controller: AbortController | undefined
  const abort = (reason: Error): void => {
    aborted ??= reason
    controller?.abort(aborted)
  }

  return {
    topic: log.topic,
    partition: log.partition,
    records,
    resolve(offset) {
      const next = Number(offset) + 1
      if (next > end) throw new RangeError(`offset ${offset} is not in this batch of ${log.topic}`)
      if (next <= cursor.committed) return
      cursor.committed = next
      onResolved(cursor)
    },
    heartbeat: () => (revoked === undefined ? breathe() : Promise.reject(revoked)),
    get signal() {
      if (controller === undefined) {
        controller = new AbortController()
        if (aborted !== undefined) controller.abort(aborted)
      }
      return controller.signal
    },
    revoke(reason) {
      revoked ??= reason
      abort(reason)
    },
    closing: () => abort(new RetryableError(`the subscription of ${cursor.group} is closing`)),
  }
}
