// One hop over Kafka: from the call that publishes an event to the handler that gets it, at a steady pace. Both sides wait
// for all copies and encode and decode their event; the bare one does it by JSON alone.
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Event } from '#shared/events/contract.ts'
import { type RaceResult, type Round, figureOf, interleave, percentile, report } from '../harness.ts'
import { type BenchKafka, TOPIC, benchKafka } from '../kafka.ts'
import { tickEvents } from '../tick-events.ts'

const ROUNDS = 5
const EVENTS = 1_500
const PACE_MS = 3
const INSTRUMENTS = 40
const PARTITIONS = 8

const never = new AbortController().signal

/** Sends events in time, whether the one before has arrived or not, and takes each one's way. */
function course() {
  const sentMs = new Map<string, number>()
  const waysMs: number[] = []
  const done = Promise.withResolvers<void>()
  return {
    arrived(id: string): void {
      const at = sentMs.get(id)
      if (at === undefined) return
      waysMs.push(systemStopwatch.elapsedMs() - at)
      if (waysMs.length === EVENTS) done.resolve()
    },
    async run(events: readonly Event[], publish: (event: Event) => Promise<unknown>): Promise<Round> {
      const publishing: Promise<unknown>[] = []
      for (const event of events) {
        sentMs.set(event.id, systemStopwatch.elapsedMs())
        publishing.push(publish(event))
        await systemStopwatch.sleep(PACE_MS, never)
      }
      await Promise.all(publishing)
      await done.promise
      return { p50Ms: percentile(waysMs, 0.5), p99Ms: percentile(waysMs, 0.99) }
    },
  }
}

/** Ids of each round are new: a topic keeps what earlier rounds wrote. */
const eventsOf = (who: string, round: number): readonly Event[] =>
  tickEvents(EVENTS, INSTRUMENTS).map((event) => ({ ...event, id: `${who}-${round}-${event.id}` }))

async function ours(kafka: BenchKafka, round: number): Promise<Round> {
  const race = course()
  const bus = await kafka.bus()
  await bus.subscribe({ group: `jts-${round}`, topics: [TOPIC], from: 'latest' }, async (batch) => {
    for (const { event, offset } of batch.records) {
      race.arrived(event.id)
      batch.resolve(offset)
    }
  })
  const figures = await race.run(eventsOf('jts', round), (event) => bus.publish([event]))
  await bus.close()
  return figures
}

async function bare(kafka: BenchKafka, round: number): Promise<Round> {
  const race = course()
  const client = kafka.client()
  const producer = client.producer({ idempotent: true })
  const consumer = client.consumer({ groupId: `bare-${round}` })
  const joined = Promise.withResolvers<void>()
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC] })
  await consumer.run({
    eachMessage: async ({ message }) => race.arrived((JSON.parse(String(message.value)) as Event).id),
  })
  await joined.promise
  // It takes its position with the first fetch; what is sent before is not for it.
  await systemStopwatch.sleep(500, never)
  const figures = await race.run(eventsOf('bare', round), (event) =>
    producer.send({
      topic: TOPIC,
      messages: [{ key: event.partitionkey, value: JSON.stringify(event) }],
    }),
  )
  await consumer.disconnect()
  await producer.disconnect()
  return figures
}

async function run(): Promise<RaceResult> {
  const kafka = await benchKafka(PARTITIONS)
  try {
    const standings = await interleave(
      [
        { name: 'JTS', measure: (round) => ours(kafka, round) },
        { name: 'kafkajs', measure: (round) => bare(kafka, round) },
      ],
      { rounds: ROUNDS },
    )
    const ratio = (figure: string): number =>
      figureOf(standings, 'JTS', figure) / figureOf(standings, 'kafkajs', figure)
    return {
      title: `one hop of ${EVENTS.toLocaleString('en-US')} ticks, one each ${PACE_MS} ms, ${ROUNDS} rounds`,
      standings,
      targets: [
        { what: 'p50, JTS ÷ kafkajs', value: ratio('p50Ms'), atMost: 1.2 },
        { what: 'p99, JTS ÷ kafkajs', value: ratio('p99Ms'), atMost: 1.2 },
        { what: 'p99 of JTS, milliseconds', value: figureOf(standings, 'JTS', 'p99Ms'), atMost: 5 },
      ],
    }
  } finally {
    await kafka.stop()
  }
}

report(import.meta.filename, await run())
