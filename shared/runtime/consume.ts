// Feeds a function from the bus.
//
// C1. A record is resolved only after its outputs are published and `beforeResolve` has come back.
// C2. Records of a partition are handled one after another; nothing overtakes a record that is being retried.
// C3. What can never be handled goes to the dead-letter topic, with reason and attempts, and only then is resolved.
// C4. Orders and executions are never set aside because the world was not ready: their partition stands still, loudly.
// C5. A bus that cannot take outputs or dead letters stops the partition. Nothing is dropped, however long it takes.
import type { Event, Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { BusBatch, BusRecord, EventBus } from '#shared/ports/event-bus.ts'
import { type BackoffOptions, backoffMs } from './backoff.ts'
import type { FunctionHost } from './host.ts'
import { type Log, traceFields } from './log.ts'
import { topicsOf } from './routing.ts'

export interface RetryPolicy extends BackoffOptions {
  /** Deliveries of one event, the first included, before it is set aside. */
  readonly attemptsMax: number
}

export interface ConsumeOptions {
  readonly bus: EventBus
  readonly host: FunctionHost
  readonly stopwatch: Stopwatch
  readonly log: Log
  /** Consumer group. Default: the function's name. */
  readonly group?: string
  /** Default: 10 attempts, 100 ms to 10 s apart. */
  readonly retry?: RetryPolicy
  /** Spreads the pauses; 0 ≤ x < 1. Default: no spread. */
  readonly random?: () => number
  /** For handlers that buffer: makes durable what the handled records wrote. Called before they are resolved. */
  readonly beforeResolve?: () => Promise<void>
  /** Told of a defect; the record stays unresolved. Default: log and reject `ended`, which ends the process. */
  readonly onDefect?: (error: unknown, event: Event) => void
}

export interface Consumption {
  /** Resolves after `close`; rejects on a defect. Left alone, the rejection ends the process. */
  readonly ended: Promise<void>
  /** Lets the running records end, then stops. */
  close(): Promise<void>
}

const RETRY: RetryPolicy = { attemptsMax: 10, baseMs: 100, maxMs: 10_000 }
const MONEY: ReadonlySet<Topic> = new Set(['orders', 'executions'])
const HEARTBEAT_MS = 2_000
/** Outputs are published together, but none waits longer than this for those that follow. */
const OUTPUTS_MAX = 256
const OUTPUTS_AGE_MS_MAX = 5

class DefectError extends Error {
  override name = 'DefectError'
}

export async function consume(options: ConsumeOptions): Promise<Consumption> {
  const { bus, host, log } = options
  const { name } = host.definition
  const group = options.group ?? name
  const ended = Promise.withResolvers<void>()
  const closing = new AbortController()
  const heartbeats = heartbeatsOf(options.stopwatch, closing.signal)

  const onDefect = (error: unknown, event: Event): void => {
    if (options.onDefect !== undefined) return options.onDefect(error, event)
    log.fatal({ function: name, ...traceFields(event), error }, 'defect: the process must end')
    closing.abort()
    ended.reject(error)
  }

  const subscription = await bus.subscribe({ group, topics: topicsOf(host.definition) }, async (batch) => {
    const run = new BatchRun({ ...options, group, onDefect }, batch, closing.signal)
    heartbeats.begin(batch)
    try {
      await run.run()
    } finally {
      heartbeats.end(batch)
    }
  })

  return {
    ended: ended.promise,
    async close() {
      closing.abort()
      await subscription.close()
      ended.resolve()
    },
  }
}

/**
 * Tells the bus that we live for as long as batches run. One timer serves all of them: most batches end long before it,
 * and a timer and its signal for each would cost more than the rest of a small batch.
 */
function heartbeatsOf(stopwatch: Stopwatch, signal: AbortSignal) {
  const running = new Set<BusBatch>()
  let isBeating = false
  const beat = async (): Promise<void> => {
    isBeating = true
    try {
      while (running.size > 0) {
        await stopwatch.sleep(HEARTBEAT_MS, signal)
        // A partition that was taken away shows in its batch's signal.
        await Promise.all([...running].map((batch) => batch.heartbeat().catch(() => undefined)))
      }
    } catch {
      // Closing: what runs is about to end.
    }
    isBeating = false
  }
  return {
    begin(batch: BusBatch): void {
      running.add(batch)
      if (!isBeating) void beat()
    },
    end: (batch: BusBatch): boolean => running.delete(batch),
  }
}

interface RunOptions extends ConsumeOptions {
  readonly group: string
  readonly onDefect: (error: unknown, event: Event) => void
}

/** One batch of one partition. */
class BatchRun {
  readonly #options: RunOptions
  readonly #batch: BusBatch
  readonly #closing: AbortSignal
  readonly #retry: RetryPolicy
  #outputs: Event[] = []
  #outputsSinceMs = 0
  /** Last record that is handled and not yet resolved. */
  #handled: bigint | undefined

  constructor(options: RunOptions, batch: BusBatch, closing: AbortSignal) {
    this.#options = options
    this.#batch = batch
    this.#closing = closing
    this.#retry = options.retry ?? RETRY
  }

  #isStopped(): boolean {
    return this.#closing.aborted || this.#batch.signal.aborted
  }

  async run(): Promise<void> {
    try {
      for (const record of this.#batch.records) {
        if (this.#isStopped()) break
        await this.#deliver(record)
        this.#handled = record.offset
        await this.#settleSome()
      }
    } catch (error) {
      if (!(error instanceof StoppedError)) {
        await this.#settle()
        throw error
      }
    }
    await this.#settle()
  }

  /** C1. False when it must stop. */
  async #publish(): Promise<boolean> {
    const outputs = this.#outputs
    if (outputs.length === 0) return true
    const isPublished = await this.#insist('publish', () => this.#options.bus.publish(outputs))
    if (isPublished) this.#outputs = []
    return isPublished
  }

  /** C1. Everything handled so far. */
  async #settle(): Promise<void> {
    const { beforeResolve } = this.#options
    if (this.#handled === undefined || !(await this.#publish())) return
    if (beforeResolve !== undefined && !(await this.#insist('flush', beforeResolve))) return
    this.#batch.resolve(this.#handled)
    this.#handled = undefined
  }

  /** Between records. What a handler buffers is flushed once for the batch: small writes are what it buffers against. */
  async #settleSome(): Promise<void> {
    const isBuffering = this.#options.beforeResolve !== undefined
    if (this.#outputs.length === 0) {
      if (!isBuffering) await this.#settle()
      return
    }
    const ageMs = this.#options.stopwatch.elapsedMs() - this.#outputsSinceMs
    if (this.#outputs.length < OUTPUTS_MAX && ageMs < OUTPUTS_AGE_MS_MAX) return
    if (isBuffering) await this.#publish()
    else await this.#settle()
  }

  /** Comes back once the record may be resolved; throws StoppedError when it may not. */
  async #deliver({ event }: BusRecord): Promise<void> {
    const { host } = this.#options
    for (let attempt = 1; ; attempt += 1) {
      const delivery = await host.handle(event)
      switch (delivery.outcome) {
        case 'ignored':
          return
        case 'done':
          this.#take(delivery.outputs)
          return
        case 'poison':
          await this.#setAside(event, delivery.reason, attempt)
          return
        case 'defect':
          this.#options.onDefect(delivery.error, event)
          throw new DefectError(`${host.definition.name} is defective`, { cause: delivery.error })
        case 'retry':
          if (this.#isExhausted(attempt, event, delivery.reason)) {
            await this.#setAside(event, delivery.reason, attempt)
            return
          }
          await this.#settle()
          if (!(await this.#pause(attempt)))
            throw new StoppedError('closing, or the partition was taken away')
      }
    }
  }

  #take(outputs: readonly Event[]): void {
    if (outputs.length === 0) return
    if (this.#outputs.length === 0) this.#outputsSinceMs = this.#options.stopwatch.elapsedMs()
    this.#outputs.push(...outputs)
  }

  /** C4. */
  #isExhausted(attempt: number, event: Event, reason: string): boolean {
    if (attempt < this.#retry.attemptsMax) return false
    if (!MONEY.has(this.#batch.topic)) return true
    const { topic, partition } = this.#batch
    const fields = { ...traceFields(event), topic, partition, attempt, reason }
    this.#options.log.error(fields, 'partition stands still: this event must be handled before the next')
    return false
  }

  /** C3. */
  async #setAside(event: Event, reason: string, attempts: number): Promise<void> {
    const { bus, group, log } = this.#options
    const letter = { event, consumer: group, reason, attempts }
    const isWritten = await this.#insist('dead-letter', () => bus.publishDeadLetter([letter]))
    if (!isWritten) throw new StoppedError('the dead letter is not written yet')
    log.error({ ...traceFields(event), consumer: group, reason, attempts }, 'event set aside')
  }

  /** C5. Tries until it works; false when it must stop. */
  async #insist(what: string, attemptOnce: () => Promise<void>): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await attemptOnce()
        return true
      } catch (error) {
        const { topic, partition } = this.#batch
        this.#options.log.error(
          { topic, partition, attempt, what, error },
          'partition waits for the bus or a store',
        )
      }
      if (!(await this.#pause(attempt))) return false
    }
  }

  /** False when it must stop. */
  async #pause(attempt: number): Promise<boolean> {
    const ms = backoffMs(attempt, this.#retry, this.#options.random ?? NO_SPREAD)
    try {
      await this.#options.stopwatch.sleep(ms, AbortSignal.any([this.#batch.signal, this.#closing]))
      return true
    } catch (error) {
      if (this.#isStopped()) return false
      throw error
    }
  }
}

const NO_SPREAD = (): number => 1

class StoppedError extends Error {
  override name = 'StoppedError'
}
