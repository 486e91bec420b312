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

/**
 * The batch as its consumer sees it. `onResolved` is called after each move of the position. A class, because an object
 * with a getter of its own is slow to make.
 */
export class OpenBatch implements BusBatch {
  readonly topic: Topic
  readonly partition: number
  readonly records: readonly BusRecord[]
  readonly #cursor: Cursor
  readonly #end: number
  readonly #onResolved: (cursor: Cursor) => void
  readonly #breathe: () => Promise<void>
  #revoked: Error | undefined
  #aborted: Error | undefined
  /** Made on demand: most consumers never ask, and it would cost more than the rest of the batch. */
  #controller: AbortController | undefined

  constructor(
    cursor: Cursor,
    records: readonly BusRecord[],
    onResolved: (cursor: Cursor) => void,
    breathe: () => Promise<void>,
  ) {
    this.topic = cursor.log.topic
    this.partition = cursor.log.partition
    this.records = records
    this.#cursor = cursor
    this.#end = cursor.committed + records.length
    this.#onResolved = onResolved
    this.#breathe = breathe
  }

  resolve(offset: bigint): void {
    const next = Number(offset) + 1
    if (next > this.#end) throw new RangeError(`offset ${offset} is not in this batch of ${this.topic}`)
    if (next <= this.#cursor.committed) return
    this.#cursor.committed = next
    this.#onResolved(this.#cursor)
  }

  heartbeat(): Promise<void> {
    return this.#revoked === undefined ? this.#breathe() : Promise.reject(this.#revoked)
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted)
    }
    return this.#controller.signal
  }

  /** Aborts the signal; heartbeats reject from now on. */
  revoke(reason: Error): void {
    this.#revoked ??= reason
    this.#abort(reason)
  }

  /** Aborts the signal; heartbeats go on, for the batch may end in peace. */
  closing(): void {
    this.#abort(new RetryableError(`the subscription of ${this.#cursor.group} is closing`))
  }

  #abort(reason: Error): void {
    this.#aborted ??= reason
    this.#controller?.abort(this.#aborted)
  }
}
