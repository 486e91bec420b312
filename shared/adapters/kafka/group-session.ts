// One membership in a consumer group, from joining to leaving or to the first failure.
//
// S1. Fetching and handling are apart. Each partition has its own queue; one that is full is paused, so a slow partition
//     delays nobody and the loop of kafkajs keeps turning: it sends the heartbeats, however long a record takes.
// S2. Before partitions are given away, every batch has ended and what it resolved is committed. A batch that will not end
//     is waited for as long as the group waits for us; what it resolves after that counts for nothing.
// S3. Where a group has no position, the one it begins at is committed before the first record is handled: a crash then does
//     not move the beginning, and everybody can see the lag.
import kafkajs, { type Consumer, type EachBatchPayload, type Kafka } from 'kafkajs'
import type { Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { BusBatch } from '#shared/ports/event-bus.ts'
import type { ReceivedRecord } from './binding.ts'
import type { KafkaLog } from './client.ts'
import { type GroupMembership, watched } from './guards.ts'
import { PartitionFeed } from './partition-feed.ts'
import { topicOfWire, wireTopic } from './topic-names.ts'

export interface SessionOptions {
  /** Its own: see client.ts. */
  readonly client: Kafka
  readonly prefix: string
  /** Without prefix. */
  readonly group: string
  readonly topics: readonly Topic[]
  readonly from: 'earliest' | 'latest'
  readonly batchSizeMax: number
  readonly sessionTimeoutMs: number
  readonly stopwatch: Stopwatch
  readonly log: KafkaLog
  readonly onBatch: (batch: BusBatch) => Promise<void>
  readonly setAside: (
    record: ReceivedRecord,
    position: { readonly topic: Topic; readonly partition: number; readonly offset: bigint },
    reason: string,
  ) => Promise<void>
}

/** An idle broker holds a fetch this long; also how long leaving and joining may take to be noticed. */
const IDLE_FETCH_MS = 500
/** While a full partition empties itself, so that it is fetched again in time. */
const BUSY_FETCH_MS = 5
const PARTITION_FETCH_BYTES_MAX = 262_144
const FETCH_BYTES_MAX = 2_097_152
/** A partition with more than so many batches in its queue is not fetched, until it is down to so many. */
const FULL_BATCHES = 2
const LOW_BATCHES = 1
/** How long the group waits for a member that still has a batch running. */
const REBALANCE_MS_MAX = 60_000
/** S2. Less than the group waits. */
const LETTING_GO_MS_MAX = 50_000

export class GroupSession {
  readonly #options: SessionOptions
  readonly #consumer: Consumer
  readonly #heartbeatMs: number
  readonly #feeds = new Map<string, PartitionFeed>()
  readonly #paused = new Map<PartitionFeed, () => void>()
  readonly #joined = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<Error>()
  #membership: GroupMembership | undefined
  #committing: Promise<void> | undefined
  #isDirty = false
  #isLeaving = false
  #hasFailed = false
  #hasProgressed = false
  #pausedFetchMs = BUSY_FETCH_MS

  constructor(options: SessionOptions) {
    this.#options = options
    this.#heartbeatMs = Math.min(3_000, Math.floor(options.sessionTimeoutMs / 10))
    this.#consumer = options.client.consumer({
      groupId: options.prefix + options.group,
      partitionAssigners: [
        (config) =>
          watched(kafkajs.PartitionAssigners.roundRobin(config), {
            beforeJoin: (membership) => this.#letGo(membership),
            afterJoin: (membership) => this.#begin(membership),
          }),
      ],
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_MS_MAX,
      heartbeatInterval: this.#heartbeatMs,
      maxWaitTimeInMs: IDLE_FETCH_MS,
      maxBytesPerPartition: PARTITION_FETCH_BYTES_MAX,
      maxBytes: FETCH_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(false) },
    })
    this.#joined.promise.catch(() => undefined)
  }

  /** Resolves with the error that ended it. */
  get ended(): Promise<Error> {
    return this.#ended.promise
  }

  /** Resolves once it is a member and knows where to begin. */
  async start(): Promise<void> {
    const { CRASH, FETCH_START } = this.#consumer.events
    this.#consumer.on(CRASH, ({ payload: { error } }) => this.#fail(error))
    this.#consumer.on(FETCH_START, () => this.#chooseFetchTime())
    await this.#consumer.connect()
    await this.#consumer.subscribe({
      topics: this.#options.topics.map((topic) => wireTopic(this.#options.prefix, topic)),
      fromBeginning: this.#options.from === 'earliest',
    })
    await this.#consumer.run({
      autoCommit: false,
      // Handling has no part in this loop (S1), so one worker is enough.
      partitionsConsumedConcurrently: 1,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => Promise.resolve(this.#take(payload)),
    })
    await this.#joined.promise
  }

  /** Lets the running batches end, commits, leaves the group. */
  async stop(reason: string): Promise<void> {
    this.#isLeaving = true
    await this.#revokeAll(reason)
    if (!this.#hasFailed) await this.#commit()
    this.#forget()
    await this.#consumer.disconnect().catch((error: unknown) => {
      this.#options.log.debug({ error, group: this.#options.group }, 'leaving the group failed')
    })
  }

  #fail(error: Error): void {
    this.#hasFailed = true
    this.#isLeaving = true
    this.#joined.reject(error)
    this.#ended.resolve(error)
  }

  /** S2. Called before every join, the first included, when there is nothing to let go of. */
  async #letGo(membership: GroupMembership): Promise<void> {
    if (this.#feeds.size === 0) return
    const done = new AbortController()
    const { stopwatch, log, group } = this.#options
    const late = stopwatch.sleep(LETTING_GO_MS_MAX, done.signal).then(
      () => log.error({ group }, 'a batch did not end in time; its partition is given away while it runs'),
      () => undefined,
    )
    void this.#beat(membership, done.signal)
    await Promise.race([this.#revokeAll('the partition was taken away'), late])
    await this.#commit()
    done.abort()
    this.#forget()
  }

  /** While kafkajs waits for us it sends no heartbeats; the group must not take us for dead. */
  async #beat(
    { coordinator, groupId, memberId, generationId }: GroupMembership,
    signal: AbortSignal,
  ): Promise<void> {
    const member = { groupId, memberId, groupGenerationId: generationId }
    while (!signal.aborted) {
      // The answer is always that the group is rebalancing.
      await coordinator.heartbeat(member).catch(() => undefined)
      await this.#options.stopwatch.sleep(this.#heartbeatMs, signal).catch(() => undefined)
    }
  }

  /** S3 */
  async #begin(membership: GroupMembership): Promise<void> {
    this.#membership = membership
    const { offsetManager } = membership
    await offsetManager.resolveOffsets()
    const positions = offsetManager.committedOffsets()
    const topics = membership.assigned().map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({
        partition,
        offset: positions[topic]?.[String(partition)] ?? '0',
      })),
    }))
    try {
      await membership.commitOffsets({ topics })
    } catch (error) {
      // The group is on the move again: the next join comes here again.
      if (isMoving(error)) return
      throw error
    }
    this.#joined.resolve()
  }

  async #revokeAll(reason: string): Promise<void> {
    await Promise.all([...this.#feeds.values()].map((feed) => feed.revoke(reason)))
  }

  #forget(): void {
    for (const feed of this.#feeds.values()) feed.close()
    this.#feeds.clear()
    for (const resume of this.#paused.values()) resume()
    this.#paused.clear()
  }

  /** S1. Fetched is not handled: what the loop of kafkajs resolves is only its own place. */
  #take(payload: EachBatchPayload): void {
    const { topic, partition, messages } = payload.batch
    const feed = this.#isLeaving ? undefined : this.#feedOf(topic, partition)
    if (feed === undefined) {
      payload.pause()
      return
    }
    feed.push(messages)
    payload.resolveOffset(payload.batch.lastOffset())
    if (feed.size > this.#options.batchSizeMax * FULL_BATCHES) this.#paused.set(feed, payload.pause())
  }

  #feedOf(wire: string, partition: number): PartitionFeed | undefined {
    const key = `${wire}/${partition}`
    const known = this.#feeds.get(key)
    if (known !== undefined) return known
    const { prefix, batchSizeMax, stopwatch, onBatch, setAside, log, group } = this.#options
    const topic = topicOfWire(prefix, wire)
    if (topic === undefined) return undefined
    const feed = new PartitionFeed({
      topic,
      partition,
      batchSizeMax,
      stopwatch,
      onBatch,
      setAside: (record, offset, reason) => setAside(record, { topic, partition, offset }, reason),
      onProgress: (each) => this.#progressed(each),
      onRejected: (error) =>
        log.debug({ error, group, topic, partition }, 'a batch was rejected and comes again'),
    })
    this.#feeds.set(key, feed)
    return feed
  }

  #progressed(feed: PartitionFeed): void {
    this.#isDirty = true
    this.#committing ??= this.#commitAll()
    const resume = this.#paused.get(feed)
    if (resume === undefined) return
    this.#hasProgressed = true
    if (feed.size > this.#options.batchSizeMax * LOW_BATCHES) return
    this.#paused.delete(feed)
    resume()
  }

  /** A fetch cannot be called back when a partition is resumed, so it is kept short while one is about to be. */
  #chooseFetchTime(): void {
    const isBusy = this.#paused.size === 0 || this.#hasProgressed
    this.#pausedFetchMs = isBusy ? BUSY_FETCH_MS : Math.min(this.#pausedFetchMs * 2, IDLE_FETCH_MS)
    this.#hasProgressed = false
    if (this.#membership === undefined) return
    this.#membership.maxWaitTime = this.#paused.size === 0 ? IDLE_FETCH_MS : this.#pausedFetchMs
  }

  /** Everything resolved so far. */
  async #commit(): Promise<void> {
    await this.#committing
    this.#isDirty = true
    await this.#commitAll()
  }

  /** One commit at a time; what is resolved meanwhile goes with the next. A failure leaves it to the next too. */
  async #commitAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false
      const due = [...this.#feeds.values()].flatMap((feed) => {
        const position = feed.uncommitted()
        return position === undefined ? [] : [{ feed, position }]
      })
      if (due.length === 0) break
      try {
        await this.#membership?.commitOffsets({
          topics: due.map(({ feed, position }) => ({
            topic: wireTopic(this.#options.prefix, feed.topic),
            partitions: [{ partition: feed.partition, offset: String(position) }],
          })),
        })
        for (const { feed, position } of due) feed.committed(position)
      } catch (error) {
        // Without a commit records come again; the loop of kafkajs finds out what is wrong with the group.
        this.#options.log.debug({ error, group: this.#options.group }, 'positions not committed')
        break
      }
    }
    this.#committing = undefined
  }
}

const MOVING = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
])

const isMoving = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && typeof error.type === 'string' && MOVING.has(error.type)
