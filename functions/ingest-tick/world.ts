// What the parts of this function share: its ports and the instruments it tracks.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { FrameDecoder } from '#shared/ports/frame-decoder.ts'
import type { HotState, LastPrice } from '#shared/ports/hot-state.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { StoredTick, TickStore } from '#shared/ports/tick-store.ts'
import type { OutputOf } from '#shared/runtime/function.ts'
import { type FormingBar, isComplete } from './bars.ts'
import type { IngestCount } from './decide.ts'
import type { ingestTick } from './function.ts'
import { type TrackedInstruments, trackedInstruments } from './instruments.ts'

export interface IngestTickDeps {
  readonly decoder: FrameDecoder
  readonly hotState: Pick<HotState, 'get' | 'set' | 'putLastPrices'>
  readonly tickStore: Pick<TickStore, 'appendTicks' | 'appendBars'>
  /** For base prices, and for the instruments whose bars a phase closes. */
  readonly instruments: Pick<Instruments, 'get' | 'list'>
  readonly clock: Pick<Clock, 'sleepUntil'>
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  /**
   * Business time to wait after a phase began before its bars are closed, for prints still on their way: the closing
   * auction's comes seconds after the close. 0 where the driver of a replay delivers in order.
   */
  readonly phaseGraceMs: number
  /** Least process time between two hot copies of one instrument's forming bars. */
  readonly copyIntervalMs: number
  readonly count: (what: IngestCount, instrumentId: InstrumentId) => void
}

export type IngestOutput = OutputOf<typeof ingestTick>

/** What an event came to: what is emitted, and what is written beside it. */
export interface Answer {
  readonly outputs: readonly IngestOutput[]
  readonly ticks: readonly StoredTick[]
  readonly bars: readonly FormingBar[]
  readonly prices: readonly LastPrice[]
}

export interface World {
  readonly deps: IngestTickDeps
  readonly tracked: TrackedInstruments
  readonly onHotStateFailure: (instrumentId: InstrumentId) => void
}

export function worldOf(deps: IngestTickDeps): World {
  const onHotStateFailure = (instrumentId: InstrumentId): void => deps.count('hotStateFailure', instrumentId)
  return { deps, onHotStateFailure, tracked: trackedInstruments({ ...deps, onFailure: onHotStateFailure }) }
}

/** Those that are what they say. The others are counted. */
export const completeOnly = ({ deps }: World, closed: readonly FormingBar[]): readonly FormingBar[] =>
  closed.filter((bar) => {
    const isWhole = isComplete(bar)
    if (!isWhole) deps.count('incompleteBar', bar.instrumentId)
    return isWhole
  })
