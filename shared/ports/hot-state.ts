// Fast shared state that may vanish at any moment. Nothing here is the only copy of anything.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'

export interface LastPrice {
  readonly instrumentId: InstrumentId
  readonly price: Price
  readonly eventTime: Instant
}

export interface RateDecision {
  readonly allowed: boolean
  /** Milliseconds until one more would be allowed; 0 when allowed. */
  readonly retryAfterMs: number
}

/** Every method rejects with `RetryableError` when the state cannot be reached. */
export interface HotState {
  get(key: string): Promise<string | undefined>
  /** Without `ttlMs` it stays until deleted or lost. */
  set(key: string, value: string, ttlMs?: number): Promise<void>
  delete(key: string): Promise<void>
  /** Sets the key if it is absent. Of many at once, one gets true. */
  claim(key: string, value: string, ttlMs: number): Promise<boolean>
  /** Extends a claim that still holds `value`; false when it was lost. */
  extend(key: string, value: string, ttlMs: number): Promise<boolean>
  /** Deletes the key if it still holds `value`. */
  release(key: string, value: string): Promise<boolean>
  /** Counts one against `limit` in a sliding window. What is refused is not counted. */
  take(bucket: string, limit: number, windowMs: number): Promise<RateDecision>
  /** Keeps the newest by eventTime for each instrument; an older price changes nothing. */
  putLastPrices(prices: readonly LastPrice[]): Promise<void>
  /** In the order asked; undefined where none is known. */
  lastPrices(instrumentIds: readonly InstrumentId[]): Promise<readonly (LastPrice | undefined)[]>
  close(): Promise<void>
}
