// A bounded buffer in front of a store that likes large batches.
//
// W1. Rows are written in the order they were taken, one batch at a time.
// W2. A batch that fails stays at the front and is tried again, with back-off, until it succeeds. Nothing is dropped.
// W3. When the buffer is full, `append` waits: the caller is slowed down, not the memory filled up.
import { RetryableError } from '#shared/ports/errors.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'

export interface BufferOptions {
  readonly stopwatch: Stopwatch
  /** Rows written at once at most; that many are written without waiting for the interval. Default 10,000. */
  readonly batchSize?: number
  /** Rows held at most. Default 100,000. */
  readonly bufferSize?: number
  /** Longest time that a row waits for company, milliseconds. Default 1000. */
  readonly flushIntervalMs?: number
  /** A batch could not be written; it will be tried again. Must not throw. */
  readonly onFault?: (error: Error) => void
}

export interface BufferedWriter<T> {
  append(rows: readonly T[]): Promise<void>
  /** Resolves when all rows taken so far are written. Tries at once; rejects with `RetryableError` if that fails. */
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

export function bufferedWriter<T>(
  name: string,
  write: (batch: readonly T[]) => Promise<void>,
  options: BufferOptions,
): BufferedWriter<T> {
  const { stopwatch, batchSize = 10_000, bufferSize = 100_000, flushIntervalMs = 1000, onFault } = options
  const rows: T[] = []
  const arrivals: (Waiter & { rows: readonly T[] })[] = []
  const flushes: (Waiter & { upTo: number })[] = []
  const closing = new AbortController()
  let taken = 0
  let stored = 0
  let failures = 0
  let isWriting = false
  let isTimerSet = false
  /** Rows up to this count have waited for the interval. */
  let dueUpTo = 0
  let backOff: AbortController | undefined

  /** Takes rows of waiting callers, first come first served, as far as there is room (W3). */
  const admit = (): void => {
    for (let arrival = arrivals[0]; arrival !== undefined; arrival = arrivals[0]) {
      const accepted = arrival.rows.slice(0, bufferSize - rows.length)
      for (const row of accepted) rows.push(row)
      taken += accepted.length
      if (accepted.length < arrival.rows.length) {
        arrival.rows = arrival.rows.slice(accepted.length)
        return
      }
      arrivals.shift()
      arrival.resolve()
    }
  }

  const isDue = (): boolean =>
    rows.length >= Math.min(batchSize, bufferSize) || flushes.length > 0 || stored < dueUpTo || failures > 0

  const writeBatch = async (): Promise<void> => {
    const batch = rows.slice(0, batchSize)
    try {
      await write(batch)
    } catch (error) {
      failures += 1
      dueUpTo = taken // Once the store is back, nobody waits for an interval again.
      const fault = new RetryableError(`${name}: ${rows.length} rows wait, writing failed`, { cause: error })
      onFault?.(fault)
      for (const flush of flushes.splice(0)) flush.reject(fault)
      backOff = new AbortController()
      await stopwatch.sleep(retryDelayMs(failures), backOff.signal).catch(() => {})
      return
    }
    failures = 0
    rows.splice(0, batch.length)
    stored += batch.length
    admit()
    for (let flush = flushes[0]; flush !== undefined && flush.upTo <= stored; flush = flushes[0]) {
      flushes.shift()
      flush.resolve()
    }
  }

  const startTimer = (): void => {
    if (isTimerSet || rows.length === 0) return
    isTimerSet = true
    const upTo = taken
    const due = (): Promise<void> => {
      isTimerSet = false
      dueUpTo = upTo
      return work()
    }
    stopwatch.sleep(flushIntervalMs, closing.signal).then(due, () => {})
  }

  const work = async (): Promise<void> => {
    if (isWriting) return
    isWriting = true
    while (rows.length > 0 && isDue() && !closing.signal.aborted) await writeBatch()
    isWriting = false
    startTimer()
  }

  const flush = (): Promise<void> =>
    stored === taken
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          flushes.push({ upTo: taken, resolve, reject })
          backOff?.abort()
          void work()
        })

  return {
    append(added) {
      if (closing.signal.aborted) return Promise.reject(new RetryableError(`${name} is closed`))
      if (added.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        arrivals.push({ rows: added, resolve, reject })
        admit()
        void work()
      })
    },
    flush,
    async close() {
      try {
        while (rows.length > 0) await flush() // Making room lets waiting callers in.
      } finally {
        closing.abort(new RetryableError(`${name} is closed`))
        backOff?.abort()
        for (const arrival of arrivals.splice(0)) arrival.reject(new RetryableError(`${name} is closed`))
      }
    },
    waiting: () => rows.length,
  }
}
