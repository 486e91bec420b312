// A real broker for a race, with one topic that all contestants read.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import { type KafkaLog, kafkaClient } from '#shared/adapters/kafka/client.ts'
import { KafkaConfig, type KafkaSettings } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { startKafka } from '../scripts/services/kafka.ts'

export interface BenchKafka {
  readonly settings: KafkaSettings
  /** As anybody would make one. The guards of the adapter are in this process all the same. */
  client(): Kafka
  bus(): Promise<EventBus>
  stop(): Promise<void>
}

export const TOPIC = 'market.ticks'

const QUIET = (): void => undefined
const LOG: KafkaLog = { debug: QUIET, info: QUIET, warn: QUIET, error: QUIET }

export async function benchKafka(partitions: number): Promise<BenchKafka> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-bench-kafka-'))
  const server = await startKafka({ directory, say: (line) => process.stderr.write(`${line}\n`) })
  const settings = KafkaConfig.parse({ JTS_KAFKA_BROKERS: server.broker })
  const admin = kafkaClient(settings, LOG).admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: partitions }] })
  await admin.disconnect()
  return {
    settings,
    client: () => kafkaClient(settings, LOG),
    bus: () => kafkaBus({ settings, stopwatch: systemStopwatch, log: LOG }),
    async stop() {
      await server.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
