// The bridge as it is deployed, functions as processes, and a real broker: killed while orders are under way. Needs the
// broker that JTS_KAFKA_BROKERS names, and starts one of its own to kill it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeRecord } from '#shared/adapters/kafka/binding.ts'
import type { KafkaSettings } from '#shared/adapters/kafka/config.ts'
import { createTopics, freshSettings, openBus, readAll } from '#shared/adapters/kafka/kafka-bench.fixture.ts'
import { lost, outOfOrder, pause, until } from '#shared/adapters/kafka/load.fixture.ts'
import type { DataOf, Event } from '#shared/events/contract.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { ORDER } from '#shared/runtime/cloudevents/http-vector.ts'
import { root } from '#shared/runtime/test-event.fixture.ts'
import { startKafka } from '../../scripts/services/kafka.ts'
import { freePort } from '../../scripts/services/server-process.ts'

const ACCOUNTS = 12
let directory: string
const children = new Set<ChildProcess>()
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jts-bridge-'))
})
afterEach(async () => {
  for (const child of children) await kill(child)
  await rm(directory, { recursive: true, force: true })
})

async function kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  child.kill(signal)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

function start(file: string, environment: Readonly<Record<string, string>>): ChildProcess {
  const env = { ...process.env, LOG_LEVEL: 'fatal', ...environment }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  children.add(child)
  return child
}

const isReady = (port: number): Promise<void> =>
  until(async () => expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200))

interface Process {
  readonly port: number
  readonly child: ChildProcess
}

/** Notes of what functions did stand here, in the order in which they did it. */
const notes = (): string => join(directory, 'notes')
async function handled(): Promise<readonly string[]> {
  if (!existsSync(notes())) return []
  const lines = (await readFile(notes(), 'utf8')).split('\n')
  return lines.filter((line) => line !== '').map((line) => line.split(' ')[0] ?? '')
}

async function startFunction(
  port?: number,
  changes: Readonly<Record<string, string>> = {},
): Promise<Process> {
  const listening = port ?? (await freePort())
  const child = start(join(import.meta.dirname, 'function-process.fixture.ts'), {
    JTS_KAFKA_BROKERS: '',
    PORT: String(listening),
    NOTES: notes(),
    PAUSE_MS: '1',
    ...changes,
  })
  await isReady(listening)
  return { port: listening, child }
}

const brokersOf = (settings: KafkaSettings) => ({
  JTS_KAFKA_BROKERS: settings.JTS_KAFKA_BROKERS.join(),
  JTS_KAFKA_PREFIX: settings.JTS_KAFKA_PREFIX,
  JTS_KAFKA_SESSION_TIMEOUT_MS: '6000',
})

async function startBridge(settings: KafkaSettings, functions: readonly Process[]): Promise<Process> {
  const port = await freePort()
  const urls = functions.map((each) => `http://127.0.0.1:${each.port}`)
  const child = start(join(import.meta.dirname, 'main.ts'), {
    ...brokersOf(settings),
    PORT: String(port),
    JTS_BRIDGE_FUNCTIONS: `risk-check=${urls.join()}`,
    JTS_BRIDGE_BATCH_MAX: '20',
  })
  await isReady(port)
  return { port, child }
}

const order = (account: number, index: number): Event => {
  const id = `account-${account}/${index}`
  const data = { ...ORDER, accountId: `account-${account}`, clientOrderId: id }
  return root(OrderRequested, data as DataOf<typeof OrderRequested>, id)
}

/** Orders of all accounts side by side, each published until the bus has it. */
function load(bus: EventBus, pauseMs: number) {
  const published: string[] = []
  const stopping = new AbortController()
  const series = async (account: number): Promise<void> => {
    for (let index = 0; !stopping.signal.aborted;) {
      try {
        const event = order(account, index)
        await bus.publish([event])
        published.push(event.id)
        index += 1
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error
      }
      await pause(pauseMs)
    }
  }
  const running = Promise.all(Array.from({ length: ACCOUNTS }, (_, account) => series(account)))
  return {
    async stop(): Promise<readonly string[]> {
      stopping.abort()
      await running
      return published
    },
  }
}

/** Causes of the denials on the topic, each id once. */
async function denied(settings: KafkaSettings): Promise<readonly string[]> {
  const byId = new Map<string, string>()
  for (const message of await readAll(settings, `${settings.JTS_KAFKA_PREFIX}orders`)) {
    const decoded = decodeRecord(message, 'orders')
    if (decoded.event?.type === OrderDenied.type) byId.set(decoded.event.id, decoded.event.causationid)
  }
  return [...byId.values()]
}

async function more(count: number): Promise<void> {
  const before = (await handled()).length
  await until(async () => expect((await handled()).length).toBeGreaterThan(before + count))
}

/** What is wrong once everything published has been handled. */
async function faults(settings: KafkaSettings, published: readonly string[], bus: EventBus) {
  await until(async () => expect(lost(published, await handled())).toEqual([]))
  await until(async () => expect(await bus.lag('risk-check')).toBe(0))
  const denials = await denied(settings)
  return {
    outOfOrder: outOfOrder(await handled()),
    deniedTwice: denials.length - new Set(denials).size,
    notDenied: lost(published, denials),
    setAside: (await readAll(settings, `${settings.JTS_KAFKA_PREFIX}orders.dead-letter`)).length,
  }
}
const NONE = { outOfOrder: [], deniedTwice: 0, notDenied: [], setAside: 0 }

test('bridges and functions killed in the middle of their batches: each order is denied once, in order', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const functions = await Promise.all([startFunction(), startFunction()])
  const bridges = await Promise.all([startBridge(settings, functions), startBridge(settings, functions)])
  const publishing = load(bus, 5)
  await more(300)
  for (let round = 0; round < 2; round += 1) {
    await kill(bridges[round]?.child as ChildProcess)
    await more(100)
    bridges[round] = await startBridge(settings, functions)
    await kill(functions[round]?.child as ChildProcess)
    await more(100)
    functions[round] = await startFunction(functions[round]?.port)
    await more(200)
  }
  expect(await faults(settings, await publishing.stop(), bus)).toEqual(NONE)
  await bus.close()
}, 240_000)

test('with its only function dead, orders wait; when it is back, they go on where they stopped', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  let only = await startFunction()
  const bridge = await startBridge(settings, [only])
  const publishing = load(bus, 10)
  await more(100)
  await kill(only.child)
  await pause(3_000)
  const published = await publishing.stop()
  expect(lost(published, await handled()).length).toBeGreaterThan(0)
  only = await startFunction(only.port)
  expect(await faults(settings, published, bus)).toEqual(NONE)
  expect(await (await fetch(`http://127.0.0.1:${bridge.port}/metrics`)).text()).toContain(
    'jts_bridge_lag_records{function="risk-check"} 0',
  )
  await bus.close()
}, 120_000)

test('a bridge that is told to end finishes what is under way: nothing comes twice', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const only = await startFunction()
  const publishing = load(bus, 10)
  for (let round = 0; round < 3; round += 1) {
    const bridge = await startBridge(settings, [only])
    await more(100)
    expect(await kill(bridge.child, 'SIGTERM')).toBe(0)
  }
  await startBridge(settings, [only])
  const published = await publishing.stop()
  expect(await faults(settings, published, bus)).toEqual(NONE)
  expect(await handled()).toHaveLength(published.length)
  await bus.close()
}, 180_000)

test('functions that take their events from Kafka themselves, one of them killed, need no bridge', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const consuming = { ...brokersOf(settings), JTS_CONSUME: 'true' }
  const functions = await Promise.all([
    startFunction(undefined, consuming),
    startFunction(undefined, consuming),
  ])
  const publishing = load(bus, 10)
  await more(200)
  await kill(functions[0].child)
  await more(200)
  await startFunction(undefined, consuming)
  await more(200)
  const published = await publishing.stop()
  expect(await faults(settings, published, bus)).toEqual(NONE)
  await bus.close()
}, 120_000)

test('a broker killed under load: the bridge goes on by itself, and nothing is lost or reordered', async () => {
  const files = join(directory, 'kafka')
  let broker = await startKafka({ directory: files })
  try {
    const settings = freshSettings(broker.broker)
    await createTopics(settings)
    const bus = await openBus(settings)
    const functions = await Promise.all([startFunction(), startFunction()])
    const bridge = await startBridge(settings, functions)
    const publishing = load(bus, 10)
    await more(200)
    await broker.kill()
    await pause(2_000)
    broker = await startKafka({ directory: files, port: Number(broker.broker.split(':')[1]) })
    await more(200)
    expect(await faults(settings, await publishing.stop(), bus)).toEqual(NONE)
    expect(bridge.child.exitCode).toBe(null)
    await bus.close()
  } finally {
    await broker.kill()
  }
}, 240_000)
