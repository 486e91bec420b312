// Connects, waits for nothing to happen, prints the hundredths of a core that this took: `idle-kafka.ts WHO BROKERS GROUP N`.
// kafkajs is used here as its guide shows it, and without our guards: nothing of the adapter is loaded.
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'

const [who = '', brokers = '', group = '', count = '1'] = process.argv.slice(2)
const TOPIC = 'market.ticks'
const SETTLING_MS = 3_000
const MEASURED_MS = 10_000
const never = new AbortController().signal

async function startJts(): Promise<void> {
  const { kafkaBus } = await import('#shared/adapters/kafka/event-bus.ts')
  const { KafkaConfig } = await import('#shared/adapters/kafka/config.ts')
  const quiet = (): void => undefined
  const bus = await kafkaBus({
    settings: KafkaConfig.parse({ JTS_KAFKA_BROKERS: brokers }),
    stopwatch: systemStopwatch,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  })
  for (let index = 0; index < Number(count); index += 1) {
    await bus.subscribe({ group: `${group}-${index}`, topics: [TOPIC] }, async () => undefined)
  }
}

async function startKafkajs(): Promise<void> {
  const { Kafka, logLevel } = await import('kafkajs')
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const consumer = kafka.consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  await consumer.run({ eachBatch: async () => undefined })
}

if (who === 'jts') await startJts()
else await startKafkajs()
await systemStopwatch.sleep(SETTLING_MS, never)
const before = process.cpuUsage()
const startMs = systemStopwatch.elapsedMs()
await systemStopwatch.sleep(MEASURED_MS, never)
const { user, system } = process.cpuUsage(before)
process.stdout.write(String((user + system) / 10 / (systemStopwatch.elapsedMs() - startMs)))
process.exit()
