// What tests against a real broker need around the bus: topics of their own, and a look at what stands in them.
import { randomBytes } from 'node:crypto'
import type { KafkaMessage } from 'kafkajs'
import type { Topic } from '#shared/events/contract.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { type KafkaLog, kafkaClient } from './client.ts'
import { KafkaConfig, type KafkaSettings } from './config.ts'
import { type KafkaBusOptions, kafkaBus } from './event-bus.ts'
import { createTopics as makeTopics } from './topic-admin.ts'
import { deadLetterTopic, wireTopic } from './topic-names.ts'

const TOPICS: readonly Topic[] = ['market.ticks', 'orders']
export const PARTITIONS = 4

export const silentLog: KafkaLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** Settings of a suite that nobody else has seen; its topics are not there yet. */
export const freshSettings = (
  brokers = process.env['JTS_KAFKA_BROKERS'] ?? '',
  more: Readonly<Record<string, string>> = {},
): KafkaSettings =>
  KafkaConfig.parse({
    JTS_KAFKA_BROKERS: brokers,
    JTS_KAFKA_PREFIX: `test-${randomBytes(6).toString('hex')}.`,
    JTS_KAFKA_SESSION_TIMEOUT_MS: '6000',
    ...more,
  })

export async function createTopics(settings: KafkaSettings): Promise<void> {
  const admin = kafkaClient(settings, silentLog).admin()
  await admin.connect()
  await makeTopics(
    admin,
    TOPICS.flatMap((topic) => [
      { topic: wireTopic(settings.JTS_KAFKA_PREFIX, topic), numPartitions: PARTITIONS },
      { topic: wireTopic(settings.JTS_KAFKA_PREFIX, deadLetterTopic(topic)), numPartitions: 1 },
    ]),
  )
  await admin.disconnect()
}

export const openBus = (settings: KafkaSettings, more: Partial<KafkaBusOptions> = {}): Promise<EventBus> =>
  kafkaBus({ settings, stopwatch: systemStopwatch, log: silentLog, ...more })

/** Everything that stands on a topic at this moment, partition by partition. */
export async function readAll(settings: KafkaSettings, topic: string): Promise<readonly KafkaMessage[]> {
  const client = kafkaClient(settings, silentLog)
  const admin = client.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const missing = new Map(
    ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)] as const),
  )
  const found: KafkaMessage[] = []
  if (missing.size === 0) return found
  const consumer = client.consumer({
    groupId: `reader-${randomBytes(6).toString('hex')}`,
    maxWaitTimeInMs: 50,
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const done = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      found.push(message)
      if (BigInt(message.offset) + 1n >= (missing.get(partition) ?? 0n)) missing.delete(partition)
      if (missing.size === 0) done.resolve()
    },
  })
  await done.promise
  await consumer.disconnect()
  return found
}
