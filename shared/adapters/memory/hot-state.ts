// Hot state of a single process.
//
// M1. Time to live and windows are counted by the stopwatch: process time, which neither jumps nor is replayed.
// M2. What has expired is never seen, and is let go of within a bounded number of later writes: each write looks at
//     SWEEP_STEP other keys in turn.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { HotState, LastPrice } from '#shared/ports/hot-state.ts'

const SWEEP_STEP = 2

interface Entry<V> {
  readonly value: V
  /** By the stopwatch; infinite where there is no time to live. */
  expiresMs: number
}

/** A map whose entries end (M2). */
function expiringMap<V>(elapsedMs: () => number) {
  const entries = new Map<string, Entry<V>>()
  let sweep = entries.entries()

  const stepSweep = (nowMs: number): void => {
    for (let step = 0; step < SWEEP_STEP; step += 1) {
      const next = sweep.next()
      if (next.done === true) {
        sweep = entries.entries()
        return
      }
      const [key, entry] = next.value
      if (entry.expiresMs <= nowMs) entries.delete(key)
    }
  }

  return {
    get(key: string): Entry<V> | undefined {
      const entry = entries.get(key)
      if (entry === undefined || entry.expiresMs > elapsedMs()) return entry
      entries.delete(key)
      return undefined
    },
    set(key: string, value: V, ttlMs: number): Entry<V> {
      const nowMs = elapsedMs()
      const entry = { value, expiresMs: nowMs + ttlMs }
      entries.set(key, entry)
      stepSweep(nowMs)
      return entry
    },
    delete: (key: string): boolean => entries.delete(key),
    size: (): number => entries.size,
  }
}

/** Times of what was counted, oldest first. */
interface Bucket {
  readonly takenMs: number[]
}

function assertPositive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} must be above zero: ${value}`)
}

/** Sliding windows by name. */
function rateWindows(elapsedMs: () => number) {
  const buckets = expiringMap<Bucket>(elapsedMs)
  return {
    take(name: string, limit: number, windowMs: number): Awaited<ReturnType<HotState['take']>> {
      assertPositive('limit', limit)
      assertPositive('windowMs', windowMs)
      const nowMs = elapsedMs()
      const { takenMs } = buckets.get(name)?.value ?? { takenMs: [] }
      const firstKept = takenMs.findIndex((ms) => ms > nowMs - windowMs)
      takenMs.splice(0, firstKept === -1 ? takenMs.length : firstKept)
      // The one whose end makes room; there are more than `limit` when the limit was lowered.
      const blocking = takenMs[takenMs.length - limit]
      if (blocking !== undefined) return { allowed: false, retryAfterMs: blocking + windowMs - nowMs }
      takenMs.push(nowMs)
      buckets.set(name, { takenMs }, windowMs)
      return { allowed: true, retryAfterMs: 0 }
    },
    size: (): number => buckets.size(),
  }
}

export interface MemoryHotState extends HotState {
  /** Keys and buckets held, expired ones that no write has met yet included. */
  size(): number
}

export function memoryHotState({ stopwatch }: { readonly stopwatch: Stopwatch }): MemoryHotState {
  const elapsedMs = (): number => stopwatch.elapsedMs()
  const keys = expiringMap<string>(elapsedMs)
  const windows = rateWindows(elapsedMs)
  const prices = new Map<InstrumentId, LastPrice>()
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new RetryableError('the hot state is closed')
  }

  return {
    async get(key) {
      assertOpen()
      return keys.get(key)?.value
    },
    async set(key, value, ttlMs = Number.POSITIVE_INFINITY) {
      assertOpen()
      assertPositive('ttlMs', ttlMs)
      keys.set(key, value, ttlMs)
    },
    async delete(key) {
      assertOpen()
      keys.delete(key)
    },
    async claim(key, value, ttlMs) {
      assertOpen()
      assertPositive('ttlMs', ttlMs)
      if (keys.get(key) !== undefined) return false
      keys.set(key, value, ttlMs)
      return true
    },
    async extend(key, value, ttlMs) {
      assertOpen()
      assertPositive('ttlMs', ttlMs)
      if (keys.get(key)?.value !== value) return false
      keys.set(key, value, ttlMs)
      return true
    },
    async release(key, value) {
      assertOpen()
      return keys.get(key)?.value === value && keys.delete(key)
    },
    async take(name, limit, windowMs) {
      assertOpen()
      return windows.take(name, limit, windowMs)
    },
    async putLastPrices(latest) {
      assertOpen()
      for (const price of latest) {
        const known = prices.get(price.instrumentId)
        if (known === undefined || known.eventTime <= price.eventTime) prices.set(price.instrumentId, price)
      }
    },
    async lastPrices(instrumentIds) {
      assertOpen()
      return instrumentIds.map((id) => prices.get(id))
    },
    async close() {
      isClosed = true
    },
    size: () => keys.size() + windows.size(),
  }
}
