// Takes one batch of a partition to its receiver and acts on what became of it.
//
// C1. A record is resolved only after its outputs are published and `beforeResolve` has come back.
// C2. Records of a partition are handled one after another; nothing overtakes a record that is being retried.
// C3. What can never be handled goes to the dead-letter topic, with reason and attempts, and only then is resolved.
// C4. Orders and executions are never set aside because the world was not ready, and no event is for what says nothing
//     of it: their partition stands still, loudly.
// C5. A bus that cannot take outputs or dead letters stops the partition. Nothing is dropped, however long it takes.
import type { Event, Topic } from '#shared/events/contract.ts'
import type { BusBatch } from '#shared/ports/event-bus.ts'
import { type BackoffOptions, backoffMs } from './backoff.ts'
import type { FeedOptions } from './consume.ts'
import type { Failure } from './delivery.ts'
import { traceFields } from './log.ts'
import type { Receiver } from './receiver.ts'

export interface RetryPolicy extends BackoffOptions {
  /** Deliveries of one event, the first included, before it is set aside. */
  readonly attemptsMax: number
}

export interface RunOptions extends FeedOptions {
  readonly receiver: Receiver
  readonly group: string
  readonly onDefect: (error: unknown, event: Event) => void
}

const RETRY: RetryPolicy = { attemptsMax: 10, baseMs: 100, maxMs: 10_000 }
const MONEY: ReadonlySet<Topic> = new Set(['orders', 'executions'])
/** Outputs are published together, but none waits longer than this for those that follow. */
const OUTPUTS_MAX = 256
const OUTPUTS_AGE_MS_MAX = 5

class DefectError extends Error {
  override name = 'DefectError'
}

class StoppedError extends Error {
  override name = 'StoppedError'
}

type Retry = Extract<Failure, { outcome: 'retry' }>

/** One batch of one partition. */
export class BatchRun {
  readonly #options: RunOptions
  readonly #batch: BusBatch
  readonly #closing: AbortSignal
  readonly #retry: RetryPolicy
  #outputs: Event[] = []
  #outputsSinceMs = 0
  /** Last record that is handled and not yet resolved. */
  #handled: bigint | undefined
  #isStanding = false

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
      await this.#deliverAll()
    } catch (error) {
      if (!(error instanceof StoppedError)) {
        await this.#settle()
        throw error
      }
    } finally {
      this.#stand(false)
    }
    await this.#settle()
  }

  /** C2. Throws StoppedError when it must stop before the end. */
  async #deliverAll(): Promise<void> {
    const { records } = this.#batch
    let attempt = 1
    for (let at = 0; at < records.length;) {
      // A batch that was just given has not been taken away: its signal is not asked for, which costs making it.
      if (at === 0 ? this.#closing.aborted : this.#isStopped()) break
      const { count, outputs, failure } = await this.#options.receiver.handle(this.#batch, at, attempt)
      this.#take(outputs)
      if (count > 0) {
        at += count
        attempt = 1
        this.#done(at - 1)
      }
      const failed = failure === undefined ? undefined : records[at]
      if (failure !== undefined && failed !== undefined) {
        if (await this.#isSetAside(failed.event, failure, attempt)) {
          this.#done(at)
          at += 1
          attempt = 1
        } else {
          attempt += 1
        }
      }
      if (!this.#isSettledAtOnce()) await this.#settleSome()
    }
  }

  /** The common case of `#settleSome`: nothing to publish and nothing to flush, so nothing to wait for. */
  #isSettledAtOnce(): boolean {
    if (this.#outputs.length > 0) return false
    if (this.#options.beforeResolve === undefined && this.#handled !== undefined) {
      this.#batch.resolve(this.#handled)
      this.#handled = undefined
    }
    return true
  }

  #done(at: number): void {
    this.#handled = this.#batch.records[at]?.offset
    this.#stand(false)
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
    const ageMs = this.#options.stopwatch.elapsedMs() - this.#outputsSinceMs
    if (this.#outputs.length < OUTPUTS_MAX && ageMs < OUTPUTS_AGE_MS_MAX) return
    if (isBuffering) await this.#publish()
    else await this.#settle()
  }

  /** Acts on a failure. False when the event is to be delivered again; throws when the run must end. */
  async #isSetAside(event: Event, failure: Failure, attempt: number): Promise<boolean> {
    const { receiver, metrics, onDefect } = this.#options
    switch (failure.outcome) {
      case 'poison':
        await this.#setAside(event, failure.reason, attempt)
        return true
      case 'defect':
        onDefect(failure.error, event)
        throw new DefectError(`${receiver.name} is defective`, { cause: failure.error })
      case 'retry':
        if (this.#isExhausted(attempt, event, failure)) {
          await this.#setAside(event, failure.reason, attempt)
          return true
        }
        metrics?.retried(receiver.name)
        await this.#settle()
        if (!(await this.#pause(attempt, failure.afterMs)))
          throw new StoppedError('closing, or the partition was taken away')
        return false
    }
  }

  #take(outputs: readonly Event[]): void {
    if (outputs.length === 0) return
    if (this.#outputs.length === 0) this.#outputsSinceMs = this.#options.stopwatch.elapsedMs()
    for (const output of outputs) this.#outputs.push(output)
  }

  /** C4. */
  #isExhausted(attempt: number, event: Event, { reason, isBlameless = false }: Retry): boolean {
    if (attempt < this.#retry.attemptsMax) return false
    const { topic, partition } = this.#batch
    if (!MONEY.has(topic) && !isBlameless) return true
    const { log, group } = this.#options
    const fields = { ...traceFields(event), consumer: group, topic, partition, attempt, reason }
    log.error(fields, 'partition stands still: this event must be handled before the next')
    this.#stand(true)
    return false
  }

  #stand(isStanding: boolean): void {
    if (isStanding === this.#isStanding) return
    this.#isStanding = isStanding
    this.#options.metrics?.standing(this.#options.receiver.name, isStanding ? 1 : -1)
  }

  /** C3. */
  async #setAside(event: Event, reason: string, attempts: number): Promise<void> {
    const { bus, group, log, metrics, receiver } = this.#options
    const letter = { event, consumer: group, reason, attempts }
    const isWritten = await this.#insist('dead-letter', () => bus.publishDeadLetter([letter]))
    if (!isWritten) throw new StoppedError('the dead letter is not written yet')
    metrics?.setAside(receiver.name)
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
  async #pause(attempt: number, atLeastMs = 0): Promise<boolean> {
    const ms = Math.max(backoffMs(attempt, this.#retry, this.#options.random ?? NO_SPREAD), atLeastMs)
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
