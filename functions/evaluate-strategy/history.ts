// Bars to warm a strategy up with: ours first, the broker's where ours do not reach back far enough.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Bar, BarInterval } from '#shared/domain/market-data.ts'
import { type Instant, addDays, kstDate } from '#shared/domain/time.ts'
import type { Money, Quantity } from '#shared/domain/values.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { TickStore } from '#shared/ports/tick-store.ts'

/** The newest `limit` bars that closed at or before `before`, oldest first; fewer where there are no more. */
export type History = (
  instrumentId: InstrumentId,
  interval: BarInterval,
  before: Instant,
  limit: number,
) => Promise<readonly Bar[]>

const FIVE_MINUTES_MS = 300_000
/** Calendar days for one session: weekends, holidays, and a little more. */
const DAYS_PER_SESSION = 1.6

/** Full five-minute spans of one-minute bars, oldest first. */
export function fiveMinuteBars(minutes: readonly Bar[]): readonly Bar[] {
  const bars: Bar[] = []
  for (const minute of minutes) {
    const openTime = (Math.floor(minute.openTime / FIVE_MINUTES_MS) * FIVE_MINUTES_MS) as Instant
    const last = bars.at(-1)
    if (last?.openTime !== openTime) {
      bars.push({ ...minute, interval: '5m', openTime, closeTime: (openTime + FIVE_MINUTES_MS) as Instant })
      continue
    }
    bars[bars.length - 1] = {
      ...last,
      high: minute.high > last.high ? minute.high : last.high,
      low: minute.low < last.low ? minute.low : last.low,
      close: minute.close,
      volume: (last.volume + minute.volume) as Quantity,
      notional: (last.notional + minute.notional) as Money,
      trades: last.trades + minute.trades,
    }
  }
  return bars
}

/** What tells one bar of an interval from another. Broker and store may differ in when a day opens, not in the day. */
export const barKeyOf = ({ interval, openTime }: Pick<Bar, 'interval' | 'openTime'>): number =>
  interval === '1d' ? Date.parse(kstDate(openTime)) : openTime

/** Both sets as one, oldest first; of two for the same span the first set's stands. */
export function mergeBars(first: readonly Bar[], second: readonly Bar[], limit: number): readonly Bar[] {
  const byTime = new Map<number, Bar>()
  for (const bar of [...second, ...first]) byTime.set(barKeyOf(bar), bar)
  return [...byTime.values()].toSorted((left, right) => left.openTime - right.openTime).slice(-limit)
}

export function historyFrom(deps: {
  readonly tickStore: Pick<TickStore, 'bars'>
  /** Without it there is our store alone. */
  readonly gateway?: Pick<BrokerGateway, 'dailyBars' | 'minuteBars'>
  /** Ends what is running when the process ends. */
  readonly signal: AbortSignal
}): History {
  const { tickStore, gateway, signal } = deps
  const fromBroker = async (
    id: InstrumentId,
    interval: BarInterval,
    before: Instant,
    limit: number,
  ): Promise<readonly Bar[]> => {
    if (gateway === undefined) return []
    if (interval === '1m') return gateway.minuteBars(id, before, limit, signal)
    if (interval === '5m') {
      const bars = fiveMinuteBars(await gateway.minuteBars(id, before, limit * 5, signal))
      return bars.filter((bar) => bar.closeTime <= before)
    }
    const yesterday = addDays(kstDate(before), -1) // the broker's last daily bar may still be in the making
    return gateway.dailyBars(
      id,
      addDays(yesterday, -Math.ceil(limit * DAYS_PER_SESSION) - 10),
      yesterday,
      signal,
    )
  }
  return async (id, interval, before, limit) => {
    const stored = await tickStore.bars(id, interval, before, limit)
    if (stored.length >= limit) return stored
    return mergeBars(stored, await fromBroker(id, interval, before, limit), limit)
  }
}
