// P6: events from a bus to a function over HTTP. The bridge sends batches, in order per partition; the peer sends one POST an
// event, 32 in flight, in no order. Both read the same bus of this process, so that the race is one of dispatching.
import { Agent, request } from 'node:http'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Event } from '#shared/events/contract.ts'
import { SignalRaised, TickTraded } from '#shared/events/market.ts'
import type { BusBatch, EventBus } from '#shared/ports/event-bus.ts'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { binaryMessage } from '#shared/runtime/cloudevents/http-encode.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { type BridgeMetrics, startBridge } from '../../connectors/kafka-bridge/bridge.ts'
import { httpClient } from '../../connectors/kafka-bridge/http-client.ts'
import { type Contestant, type RaceResult, type Round, figureOf, interleave, report } from '../harness.ts'
import { type ServerProcess, cpuSecondsOf, pinningNote, startServer } from '../processes.ts'
import { tickEvents } from '../tick-events.ts'

const ROUNDS = 5
const EVENTS = 20_000
const INSTRUMENTS = 200
const PARTITIONS = 12
const IN_FLIGHT = 32
const BATCH = 250

/** Starts to feed the function from the bus; gives what ends it. */
type Feeder = (bus: EventBus, port: number) => Promise<() => Promise<void>>

const never = new AbortController().signal
const NOBODY: BridgeMetrics = {
  retried: () => undefined,
  setAside: () => undefined,
  standing: () => undefined,
  inFlight: () => undefined,
  answered: () => undefined,
}

const bridged =
  (batchMax: number): Feeder =>
  async (bus, port) => {
    const client = httpClient({ stopwatch: systemStopwatch, connectMsMax: 2_000, answerBytesMax: 33_554_432 })
    const target = {
      name: 'ticks',
      consumes: [TickTraded],
      produces: [SignalRaised],
      urls: [`http://127.0.0.1:${port}`],
      timeoutMs: 10_000,
      batchMax,
    }
    const bridge = startBridge({
      bus,
      source: async () => [target],
      client,
      stopwatch: systemStopwatch,
      random: () => 1,
      log: silentLog,
      metrics: NOBODY,
      retry: { attemptsMax: 10, baseMs: 100, maxMs: 10_000 },
      pollMs: 60_000,
      bytesMax: 1_048_576,
      inFlightMax: 16,
      marginMs: 2_000,
      leaveMs: 5_000,
    })
    while (bridge.functions().length === 0) await systemStopwatch.sleep(1, never)
    return async () => {
      await bridge.close()
      client.close()
    }
  }

/** One POST; gives what the answer holds. Rejects unless it is a success. */
const postOne = (agent: Agent, port: number, event: Event): Promise<Event | undefined> =>
  new Promise((resolve, reject) => {
    const { headers, body } = binaryMessage(event)
    const outgoing = request({ agent, port, host: '127.0.0.1', method: 'POST', headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.once('end', () => {
        if (incoming.statusCode === 204) return resolve(undefined)
        const decoded = decodeHttp(incoming.rawHeaders, Buffer.concat(chunks))
        if (decoded.mode === 'binary') return resolve(decoded.event as Event)
        return reject(new Error(`answered ${incoming.statusCode}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })

const onePostEach: Feeder = async (bus, port) => {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  const subscription = await bus.subscribe(
    { group: 'ticks', topics: ['market.ticks'] },
    async (batch: BusBatch) => {
      const answers = await Promise.all(batch.records.map(({ event }) => postOne(agent, port, event)))
      await bus.publish(answers.filter((event) => event !== undefined))
      batch.resolve(batch.records.at(-1)?.offset ?? 0n)
    },
  )
  return async () => {
    await subscription.close()
    agent.destroy()
  }
}

async function carried(feeder: Feeder, server: ServerProcess): Promise<Round> {
  const bus = memoryBus({ stopwatch: systemStopwatch, partitions: PARTITIONS })
  const events = tickEvents(EVENTS, INSTRUMENTS)
  const before = await handledBy(server)
  const end = await feeder(bus, server.port)
  const cpuBefore = cpuSecondsOf(server.pid)
  const ownBefore = process.cpuUsage()
  const startMs = systemStopwatch.elapsedMs()
  await bus.publish(events)
  await drained(bus)
  const elapsedMs = systemStopwatch.elapsedMs() - startMs
  const own = process.cpuUsage(ownBefore)
  const cpuAfter = cpuSecondsOf(server.pid)
  await end()
  await bus.close()
  const handled = (await handledBy(server)) - before
  if (handled !== EVENTS) throw new Error(`${handled} of ${EVENTS} events were handled`)
  const figures = {
    eventsPerSecond: (EVENTS * 1_000) / elapsedMs,
    senderCpuUsEach: (own.user + own.system) / EVENTS,
  }
  return cpuBefore === undefined || cpuAfter === undefined
    ? figures
    : { ...figures, functionCpuUsEach: ((cpuAfter - cpuBefore) * 1e6) / EVENTS }
}

async function drained(bus: EventBus): Promise<void> {
  do await systemStopwatch.sleep(1, never)
  while ((await bus.lag('ticks')) > 0)
}

/** H3: the function itself counts what it has handled. */
async function handledBy({ port }: ServerProcess): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(/^jts_events_handled_total\{[^}]*outcome="done"\} (\d+)/m.exec(text)?.[1] ?? 0)
}

const FEEDERS: Readonly<Record<string, Feeder>> = {
  [`bridge, batches of ${BATCH}`]: bridged(BATCH),
  'bridge, one POST an event, in order': bridged(1),
  [`one POST an event, ${IN_FLIGHT} in flight`]: onePostEach,
}
const [BATCHES = '', IN_ORDER = '', ONE_EACH = ''] = Object.keys(FEEDERS)
const SIGNALS = ', a signal for each tick'

async function run(): Promise<RaceResult> {
  const silent = await startServer({ file: 'bench/servers/ticks.ts' })
  const emitting = await startServer({ file: 'bench/servers/ticks.ts', environment: { EMITS: '1' } })
  try {
    const contestants: Contestant[] = [[silent, ''] as const, [emitting, SIGNALS] as const].flatMap(
      ([server, suffix]) =>
        Object.entries(FEEDERS).map(([name, feeder]) => ({
          name: `${name}${suffix}`,
          measure: () => carried(feeder, server),
        })),
    )
    const standings = await interleave(contestants, { rounds: ROUNDS })
    const ratio = (of: string, to: string): number =>
      figureOf(standings, of, 'eventsPerSecond') / figureOf(standings, to, 'eventsPerSecond')
    return {
      title: `${EVENTS.toLocaleString('en-US')} ticks from ${PARTITIONS} partitions to a function that checks them, ${ROUNDS} rounds`,
      standings,
      targets: [{ what: 'events, batches ÷ one POST an event', value: ratio(BATCHES, ONE_EACH), atLeast: 4 }],
      notes: [
        pinningNote,
        `the peer keeps no order; with it, one POST an event makes ${ratio(IN_ORDER, ONE_EACH).toFixed(2)} of it`,
        `where each event emits a signal, which both publish and the bridge also checks: ${ratio(BATCHES + SIGNALS, ONE_EACH + SIGNALS).toFixed(2)}`,
      ],
    }
  } finally {
    await silent.stop()
    await emitting.stop()
  }
}

report(import.meta.filename, await run())
