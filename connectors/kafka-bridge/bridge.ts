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

export const startBridge = (options: BridgeOptions): Bridge => new RunningBridge(options)

class RunningBridge implements Bridge {
  readonly #options: BridgeOptions
  readonly #open = new Map<string, Open>()
  /** Functions that could not be opened, and why. */
  readonly #failing = new Map<string, string>()
  readonly #ended = Promise.withResolvers<void>()
  readonly #closing = new AbortController()
  readonly #watching: Promise<void>
  #sourceFault: string | undefined = 'it is not known yet which functions there are'

  constructor(options: BridgeOptions) {
    this.#options = options
    this.#watching = this.#watch()
    this.#watching.catch((error: unknown) => this.#ended.reject(error))
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  notReady(): readonly string[] {
    const failing = [...this.#failing].map(([name, reason]) => `${name}: ${reason}`)
    if (this.#open.size + failing.length > 0) return failing
    return [this.#sourceFault ?? 'there are no functions']
  }

  functions() {
    return [...this.#open].map(([name, { instances }]) => ({ name, ...instances.count() }))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#watching.catch(() => undefined)
    await Promise.all([...this.#open.values()].map(({ consumption }) => consumption.close()))
    this.#open.clear()
    this.#ended.resolve()
  }

  async #watch(): Promise<void> {
    const { stopwatch, pollMs } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      const wanted = await this.#wantedNow()
      if (wanted !== undefined && !signal.aborted) await this.#turnInto(wanted)
      await stopwatch.sleep(pollMs, signal).catch(() => undefined)
    }
  }

  /** B2. */
  async #wantedNow(): Promise<readonly Target[] | undefined> {
    const { source, log } = this.#options
    try {
      const wanted = await source(this.#closing.signal)
      this.#sourceFault = undefined
      return wanted
    } catch (error) {
      if (!this.#closing.signal.aborted) log.error({ error }, 'it is not known which functions there are')
      this.#sourceFault = messageOf(error)
      return undefined
    }
  }

  /** B1. */
  async #turnInto(wanted: readonly Target[]): Promise<void> {
    const running = new Map([...this.#open].map(([name, { target }]) => [name, target]))
    const changes = changesOf(running, wanted)
    this.#failing.clear()
    await Promise.all(changes.close.map((name) => this.#shut(name)))
    await Promise.all(changes.open.map((target) => this.#start(target)))
    await Promise.all([...this.#open.values()].map(({ instances }) => instances.refresh()))
  }

  /** B3. */
  async #start(target: Target): Promise<void> {
    const { log } = this.#options
    try {
      const open = await openTarget(target, this.#options)
      this.#open.set(target.name, open)
      open.consumption.ended.catch((error: unknown) => this.#ended.reject(error))
      log.info({ function: target.name, urls: target.urls }, 'function is served')
    } catch (error) {
      this.#failing.set(target.name, messageOf(error))
      log.error({ function: target.name, error }, 'function cannot be served yet')
    }
  }

  async #shut(name: string): Promise<void> {
    const gone = this.#open.get(name)
    this.#open.delete(name)
    await gone?.consumption.close()
    this.#options.log.info({ function: name }, 'function is not served any more')
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

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
