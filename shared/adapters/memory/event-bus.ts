// The event bus of a single process: partitioned logs in memory, with the delivery rules of Kafka.
//
// B1. A key lands on the partition that Kafka's default partitioner gives it.
// B2. Records are frozen; all consumers see the same objects.
// B3. Memory holds what some group has not resolved, plus `retention` records a partition. Nothing unresolved is let
//     go of, so a group that stops reading for good makes the process grow.
import type { Event, Topic } from '#shared/events/contract.ts'
import { contractOf } from '#shared/events/catalogue.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { DeadLetter, EventBus, SubscribeOptions, Subscription } from '#shared/ports/event-bus.ts'
import {
  type ConsumerGroup,
  type Cursor,
  type Member,
  addTopic,
  consumerGroup,
  rebalance,
} from './consumer-group.ts'
import { type DispatchOptions, Dispatcher } from './dispatcher.ts'
import { deepFreeze } from './freeze.ts'
import { partitionOf } from './murmur2.ts'
import { type PartitionLog, partitionLog } from './partition-log.ts'

export interface MemoryBusOptions extends DispatchOptions {
  /** Partitions of a topic. Default 8. */
  readonly partitions?: number
  /** Overrides `partitions` for some topics. */
  readonly partitionsOf?: Partial<Record<Topic, number>>
  /** Newest records kept in each partition for groups that subscribe later. Default 256. */
  readonly retention?: number
  /** Newest dead letters kept. Default 10,000. */
  readonly deadLettersMax?: number
}

export interface MemoryBus extends EventBus {
  /** True when no group with members has anything unresolved and no batch runs or waits to be repeated. */
  isIdle(): boolean
  /** Resolves the next time that `isIdle`. */
  idle(): Promise<void>
  /**
   * Called with ids of events that every group of their topic has resolved; at once where no group subscribed. Each
   * event is named once. The listener must not throw.
   */
  onSettled(listener: (eventIds: readonly string[]) => void): void
  /** Events published since the beginning. */
  publishedCount(): number
  /** Oldest first. */
  deadLetters(topic?: Topic): readonly DeadLetter[]
}

const BATCH_SIZE_DEFAULT = 500
const KEYS_REMEMBERED_MAX = 50_000

const topicOf = (event: Event): Topic => {
  const contract = contractOf(event.type)
  if (contract === undefined)
    throw new PoisonError(`no contract for events of type ${event.type} (${event.id})`)
  return contract.topic
}

/** The logs, made on first use, and the way from a key to one of them. */
function topicLogs(options: MemoryBusOptions) {
  const byTopic = new Map<Topic, { logs: PartitionLog<Cursor>[]; byKey: Map<string, PartitionLog<Cursor>> }>()

  const open = (topic: Topic) => {
    const partitions = options.partitionsOf?.[topic] ?? options.partitions ?? 8
    const logs = Array.from({ length: partitions }, (_, partition) =>
      partitionLog<Cursor>(topic, partition, options.retention ?? 256),
    )
    const opened = { logs, byKey: new Map<string, PartitionLog<Cursor>>() }
    byTopic.set(topic, opened)
    return opened
  }

  return {
    logsOf: (topic: Topic): readonly PartitionLog<Cursor>[] => (byTopic.get(topic) ?? open(topic)).logs,
    logFor(topic: Topic, key: string): PartitionLog<Cursor> {
      const { logs, byKey } = byTopic.get(topic) ?? open(topic)
      const known = byKey.get(key)
      if (known !== undefined) return known
      const log = logs[partitionOf(key, logs.length)]
      if (log === undefined) throw new RangeError(`${topic} has no partitions`)
      if (byKey.size >= KEYS_REMEMBERED_MAX) byKey.clear()
      byKey.set(key, log)
      return log
    },
  }
}

/** Who reads what: groups and their members. */
function groupDesk(
  logsOf: (topic: Topic) => readonly PartitionLog<Cursor>[],
  wake: (cursor: Cursor) => void,
) {
  const groups = new Map<string, ConsumerGroup>()

  const deal = (group: ConsumerGroup): void => {
    rebalance(group)
    for (const cursors of group.cursors.values()) cursors.forEach(wake)
  }

  return {
    join(options: SubscribeOptions, onBatch: Member['onBatch']): { group: ConsumerGroup; member: Member } {
      const batchSizeMax = options.batchSizeMax ?? BATCH_SIZE_DEFAULT
      if (!(batchSizeMax >= 1))
        throw new RangeError(`batchSizeMax of ${options.group} must be at least 1: ${batchSizeMax}`)
      const member: Member = {
        topics: options.topics,
        batchSizeMax,
        isBackground: options.isBackground ?? false,
        onBatch,
        running: new Map(),
        isClosing: false,
      }
      const group = groups.get(options.group) ?? consumerGroup(options.group)
      groups.set(options.group, group)
      for (const topic of options.topics) addTopic(group, topic, logsOf(topic), options.from)
      group.members.push(member)
      deal(group)
      return { group, member }
    },

    async leave(group: ConsumerGroup, member: Member): Promise<void> {
      member.isClosing = true
      for (const cursor of member.running.keys()) cursor.batch?.closing()
      await Promise.all(member.running.values())
      const index = group.members.indexOf(member)
      if (index < 0) return
      group.members.splice(index, 1)
      deal(group)
    },

    lag(name: string): number {
      let lag = 0
      for (const cursors of groups.get(name)?.cursors.values() ?? []) {
        for (const { committed, log } of cursors) lag += log.end() - committed
      }
      return lag
    },
  }
}

/** Says which events have settled. */
function settlement() {
  const listeners: ((eventIds: readonly string[]) => void)[] = []
  const tell = (eventIds: readonly string[]): void => {
    if (eventIds.length > 0) for (const listener of listeners) listener(eventIds)
  }
  return {
    tell,
    settle: (log: PartitionLog<Cursor>): void => {
      const settled = log.settle()
      if (listeners.length > 0) tell(settled.map((record) => record.event.id))
    },
    onSettled: (listener: (eventIds: readonly string[]) => void): void => {
      listeners.push(listener)
    },
  }
}

/** Newest dead letters by topic. */
function deadLetterLog(max: number) {
  const letters: { topic: Topic; letter: DeadLetter }[] = []
  return {
    append(added: readonly DeadLetter[]): void {
      const entries = added.map((letter) => ({
        topic: topicOf(letter.event),
        letter: deepFreeze({ ...letter }),
      }))
      letters.push(...entries)
      if (letters.length > max) letters.splice(0, letters.length - max)
    },
    read: (topic?: Topic): readonly DeadLetter[] =>
      letters.filter((entry) => topic === undefined || entry.topic === topic).map((entry) => entry.letter),
  }
}

export function memoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const topics = topicLogs(options)
  const { settle, onSettled } = settlement()
  const dispatcher = new Dispatcher(options, settle)
  const groups = groupDesk(topics.logsOf, dispatcher.wake)
  const deadLetters = deadLetterLog(options.deadLettersMax ?? 10_000)
  const open = new Set<Subscription>()
  let published = 0
  let isClosed = false

  const assertOpen = (): void => {
    if (isClosed) throw new RetryableError('the bus is closed')
  }

  return {
    async publish(events) {
      assertOpen()
      const logs = events.map((event) => topics.logFor(topicOf(event), event.partitionkey))
      events.forEach((event, index) => logs[index]?.append(deepFreeze(event)))
      published += events.length
      for (const log of new Set(logs)) {
        if (log.positions.length === 0) settle(log)
        else log.positions.forEach(dispatcher.wake)
      }
    },
    async publishDeadLetter(letters) {
      assertOpen()
      deadLetters.append(letters)
    },
    async subscribe(subscribeOptions, onBatch) {
      assertOpen()
      const { group, member } = groups.join(subscribeOptions, onBatch)
      const subscription: Subscription = {
        async close() {
          open.delete(subscription)
          await groups.leave(group, member)
        },
      }
      open.add(subscription)
      return subscription
    },
    lag: async (group) => groups.lag(group),
    async close() {
      isClosed = true
      dispatcher.end()
      await Promise.all([...open].map((subscription) => subscription.close()))
    },
    isIdle: () => dispatcher.isIdle(),
    idle: () => dispatcher.idle(),
    onSettled,
    publishedCount: () => published,
    deadLetters: deadLetters.read,
  }
}
