// What strategies warm up with. A function that decides holds no credentials and reads our store alone, so the store is
// given the past of a market before it begins.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BarInterval } from '#shared/domain/market-data.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { TickStore } from '#shared/ports/tick-store.ts'
import { type History, barKeyOf } from '../../functions/evaluate-strategy/history.ts'

const INTERVALS: readonly BarInterval[] = ['1m', '1d']
/** More than the strategies of the demonstration ask for. */
const BARS = 100

/** Adds the bars that `past` has before `before` and the store has not. Resolves once they are stored. */
export async function storeHistory(
  past: History,
  tickStore: Pick<TickStore, 'bars' | 'appendBars' | 'flush'>,
  instrumentIds: readonly InstrumentId[],
  before: Instant,
): Promise<void> {
  for (const id of instrumentIds) {
    for (const interval of INTERVALS) {
      const stored = await tickStore.bars(id, interval, before, BARS)
      const known = new Set(stored.map(barKeyOf))
      const bars = await past(id, interval, before, BARS)
      await tickStore.appendBars(bars.filter((bar) => !known.has(barKeyOf(bar))))
    }
  }
  await tickStore.flush()
}
