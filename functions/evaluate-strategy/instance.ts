// One strategy in one instrument: its state, and how it becomes warm.
//
// W1. Cold: nothing was read. Warming: history is on its way, live closes wait behind it. Ready: closes are taken as they
//     come. History and live closes never overlap: a close that is not newer than the last one taken is dropped.
// W2. An opinion on a daily bar is acted on in the session that follows it, also when the bar came from history: the
//     process need not run at the close. An opinion on any other historic close is past.
// W3. A daily bar that does not follow the last one taken says that a session was missed: the instance is warmed anew.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Bar } from '#shared/domain/market-data.ts'
import { type Instant, type SessionDate, kstDate } from '#shared/domain/time.ts'
import { type Price, toNumber } from '#shared/domain/values.ts'
import { barKeyOf } from './history.ts'
import type { HeldPosition } from './accounts.ts'
import type { RosterEntry } from './roster.ts'
import type { Opinion, StrategyState } from './strategy.ts'

export interface Close {
  /** Orders closes and tells repeats: open time of a bar, event time of a tick. */
  readonly time: Instant
  readonly price: Price
}

/** An opinion that waits for the next session. */
export interface Waiting {
  readonly opinion: Opinion
  readonly barDate: SessionDate
  readonly isSignaled: boolean
}

export interface Instance {
  readonly entry: RosterEntry
  readonly instrumentId: InstrumentId
  state: StrategyState
  phase: 'cold' | 'warming' | 'ready'
  /** Settles when warm-up has ended, well or not; never rejects. */
  warming: Promise<void> | undefined
  /** After a failed warm-up, not before this. */
  retryMs: number
  readonly backlog: Close[]
  lastTime: number
  /** What the last close taken made of it. */
  lastOpinion: Opinion | undefined
  waiting: Waiting | undefined
}

export const coldInstance = (entry: RosterEntry, instrumentId: InstrumentId): Instance => ({
  entry,
  instrumentId,
  state: entry.prepared.start(),
  phase: 'cold',
  warming: undefined,
  retryMs: Number.NEGATIVE_INFINITY,
  backlog: [],
  lastTime: Number.NEGATIVE_INFINITY,
  lastOpinion: undefined,
  waiting: undefined,
})

/** Takes a close, unless it is not new, and says what opinion came of it. */
export function take(
  instance: Instance,
  { time, price }: Close,
  position: HeldPosition,
): Opinion | undefined {
  if (time <= instance.lastTime) return undefined
  instance.lastTime = time
  const { state, opinion } = instance.entry.prepared.step(instance.state, {
    close: toNumber(price),
    time,
    isLong: position.quantity > 0n,
    averagePrice: position.averagePrice,
  })
  instance.state = state
  instance.lastOpinion = opinion
  if (instance.entry.prepared.trading.interval === '1d') {
    const barDate = kstDate(time)
    instance.waiting = opinion === undefined ? undefined : { opinion, barDate, isSignaled: false }
  }
  return opinion
}

/** Forgets what it took and is cold again: closes were missed that history may have. */
export function chill(instance: Instance): void {
  instance.state = instance.entry.prepared.start()
  instance.phase = 'cold'
  instance.retryMs = Number.NEGATIVE_INFINITY
  instance.backlog.length = 0
  instance.lastTime = Number.NEGATIVE_INFINITY
  instance.lastOpinion = undefined
  instance.waiting = undefined
}

export const closeOfBar = (bar: Pick<Bar, 'interval' | 'openTime' | 'close'>): Close => ({
  time: barKeyOf(bar) as Instant,
  price: bar.close,
})
