// A bounded buffer in front of a store that likes large batches.
//
// W1. Rows are written in the order they were taken, one batch at a time.
// W2. A batch that fails stays at the front and is tried again, with back-off, until it succeeds. Nothing is dropped.
//     What the store will never take is tried again as well, for its schema may be put right: it is reported as such.
// W3. When the buffer is full, `append` waits: the caller is slowed down, not the memory filled up.
import { RetryableError } from '#shared/ports/errors.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { StatementError } from './failures.ts'

export interface BufferOptions {
  readonly stopwatch: Stopwatch
  /** Rows written at once at most; that many are written without waiting for the interval. Default 10,000. */
  readonly batchSize?: number
  /** Rows held at most. Default 100,000. */
  readonly bufferSize?: number
  /** Longest time that a row waits for company, milliseconds. Default 1000. */
  readonly flushIntervalMs?: number
  /**
   * A batch could not be written; it will be tried again. `StatementError` where that is in vain until a person has
   * acted, else `RetryableError`. Must not throw.
   */
  readonly onFault?: (error: Error) => void
  /** A batch was written after one could not be. Must not throw. */
  readonly onWritten?: () => void
}

export interface BufferedWriter<T> {
  append(rows: readonly T[]): Promise<void>
  /**
   * Resolves when all rows taken so far are written. Tries at once; rejects with `RetryableError` if that fails, for
   * the rows are kept. Its cause is what the store said.
   */
  flush(): Promise<void>
  /** Flushes, then stops. Rejects with `RetryableError` if rows could not be written; they are lost then. */
  close(): Promise<void>
  /** Rows taken and not yet written. */
  waiting(): number
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const retryDelayMs = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 10_000)

type Write<T> = (batch: readonly T[]) => Promise<void>

class RowBuffer<T> implements BufferedWriter<T> {
  readonly #name: string
  readonly #write: Write<T>
  readonly #stopwatch: Stopwatch
  readonly #batchSize: number
  readonly #bufferSize: number
  readonly #flushIntervalMs: number
  readonly #onFault: BufferOptions['onFault']
  readonly #onWritten: BufferOptions['onWritten']

  readonly #rows: T[] = []
  readonly #arrivals: (Waiter & { rows: readonly T[] })[] = []
  readonly #flushes: (Waiter & { upTo: number })[] = []
  readonly #closing = new AbortController()
  #taken = 0
  #stored = 0
  #failures = 0
  #isWriting = false
  #isTimerSet = false
  /** Rows up to this count have waited for the interval. */
  #dueUpTo = 0
  #backOff: AbortController | undefined

  constructor(name: string, write: Write<T>, options: BufferOptions) {
    this.#name = name
    this.#write = write
    this.#stopwatch = options.stopwatch
    this.#batchSize = options.batchSize ?? 10_000
    this.#bufferSize = options.bufferSize ?? 100_000
    this.#flushIntervalMs = options.flushIntervalMs ?? 1000
    this.#onFault = options.onFault
    this.#onWritten = options.onWritten
  }

  append(added: readonly T[]): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closedError())
    if (added.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#arrivals.push({ rows: added, resolve, reject })
      this.#admit()
      void this.#work()
    })
  }

  flush(): Promise<void> {
    if (this.#stored === this.#taken) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#flushes.push({ upTo: this.#taken, resolve, reject })
      this.#backOff?.abort()
      void this.#work()
    })
  }

  async close(): Promise<void> {
    try {
      while (this.#rows.length > 0) await this.flush() // Making room lets waiting callers in.
    } finally {
      this.#closing.abort(this.#closedError())
      this.#backOff?.abort()
      for (const arrival of this.#arrivals.splice(0)) arrival.reject(this.#closedError())
    }
  }

  waiting(): number {
    return this.#rows.length
  }

  #closedError(): RetryableError {
    return new RetryableError(`${this.#name} is closed`)
  }

  /** Takes rows of waiting callers, first come first served, as far as there is room (W3). */
  #admit(): void {
    for (let arrival = this.#arrivals[0]; arrival !== undefined; arrival = this.#arrivals[0]) {
      const accepted = arrival.rows.slice(0, this.#bufferSize - this.#rows.length)
      for (const row of accepted) this.#rows.push(row)
      this.#taken += accepted.length
      if (accepted.length < arrival.rows.length) {
        arrival.rows = arrival.rows.slice(accepted.length)
        return
      }
      this.#arrivals.shift()
      arrival.resolve()
    }
  }

  #isDue(): boolean {
    return (
      this.#rows.length >= Math.min(this.#batchSize, this.#bufferSize) ||
      this.#flushes.length > 0 ||
      this.#stored < this.#dueUpTo ||
      this.#failures > 0
    )
  }

  async #work(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#rows.length > 0 && this.#isDue() && !this.#closing.signal.aborted) await this.#writeBatch()
    this.#isWriting = false
    this.#startTimer()
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#rows.slice(0, this.#batchSize)
    try {
      await this.#write(batch)
    } catch (error) {
      return this.#standBack(error)
    }
    if (this.#failures > 0) this.#onWritten?.()
    this.#failures = 0
    this.#rows.splice(0, batch.length)
    this.#stored += batch.length
    this.#admit()
    for (let flush = this.#flushes[0]; flush !== undefined; flush = this.#flushes[0]) {
      if (flush.upTo > this.#stored) return
      this.#flushes.shift()
      flush.resolve()
    }
  }

  /** W2. Says what is wrong, then waits before the next try. */
  async #standBack(cause: unknown): Promise<void> {
    this.#failures += 1
    this.#dueUpTo = this.#taken // Once the store is back, nobody waits for an interval again.
    const reason = cause instanceof Error ? cause.message : String(cause)
    const words = `${this.#name}: ${this.#rows.length} rows wait, writing failed: ${reason}`
    const fault = new RetryableError(words, { cause })
    this.#onFault?.(cause instanceof StatementError ? new StatementError(words, { cause }) : fault)
    for (const flush of this.#flushes.splice(0)) flush.reject(fault)
    this.#backOff = new AbortController()
    await this.#stopwatch.sleep(retryDelayMs(this.#failures), this.#backOff.signal).catch(() => {})
  }

  #startTimer(): void {
    if (this.#isTimerSet || this.#rows.length === 0) return
    this.#isTimerSet = true
    const upTo = this.#taken
    const due = (): Promise<void> => {
      this.#isTimerSet = false
      this.#dueUpTo = upTo
      return this.#work()
    }
    this.#stopwatch.sleep(this.#flushIntervalMs, this.#closing.signal).then(due, () => {})
  }
}

export const bufferedWriter = <T>(name: string, write: Write<T>, options: BufferOptions): BufferedWriter<T> =>
  new RowBuffer(name, write, options)
