// Brings records to the members of all groups.
//
// D1. A cursor whose member has something to read is queued, running or delayed, never forgotten: so idleness can be
//     read off three counters.
import type { Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { type Cursor, type Member, OpenBatch } from './consumer-group.ts'
import type { PartitionLog } from './partition-log.ts'
import { turns } from './turns.ts'

export interface DispatchOptions {
  /** For back-off. Without it a rejected batch comes again on the next turn of the event loop. */
  readonly stopwatch?: Stopwatch
  /** Wait before delivery number `failures + 1`, milliseconds. Default 100, doubling up to 5000. */
  readonly backoffMs?: (failures: number) => number
  /** A batch was rejected. It will be delivered again. Must not throw. */
  readonly onRejected?: (error: unknown, at: { group: string; topic: Topic; partition: number }) => void
}

const defaultBackoffMs = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 5000)

export class Dispatcher {
  readonly #options: DispatchOptions
  readonly #settle: (log: PartitionLog<Cursor>) => void
  readonly #loop = turns()
  readonly #ending = new AbortController()
  readonly #idleWaiters: (() => void)[] = []
  #running = 0
  #delayed = 0

  /** `settle` is called after each move of a position. */
  constructor(options: DispatchOptions, settle: (log: PartitionLog<Cursor>) => void) {
    this.#options = options
    this.#settle = settle
  }

  /** Bound: it is handed on as a callback. */
  readonly wake = (cursor: Cursor): void => {
    const { member } = cursor
    if (cursor.state !== 'idle' || member === undefined || member.isClosing) return
    if (cursor.committed >= cursor.log.end()) return
    cursor.state = 'queued'
    this.#loop.enqueue(() => this.#start(cursor), member.isBackground)
  }

  isIdle(): boolean {
    return this.#running === 0 && this.#delayed === 0 && this.#loop.waiting() === 0
  }

  idle(): Promise<void> {
    return this.isIdle() ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Cuts every back-off short. */
  end(): void {
    this.#ending.abort(new RetryableError('the bus is closing'))
    this.#noteIdle()
  }

  readonly #noteIdle = (): void => {
    if (this.#idleWaiters.length > 0 && this.isIdle())
      for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  readonly #resolved = (cursor: Cursor): void => this.#settle(cursor.log)

  #start(cursor: Cursor): number {
    const { member } = cursor
    cursor.state = 'idle'
    if (member === undefined || member.isClosing) {
      queueMicrotask(this.#noteIdle)
      return 0
    }
    const records = cursor.log.read(cursor.committed, member.batchSizeMax)
    cursor.state = 'running'
    this.#running += 1
    const batch = new OpenBatch(cursor, records, this.#resolved, this.#loop.breathe)
    cursor.batch = batch
    member.running.set(cursor, this.#run(cursor, member, batch))
    return records.length
  }

  async #run(cursor: Cursor, member: Member, batch: OpenBatch): Promise<void> {
    const from = cursor.committed
    let isRejected = false
    try {
      await member.onBatch(batch)
    } catch (error) {
      isRejected = true
      const { topic, partition } = cursor.log
      this.#options.onRejected?.(error, { group: cursor.group, topic, partition })
    }
    member.running.delete(cursor)
    cursor.batch = undefined
    cursor.state = 'idle'
    this.#running -= 1
    if (cursor.committed > from) cursor.failures = 0
    if (isRejected || cursor.committed === from) void this.#backOff(cursor)
    else this.wake(cursor)
    this.#noteIdle()
  }

  /** Holds only this partition back; a member that closes does not wait for it. */
  async #backOff(cursor: Cursor): Promise<void> {
    cursor.failures += 1
    cursor.state = 'delayed'
    this.#delayed += 1
    try {
      const ms = (this.#options.backoffMs ?? defaultBackoffMs)(cursor.failures)
      if (this.#options.stopwatch === undefined) await new Promise((resolve) => setImmediate(resolve))
      else await this.#options.stopwatch.sleep(ms, this.#ending.signal)
    } catch {
      // The bus is closing.
    }
    this.#delayed -= 1
    cursor.state = 'idle'
    this.wake(cursor)
    this.#noteIdle()
  }
}
