// One partition in the hands of one member: what was fetched and is not handled yet, and the batches made of it.
//
// F1. One batch at a time, in order. A batch that rejects, or resolves nothing, comes again from its first unresolved
//     record after a pause; only this partition waits.
// F2. A record that is no event is set aside as a dead letter before anything behind it is handled. Until that is written
//     the partition stands still.
// F3. Once revoked nothing starts any more, and what a running batch still resolves counts for nothing if `close` has
//     returned before.
import type { Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { BusBatch, BusRecord } from '#shared/ports/event-bus.ts'
import { type ReceivedRecord, decodeRecord } from './binding.ts'

export interface FetchedRecord extends ReceivedRecord {
  readonly offset: string
}

/** Decoded at once: the bytes of a fetch and their many small buffers are let go of before the next. */
type Queued =
  | { readonly record: BusRecord; readonly fault?: never }
  | { readonly raw: FetchedRecord; readonly fault: string }

export interface FeedOptions {
  readonly topic: Topic
  readonly partition: number
  readonly batchSizeMax: number
  readonly stopwatch: Stopwatch
  readonly onBatch: (batch: BusBatch) => Promise<void>
  /** F2. Rejects when it could not be written. */
  readonly setAside: (record: ReceivedRecord, offset: bigint, reason: string) => Promise<void>
  /** Something was resolved, or left the queue. */
  readonly onProgress: (feed: PartitionFeed) => void
  readonly onRejected: (error: unknown, feed: PartitionFeed) => void
}

const BACKOFF_MS = 100
const BACKOFF_MS_MAX = 5_000
/** Longest time that a consumer which only computes keeps sockets and timers waiting. */
const BREATH_MS = 20

const offsetOf = (queued: Queued): bigint =>
  queued.fault === undefined ? queued.record.offset : BigInt(queued.raw.offset)

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class PartitionFeed {
  readonly topic: Topic
  readonly partition: number
  readonly #options: FeedOptions
  readonly #lease = new AbortController()
  #queue: Queued[] = []
  /** First of the queue that is not handled. */
  #head = 0
  /** Position after the last resolved record. */
  #resolved: bigint | undefined
  #committed: bigint | undefined
  #draining: Promise<void> | undefined
  #isClosed = false
  #breathedMs: number

  constructor(options: FeedOptions) {
    this.#options = options
    this.topic = options.topic
    this.partition = options.partition
    this.#breathedMs = options.stopwatch.elapsedMs()
  }

  /** Records that wait. */
  get size(): number {
    return this.#queue.length - this.#head
  }

  push(records: readonly FetchedRecord[]): void {
    if (this.#lease.signal.aborted) return
    if (this.#head > 0) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    for (const raw of records) this.#queue.push(this.#decoded(raw))
    this.#draining ??= this.#drain()
  }

  #decoded(raw: FetchedRecord): Queued {
    const { event, fault } = decodeRecord(raw, this.topic)
    if (fault !== undefined) return { raw, fault }
    return { record: { event, partition: this.partition, offset: BigInt(raw.offset) } }
  }

  /** Where to go on from, when that is not committed yet. */
  uncommitted(): bigint | undefined {
    return this.#resolved === this.#committed ? undefined : this.#resolved
  }

  committed(position: bigint): void {
    this.#committed = position
  }

  /** F3. Resolves once no batch runs. */
  async revoke(reason: string): Promise<void> {
    if (!this.#lease.signal.aborted) this.#lease.abort(new RetryableError(reason))
    await this.#draining
  }

  /** F3. What is not resolved by now belongs to others. */
  close(): void {
    this.#isClosed = true
    this.#queue = []
    this.#head = 0
  }

  async #drain(): Promise<void> {
    const { signal } = this.#lease
    let failures = 0
    while (this.size > 0 && !signal.aborted) {
      const before = this.#resolved
      const isRejected = await this.#deliverSome()
      this.#skipResolved()
      if (this.#resolved !== before) {
        failures = 0
        this.#options.onProgress(this)
      }
      if (isRejected || this.#resolved === before) {
        failures += 1
        const ms = Math.min(BACKOFF_MS * 2 ** (failures - 1), BACKOFF_MS_MAX)
        await this.#options.stopwatch.sleep(ms, signal).catch(() => undefined)
      } else await this.#breathe()
    }
    this.#draining = undefined
  }

  /** True when it was rejected. */
  async #deliverSome(): Promise<boolean> {
    const first = this.#queue[this.#head]
    try {
      if (first?.fault !== undefined) await this.#setAside(first.raw, first.fault)
      else await this.#options.onBatch(this.#batchOf(this.#nextRecords()))
      return false
    } catch (error) {
      this.#options.onRejected(error, this)
      return true
    }
  }

  /** Up to the first record that is no event. */
  #nextRecords(): readonly BusRecord[] {
    const records: BusRecord[] = []
    const end = Math.min(this.#head + this.#options.batchSizeMax, this.#queue.length)
    for (let at = this.#head; at < end; at += 1) {
      const queued = this.#queue[at]
      if (queued === undefined || queued.fault !== undefined) break
      records.push(queued.record)
    }
    return records
  }

  /** F2 */
  async #setAside(raw: FetchedRecord, fault: string): Promise<void> {
    const offset = BigInt(raw.offset)
    await this.#options.setAside(raw, offset, fault)
    this.#resolve(offset)
  }

  #batchOf(records: readonly BusRecord[]): BusBatch {
    const { signal } = this.#lease
    return {
      topic: this.topic,
      partition: this.partition,
      records,
      signal,
      resolve: (offset) => this.#resolve(offset),
      heartbeat: async () => {
        signal.throwIfAborted()
        await this.#breathe()
        signal.throwIfAborted()
      },
    }
  }

  #resolve(offset: bigint): void {
    if (this.#isClosed || (this.#resolved !== undefined && offset < this.#resolved)) return
    this.#resolved = offset + 1n
  }

  #skipResolved(): void {
    const resolved = this.#resolved
    if (resolved === undefined) return
    for (; this.#head < this.#queue.length; this.#head += 1) {
      const queued = this.#queue[this.#head]
      if (queued !== undefined && offsetOf(queued) >= resolved) return
    }
  }

  /** The fetches and heartbeats of the whole process need their turn. */
  async #breathe(): Promise<void> {
    const { stopwatch } = this.#options
    if (stopwatch.elapsedMs() - this.#breathedMs < BREATH_MS) return
    await nextTurn()
    this.#breathedMs = stopwatch.elapsedMs()
  }
}
