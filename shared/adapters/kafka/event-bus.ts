// The event bus on Kafka.
import type { Message } from 'kafkajs'
import { contractOf } from '#shared/events/catalogue.ts'
import type { Event, Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type {
  BusBatch,
  DeadLetter,
  EventBus,
  SubscribeOptions,
  Subscription,
} from '#shared/ports/event-bus.ts'
import { encodeRecord } from './binding.ts'
import { type KafkaLog, kafkaClient } from './client.ts'
import type { KafkaSettings } from './config.ts'
import { type RawDeadLetter, encodeDeadLetter, encodeRawDeadLetter } from './dead-letters.ts'
import { GroupSession } from './group-session.ts'
import { lagMeter } from './lag.ts'
import { type WireRecord, publisher } from './publisher.ts'
import { openSubscription } from './subscription.ts'
import { deadLetterTopic, wireTopic } from './topic-names.ts'

export interface KafkaBusOptions {
  readonly settings: KafkaSettings
  readonly stopwatch: Stopwatch
  readonly log: KafkaLog
  /**
   * A subscription has ended for a reason that will not pass. Default: an uncaught exception, which ends the process.
   * Must not throw.
   */
  readonly onCrash?: (error: Error, group: string) => void
}

const BATCH_SIZE_DEFAULT = 500

const topicOf = ({ type, id }: Event): Topic => {
  const contract = contractOf(type)
  if (contract === undefined) throw new PoisonError(`no contract for events of type ${type} (${id})`)
  return contract.topic
}

const endProcess = (error: Error): void =>
  queueMicrotask(() => {
    throw error
  })

/** @throws KafkaSetupError, RetryableError when Kafka cannot be reached with these settings. */
export async function kafkaBus(options: KafkaBusOptions): Promise<EventBus> {
  const { settings, log } = options
  const client = kafkaClient(settings, log)
  const records = publisher({ client, bytesMax: settings.JTS_KAFKA_MESSAGE_BYTES_MAX })
  const wire = wireRecords(settings)
  const lagOf = lagMeter(client, settings.JTS_KAFKA_PREFIX)
  const open = new Set<Subscription>()
  let isClosed = false

  const assertOpen = (): void => {
    if (isClosed) throw new RetryableError('the bus is closed')
  }
  await records.connect()
  return {
    async publish(events) {
      assertOpen()
      await records.send(events.map(wire.ofEvent))
    },
    async publishDeadLetter(letters) {
      assertOpen()
      await records.send(letters.map(wire.ofLetter))
    },
    async subscribe(wanted, onBatch) {
      assertOpen()
      const opened = await subscribe(options, wanted, onBatch, (letter) =>
        records.send([wire.ofRawLetter(letter)]),
      )
      const subscription: Subscription = {
        async close() {
          open.delete(subscription)
          await opened.close()
        },
      }
      open.add(subscription)
      return subscription
    },
    lag: (group) => lagOf.group(group),
    async close() {
      isClosed = true
      await Promise.all([...open].map((subscription) => subscription.close()))
      await records.close()
      await lagOf.close()
    },
  }
}

/** What is sent, with its topic on the brokers and about what it weighs. */
function wireRecords({ JTS_KAFKA_PREFIX: prefix, JTS_KAFKA_MESSAGE_BYTES_MAX: bytesMax }: KafkaSettings) {
  // What was small enough for its topic is small enough for dead letters, which may be larger.
  const letter = (topic: Topic, message: Message, bytes: number): WireRecord => ({
    topic: wireTopic(prefix, deadLetterTopic(topic)),
    message,
    bytes: Math.min(bytes, bytesMax),
  })
  return {
    ofEvent: (event: Event): WireRecord => {
      const topic = wireTopic(prefix, topicOf(event))
      const message = encodeRecord(event)
      return { topic, message, bytes: message.bytes }
    },
    ofLetter: (given: DeadLetter): WireRecord => {
      const message = encodeDeadLetter(given)
      return letter(topicOf(given.event), message, message.bytes)
    },
    ofRawLetter: (given: RawDeadLetter): WireRecord =>
      letter(given.position.topic, encodeRawDeadLetter(given), given.record.value?.length ?? 0),
  }
}

async function subscribe(
  { settings, stopwatch, log, onCrash = endProcess }: KafkaBusOptions,
  { group, topics, from = 'earliest', batchSizeMax = BATCH_SIZE_DEFAULT }: SubscribeOptions,
  onBatch: (batch: BusBatch) => Promise<void>,
  publishLetter: (letter: RawDeadLetter) => Promise<void>,
): Promise<Subscription> {
  if (!(batchSizeMax >= 1))
    throw new RangeError(`batchSizeMax of ${group} must be at least 1: ${batchSizeMax}`)
  return openSubscription({
    group,
    stopwatch,
    log,
    onCrash: (error) => onCrash(error, group),
    newSession: () =>
      new GroupSession({
        client: kafkaClient(settings, log),
        prefix: settings.JTS_KAFKA_PREFIX,
        group,
        topics,
        from,
        batchSizeMax,
        sessionTimeoutMs: settings.JTS_KAFKA_SESSION_TIMEOUT_MS,
        stopwatch,
        log,
        onBatch,
        setAside: async (record, position, reason) => {
          await publishLetter({ consumer: group, reason, position, record })
          log.error({ group, ...position, reason }, 'a record that is no event was set aside')
        },
      }),
  })
}
