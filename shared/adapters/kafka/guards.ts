// What kafkajs 2.2.4 lacks, put in from outside.
//
// G1. Its request queues re-arm a timer every millisecond, for ever, with nothing to send: about 5 % of a core an idle
//     process. A queue in which nothing waits has nothing to check.
// G2. It joins a rebalance without asking. Whoever handles records outside its loop must first let go of them, and must
//     know the group that it has joined.
import type ConsumerGroupOf from 'kafkajs/src/consumer/consumerGroup.js'
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

export type GroupMembership = ConsumerGroupOf

/** What a consumer does around each join. kafkajs waits for it. */
export interface JoinWatcher {
  /** Its partitions are about to be given to others. */
  beforeJoin(membership: GroupMembership): Promise<void>
  afterJoin(membership: GroupMembership): Promise<void>
}

const GUARDED = Symbol.for('jts.kafkajs.guarded')
const WATCHER = Symbol.for('jts.kafkajs.watcher')

/** Attaches a watcher to a partition assigner, which is how it gets to the group. */
export const watched = <Assigner extends object>(assigner: Assigner, watcher: JoinWatcher): Assigner =>
  Object.assign(assigner, { [WATCHER]: watcher })

const watcherOf = (membership: GroupMembership): JoinWatcher | undefined => {
  for (const assigner of membership.assigners) {
    const watcher: unknown = Reflect.get(assigner, WATCHER)
    if (watcher !== undefined) return watcher as JoinWatcher
  }
  return undefined
}

/**
 * Once for a process, before its first client.
 * @throws TypeError when kafkajs has another shape than the one these guards were made for.
 */
export function guardKafkajs(): void {
  const queue = RequestQueue.prototype
  if (Reflect.has(queue, GUARDED)) return
  const group = ConsumerGroup.prototype
  // oxlint-disable-next-line unbound-method -- called with the right `this` below
  const { scheduleCheckPendingRequests } = queue
  // oxlint-disable-next-line unbound-method
  const { joinAndSync } = group
  if (typeof scheduleCheckPendingRequests !== 'function' || typeof joinAndSync !== 'function')
    throw new TypeError('kafkajs has changed its shape: see shared/adapters/kafka/guards.ts')

  queue.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this) // G1
  }
  group.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
    const watcher = watcherOf(this) // G2
    await watcher?.beforeJoin(this)
    await joinAndSync.call(this)
    await watcher?.afterJoin(this)
  }
  Object.defineProperty(queue, GUARDED, { value: true })
}
