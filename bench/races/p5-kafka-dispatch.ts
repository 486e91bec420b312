// P5: events from Kafka to a function of this process. The bound is kafkajs counting records that it never opens; the peer
// opens them with the CloudEvents SDK. Ours decodes strictly, checks the data against the contract, keeps the deadline of
// each event and commits. All read the same topic of a real broker, each round as a new group.
import { CloudEvent, Kafka as Sdk } from 'cloudevents'
import type { EachBatchHandler, IHeaders } from 'kafkajs'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { TickTraded } from '#shared/events/market.ts'
import { consume } from '#shared/runtime/consume.ts'
import { defineFunction } from '#shared/runtime/function.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { type RaceResult, type Round, figureOf, interleave, report } from '../harness.ts'
import { type BenchKafka, TOPIC, benchKafka } from '../kafka.ts'
import { tickEvents } from '../tick-events.ts'

const ROUNDS = 7
const EVENTS = 60_000
const INSTRUMENTS = 200
const PARTITIONS = 8

/** Counts down to the last event, and takes the time from the moment when the group had joined. */
function finishLine() {
  const done = Promise.withResolvers<void>()
  let seen = 0
  return {
    passed: (count: number): void => {
      seen += count
      if (seen === EVENTS) done.resolve()
    },
    async measure(): Promise<Round> {
      const startMs = systemStopwatch.elapsedMs()
      const before = process.cpuUsage()
      await done.promise
      const elapsedMs = systemStopwatch.elapsedMs() - startMs
      const { user, system } = process.cpuUsage(before)
      return { eventsPerSecond: (EVENTS * 1_000) / elapsedMs, cpuUsEach: (user + system) / EVENTS }
    },
  }
}

type Line = ReturnType<typeof finishLine>

const groupOf = (name: string, round: number): string => `${name}-${round}-${process.pid}`

/** kafkajs as its guide shows it. */
async function bare(
  kafka: BenchKafka,
  group: string,
  handler: (line: Line) => EachBatchHandler,
): Promise<Round> {
  const consumer = kafka.client().consumer({ groupId: group })
  const joined = Promise.withResolvers<void>()
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  const line = finishLine()
  await consumer.run({ eachBatch: handler(line) })
  await joined.promise
  const figures = await line.measure()
  await consumer.disconnect()
  return figures
}

const counting =
  (line: Line): EachBatchHandler =>
  async ({ batch }) => {
    line.passed(batch.messages.length)
  }

const textOf = (headers: IHeaders = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

/** The SDK takes text, not the bytes that kafkajs gives. */
const throughSdk =
  (line: Line): EachBatchHandler =>
  async (payload) => {
    for (const { key, value, headers, offset, timestamp } of payload.batch.messages) {
      const text = String(value)
      const message = { key: String(key), value: text, body: text, headers: textOf(headers), timestamp }
      const event = Sdk.toEvent(message)
      if (!(event instanceof CloudEvent) || !event.validate()) throw new Error('no event')
      payload.resolveOffset(offset)
      line.passed(1)
    }
    await payload.heartbeat()
  }

async function ours(kafka: BenchKafka, group: string): Promise<Round> {
  const line = finishLine()
  const definition = defineFunction({
    name: 'ticks',
    summary: 'Counts ticks.',
    consumes: [TickTraded],
    produces: [],
    timeoutMs: 10_000,
    scale: { min: 1, max: 1 },
  })
  const deps = { clock: systemClock, stopwatch: systemStopwatch, log: silentLog }
  const host = hostFunction(
    definition,
    async () => {
      line.passed(1)
      return []
    },
    deps,
  )
  const bus = await kafka.bus()
  const consumption = await consume({ host, bus, stopwatch: systemStopwatch, log: silentLog, group })
  const figures = await line.measure()
  await consumption.close()
  await bus.close()
  return figures
}

async function run(): Promise<RaceResult> {
  const kafka = await benchKafka(PARTITIONS)
  try {
    const bus = await kafka.bus()
    const events = tickEvents(EVENTS, INSTRUMENTS)
    for (let at = 0; at < EVENTS; at += 1_000) await bus.publish(events.slice(at, at + 1_000))
    await bus.close()
    const standings = await interleave(
      [
        { name: 'kafkajs, count only', measure: (round) => bare(kafka, groupOf('count', round), counting) },
        { name: 'JTS, function host', measure: (round) => ours(kafka, groupOf('jts', round)) },
        { name: 'kafkajs, SDK', measure: (round) => bare(kafka, groupOf('sdk', round), throughSdk) },
      ],
      { rounds: ROUNDS },
    )
    const rate = (name: string): number => figureOf(standings, name, 'eventsPerSecond')
    return {
      title: `${EVENTS.toLocaleString('en-US')} ticks from ${PARTITIONS} partitions of a broker, ${ROUNDS} rounds`,
      standings,
      targets: [
        {
          what: 'events a second, JTS ÷ counting only',
          value: rate('JTS, function host') / rate('kafkajs, count only'),
          atLeast: 0.75,
        },
        { what: 'JTS ÷ SDK', value: rate('JTS, function host') / rate('kafkajs, SDK'), atLeast: 2 },
      ],
      notes: ['the peers check no data, keep no deadlines, and commit as kafkajs does by default'],
    }
  } finally {
    await kafka.stop()
  }
}

report(import.meta.filename, await run())
