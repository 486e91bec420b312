// For tests: functions behind real sockets, and a bridge from a memory bus to them.
import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { type MemoryBus, memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { type HttpDeps, functionServer } from '#shared/runtime/http.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { type BothHandler, atZero, bothFunction } from '#shared/runtime/test-event.fixture.ts'
import { type Bridge, type BridgeMetrics, type BridgeOptions, startBridge } from './bridge.ts'
import { type HttpClient, httpClient } from './http-client.ts'
import type { Target } from './target.ts'

export interface FunctionProcess {
  readonly url: string
  readonly port: number
  /** Bodies of the requests that came, in order. */
  readonly bodies: readonly string[]
  /** As a process that is killed: connections break, and nobody listens. */
  kill(): Promise<void>
}

/** Any server, with a note of what it was sent. Port 0 picks a free one. */
export async function listen(answer: RequestListener, port = 0): Promise<FunctionProcess> {
  const bodies: string[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => bodies.push(Buffer.concat(chunks).toString('utf8')))
    answer(incoming, outgoing)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    bodies,
    async kill() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** The test function as it is deployed. */
export async function serveFunction(
  handler: BothHandler,
  { port = 0, ...deps }: Partial<HttpDeps> & { readonly port?: number } = {},
): Promise<FunctionProcess> {
  const host = hostFunction(bothFunction, handler, {
    clock: atZero,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  const inner = functionServer([host], { log: silentLog, stopwatch: systemStopwatch, ...deps })
  const outer = await listen((incoming, outgoing) => inner.emit('request', incoming, outgoing), port)
  return {
    ...outer,
    async kill() {
      await outer.kill()
      host.close()
    },
  }
}

export interface Counts {
  readonly retries: number
  readonly setAside: number
  readonly standing: number
  readonly requests: Readonly<Record<string, number>>
}

export interface TestBridge {
  readonly bus: MemoryBus
  readonly bridge: Bridge
  readonly client: HttpClient
  readonly counts: Counts
  close(): Promise<void>
}

export const targetOf = (urls: readonly string[], changes: Partial<Target> = {}): Target => {
  const { name, consumes, produces, timeoutMs } = bothFunction
  return { name, consumes, produces, urls, timeoutMs, batchMax: 50, ...changes }
}

/** Fast where the product is patient. */
export function openBridge(
  targets: readonly Target[] | (() => readonly Target[]),
  options: Partial<BridgeOptions> & { readonly bus?: MemoryBus; readonly answerBytesMax?: number } = {},
): TestBridge {
  const bus = options.bus ?? memoryBus({ stopwatch: systemStopwatch })
  const counted = { retries: 0, setAside: 0, standing: 0, requests: {} as Record<string, number> }
  const client = httpClient({
    stopwatch: systemStopwatch,
    connectMsMax: 500,
    answerBytesMax: options.answerBytesMax ?? 1_000_000,
  })
  const bridge = startBridge({
    source: async () => (typeof targets === 'function' ? targets() : targets),
    client,
    stopwatch: systemStopwatch,
    random: () => 1,
    log: silentLog,
    metrics: countersInto(counted),
    retry: { attemptsMax: 3, baseMs: 1, maxMs: 20 },
    pollMs: 50,
    bytesMax: 1_000_000,
    inFlightMax: 16,
    marginMs: 500,
    leaveMs: 1_000,
    ...options,
    bus,
  })
  return {
    bus,
    bridge,
    client,
    counts: counted,
    async close() {
      await bridge.close()
      await bus.close()
      client.close()
    },
  }
}

const countersInto = (counts: {
  retries: number
  setAside: number
  standing: number
  readonly requests: Record<string, number>
}): BridgeMetrics => ({
  retried: () => (counts.retries += 1),
  setAside: () => (counts.setAside += 1),
  standing: (_name, change) => (counts.standing += change),
  inFlight: () => undefined,
  answered: (_name, kind) => (counts.requests[kind] = (counts.requests[kind] ?? 0) + 1),
})

/** The causes of everything that was published on `orders` by a function, in order. */
export async function watchDenials(bus: MemoryBus): Promise<string[]> {
  const seen: string[] = []
  await bus.subscribe({ group: 'watch', topics: ['orders'] }, async (batch) => {
    for (const { event, offset } of batch.records) {
      if (event.type === 'jts.order.denied.v1') seen.push(event.causationid)
      batch.resolve(offset)
    }
  })
  return seen
}

/** What a test opens, and how it ends: `afterEach(bench.end)`. */
export function bridgeBench() {
  const ends: (() => Promise<void>)[] = []
  const ending = <Opened extends FunctionProcess>(opened: Opened): Opened => {
    ends.push(() => opened.kill().catch(() => undefined)) // it may be dead already
    return opened
  }
  return {
    bridging: (...args: Parameters<typeof openBridge>): TestBridge => {
      const opened = openBridge(...args)
      ends.push(() => opened.close())
      return opened
    },
    serving: async (...args: Parameters<typeof serveFunction>) => ending(await serveFunction(...args)),
    answering: async (...args: Parameters<typeof listen>) => ending(await listen(...args)),
    end: async (): Promise<void> => {
      for (const end of ends.splice(0).toReversed()) await end()
    },
  }
}

export const until = (condition: () => boolean | Promise<boolean>): Promise<void> =>
  expect.poll(condition, { interval: 5, timeout: 15_000 }).toBe(true)

/** Everything that the test function consumes is handled. */
export const isDone = ({ bus }: Pick<TestBridge, 'bus'>): Promise<void> =>
  until(async () => (await bus.lag(bothFunction.name)) === 0)
