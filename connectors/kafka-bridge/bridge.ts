// Keeps one consumer group open for each function there is.
//
// B1. Which functions there are is asked again and again; one that comes is opened, one that goes is closed, one that has
//     changed is closed and opened, and the others never notice.
// B2. While that cannot be asked, what runs goes on.
// B3. A function that cannot be opened is tried again, and holds up no other.
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { RetryPolicy } from '#shared/runtime/batch-run.ts'
import { type ConsumeMetrics, type Consumption, feed } from '#shared/runtime/consume.ts'
import type { Log } from '#shared/runtime/log.ts'
import type { HttpClient } from './http-client.ts'
import { HttpReceiver, type HttpReceiverOptions, type RequestMetrics } from './http-receiver.ts'
import { type Instances, type Lookup, instancesOf } from './instances.ts'
import { type Target, type TargetSource, changesOf } from './target.ts'

export type BridgeMetrics = ConsumeMetrics & RequestMetrics

export interface BridgeOptions extends Pick<
  HttpReceiverOptions,
  'bytesMax' | 'inFlightMax' | 'marginMs' | 'leaveMs'
> {
  readonly bus: EventBus
  readonly source: TargetSource
  readonly client: HttpClient
  readonly stopwatch: Stopwatch
  readonly random: () => number
  readonly log: Log
  readonly metrics: BridgeMetrics
  readonly retry: RetryPolicy
  /** Between two looks at which functions, and which instances, there are. */
  readonly pollMs: number
  /** Makes every address of a host name an instance of its own. */
  readonly lookup?: Lookup
}

export interface Bridge {
  /** Resolves after `close`; rejects when the process must end. */
  readonly ended: Promise<void>
  /** Why it is not at work yet; empty when it is. */
  notReady(): readonly string[]
  /** The functions that are served, and how many of their instances are away. */
  functions(): readonly { readonly name: string; readonly all: number; readonly resting: number }[]
  /** Lets requests under way end, and commits what they did. */
  close(): Promise<void>
}

interface Open {
  readonly target: Target
  readonly instances: Instances
  readonly consumption: Consumption
}

export function startBridge(options: BridgeOptions): Bridge {
  const { source, stopwatch, log, pollMs } = options
  const open = new Map<string, Open>()
  const failing = new Map<string, string>()
  const ended = Promise.withResolvers<void>()
  const closing = new AbortController()
  let sourceFault: string | undefined = 'it is not known yet which functions there are'

  const look = async (): Promise<void> => {
    const wanted = await wantedNow()
    if (wanted === undefined || closing.signal.aborted) return
    const targets = new Map([...open].map(([name, { target }]) => [name, target]))
    const changes = changesOf(targets, wanted)
    failing.clear()
    await Promise.all(changes.close.map((name) => shut(name)))
    await Promise.all(changes.open.map((target) => start(target)))
    await Promise.all([...open.values()].map(({ instances }) => instances.refresh()))
  }
  /** B2. */
  const wantedNow = async (): Promise<readonly Target[] | undefined> => {
    try {
      const wanted = await source(closing.signal)
      sourceFault = undefined
      return wanted
    } catch (error) {
      if (!closing.signal.aborted) log.error({ error }, 'it is not known which functions there are')
      sourceFault = error instanceof Error ? error.message : String(error)
      return undefined
    }
  }
  /** B3. */
  const start = async (target: Target): Promise<void> => {
    try {
      const started = await openTarget(target, options)
      open.set(target.name, started)
      started.consumption.ended.catch((error: unknown) => ended.reject(error))
      log.info({ function: target.name, urls: target.urls }, 'function is served')
    } catch (error) {
      failing.set(target.name, error instanceof Error ? error.message : String(error))
      log.error({ function: target.name, error }, 'function cannot be served yet')
    }
  }
  const shut = async (name: string): Promise<void> => {
    const gone = open.get(name)
    open.delete(name)
    await gone?.consumption.close()
    log.info({ function: name }, 'function is not served any more')
  }
  const watch = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await look()
      await stopwatch.sleep(pollMs, closing.signal).catch(() => undefined)
    }
  }

  const watching = watch()
  watching.catch((error: unknown) => ended.reject(error))
  ended.promise.catch(() => undefined)
  return {
    ended: ended.promise,
    notReady: () => [
      ...(sourceFault === undefined || open.size > 0 ? [] : [sourceFault]),
      ...(sourceFault === undefined && open.size + failing.size === 0 ? ['there are no functions'] : []),
      ...[...failing].map(([name, reason]) => `${name}: ${reason}`),
    ],
    functions: () => [...open].map(([name, { instances }]) => ({ name, ...instances.count() })),
    async close() {
      closing.abort()
      await watching.catch(() => undefined)
      await Promise.all([...open.values()].map(({ consumption }) => consumption.close()))
      open.clear()
      ended.resolve()
    },
  }
}

async function openTarget(target: Target, options: BridgeOptions): Promise<Open> {
  const { stopwatch, random, log, lookup } = options
  const instances = instancesOf({
    urls: target.urls,
    stopwatch,
    random,
    ...(lookup === undefined ? {} : { lookup }),
    onUnresolved: (hostname, error) =>
      log.warn({ function: target.name, hostname, error }, 'host name of a function is not known'),
  })
  await instances.refresh()
  const receiver = new HttpReceiver(target, { ...options, instances })
  const consumption = await feed(receiver, {
    bus: options.bus,
    stopwatch,
    log,
    random,
    retry: options.retry,
    metrics: options.metrics,
  })
  return { target, instances, consumption }
}
