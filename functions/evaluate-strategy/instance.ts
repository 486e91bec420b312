// One strategy in one instrument: its state, and how it becomes warm.
//
// W1. Cold: nothing was read. Warming: history is on its way, live closes wait behind it. Ready: closes are taken as they
//     come. History and live closes never overlap: a close that is not newer than the last one taken is dropped.
// W2. An opinion on a daily bar is acted on in the session that follows it, also when the bar came from history: the
//     process need not run at the close. An opinion on any other historic close is past.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import type { Bar, BarInterval } from '#shared/domain/market-data.ts'
import { type Instant, type SessionDate, kstDate } from '#shared/domain/time.ts'
import { type Price, toNumber } from '#shared/domain/values.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { type History, barKeyOf } from './history.ts'
import type { HeldPosition } from './positions.ts'
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
  instrument: Instrument | undefined
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
  instrument: undefined,
})

/** Takes a close, unless it is not new. */
export function take(instance: Instance, { time, price }: Close, position: HeldPosition): void {
  if (time <= instance.lastTime) return
  instance.lastTime = time
  const { state, opinion } = instance.entry.prepared.step(instance.state, {
    close: toNumber(price),
    time,
    isLong: position.quantity > 0n,
    averagePrice: position.averagePrice,
  })
  instance.state = state
  instance.lastOpinion = opinion
  if (instance.entry.prepared.trading.interval !== '1d') return
  const barDate = kstDate(time)
  instance.waiting = opinion === undefined ? undefined : { opinion, barDate, isSignaled: false }
}

export const closeOfBar = (bar: Pick<Bar, 'interval' | 'openTime' | 'close'>): Close => ({
  time: barKeyOf(bar) as Instant,
  price: bar.close,
})

export interface WarmUpDeps {
  readonly history: History
  readonly instrumentOf: (id: InstrumentId) => Promise<Instrument | undefined>
  /** Makes the account's positions known. */
  readonly loadAccount: (accountId: string) => Promise<void>
  readonly positionOf: (accountId: string, instrumentId: InstrumentId) => HeldPosition
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  readonly onFault: (strategyId: string, fault: string) => void
}

/** Histories read at the same time, at most: the broker's quota is small. */
const WARMING_MAX = 4
const RETRY_MS = 5_000
/** History asked for beside what the strategy needs, so that one missing bar does not leave it cold. */
const SPARE_BARS = 5

export interface WarmUp {
  /** Starts warming a cold instance with what closed before `before`, if it is time. */
  begin(instance: Instance, before: Instant): void
}

export function warmUp(deps: WarmUpDeps): WarmUp {
  const queue: (() => Promise<void>)[] = []
  let running = 0

  const next = (): void => {
    const job = running < WARMING_MAX ? queue.shift() : undefined
    if (job === undefined) return
    running += 1
    void job().finally(() => {
      running -= 1
      next()
    })
  }

  const readHistory = async (instance: Instance, before: Instant): Promise<readonly Close[]> => {
    const { trading, warmUpBars } = instance.entry.prepared
    if (trading.interval === 'tick') return []
    const interval: BarInterval = trading.interval
    const bars = await deps.history(instance.instrumentId, interval, before, warmUpBars + SPARE_BARS)
    return bars.map(closeOfBar)
  }

  const warm = async (instance: Instance, before: Instant): Promise<void> => {
    const { entry, instrumentId } = instance
    try {
      const [closes, instrument] = await Promise.all([
        readHistory(instance, before),
        deps.instrumentOf(instrumentId),
        deps.loadAccount(entry.accountId),
      ])
      const position = deps.positionOf(entry.accountId, instrumentId)
      instance.instrument = instrument
      for (const close of [...closes, ...instance.backlog]) take(instance, close, position)
      instance.backlog.length = 0
      instance.phase = 'ready'
    } catch (error) {
      instance.phase = 'cold'
      instance.retryMs = deps.stopwatch.elapsedMs() + RETRY_MS
      deps.onFault(entry.strategyId, `${instrumentId} could not be warmed up: ${String(error)}`)
    } finally {
      instance.warming = undefined
    }
  }

  return {
    begin(instance, before) {
      if (instance.phase !== 'cold' || deps.stopwatch.elapsedMs() < instance.retryMs) return
      instance.phase = 'warming'
      instance.warming = new Promise((resolve) => {
        queue.push(() => warm(instance, before).finally(resolve))
      })
      next()
    },
  }
}
