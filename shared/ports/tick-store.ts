// Years of ticks and bars.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Bar, BarInterval, TradeTick } from '#shared/domain/market-data.ts'
import type { Instant } from '#shared/domain/time.ts'

/** `tickId` is the id of the tick's event: the same tick stored twice is one row. */
export type StoredTick = TradeTick & { readonly tickId: string; readonly receivedTime: Instant }

export interface TickStore {
  /**
   * Takes rows into a bounded buffer that is written in batches. Resolves at once while there is room, and when room has
   * been made while there is none. Nothing taken is dropped while the process lives: a failed batch is kept and retried.
   */
  appendTicks(ticks: readonly StoredTick[]): Promise<void>
  appendBars(bars: readonly Bar[]): Promise<void>
  /** Resolves when everything taken so far is stored. Rejects with `RetryableError` when it cannot be now. */
  flush(): Promise<void>
  /** The newest `limit` bars that closed at or before `before`, oldest first. */
  bars(
    instrumentId: InstrumentId,
    interval: BarInterval,
    before: Instant,
    limit: number,
  ): Promise<readonly Bar[]>
  ticks(instrumentId: InstrumentId, from: Instant, to: Instant, limit: number): Promise<readonly StoredTick[]>
  close(): Promise<void>
}
