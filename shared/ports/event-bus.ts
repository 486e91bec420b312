// Topics with keyed partitions and consumer groups. Delivery is at least once; order holds within a key.
import type { Event, Topic } from '#shared/events/contract.ts'

export type DeadLetterTopic = `${Topic}.dead-letter`
export type BusTopic = Topic | DeadLetterTopic

/** Why an event was set aside. Stored beside it on `<topic>.dead-letter`. */
export interface DeadLetter {
  readonly event: Event
  readonly consumer: string
  readonly reason: string
  readonly attempts: number
}

export interface BusRecord {
  readonly event: Event
  readonly partition: number
  /** Position in the partition; gaps are legal. */
  readonly offset: bigint
}

/** Records of one partition, in order. */
export interface BusBatch {
  readonly topic: Topic
  readonly partition: number
  readonly records: readonly BusRecord[]
  /** Marks everything up to this record as done; what is not resolved is delivered again. */
  resolve(offset: bigint): void
  /** Tells the bus that the consumer lives; call it between slow records. Rejects once the partition was taken away. */
  heartbeat(): Promise<void>
  /** Aborts when the partition was taken away or the subscription is closing. */
  readonly signal: AbortSignal
}

export interface Subscription {
  /** Stops fetching, lets the running batches end, commits what they resolved. */
  close(): Promise<void>
}

export interface SubscribeOptions {
  /** Consumer group: each group sees every record, each partition goes to one member. */
  readonly group: string
  readonly topics: readonly Topic[]
  /** Where a group without a committed position starts. Default `earliest`. */
  readonly from?: 'earliest' | 'latest'
  /** Records in one batch at most. Default 500. */
  readonly batchSizeMax?: number
  /** Nothing waits for this reader (it archives, counts, tells people): a bus may serve others first. Default false. */
  readonly isBackground?: boolean
}

export interface EventBus {
  /**
   * Appends events to their topics, in the order given within each key. Resolves when they are durable by the bus's own
   * measure. Rejects with `RetryableError` if that is not known; the same events may then be published again.
   */
  publish(events: readonly Event[]): Promise<void>
  publishDeadLetter(letters: readonly DeadLetter[]): Promise<void>
  /**
   * Batches of different partitions run side by side, those of one partition one after another. A batch that rejects is
   * delivered again from its first unresolved record.
   */
  subscribe(options: SubscribeOptions, onBatch: (batch: BusBatch) => Promise<void>): Promise<Subscription>
  /** Records not yet resolved by a group, over all its partitions. */
  lag(group: string): Promise<number>
  close(): Promise<void>
}
