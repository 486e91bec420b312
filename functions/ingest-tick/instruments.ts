// The state of every instrument seen, in process, with its hot copy and its price limits.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { type PriceLimits } from '#shared/domain/krx-rules.ts'
import { type Instant, type SessionDate, kstDate } from '#shared/domain/time.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import { copyKeyOf, readCopy, writeCopy } from './copy.ts'
import { type InstrumentState, UNSEEN, limitsFor } from './decide.ts'

/** A copy outlives a long weekend. */
const COPY_TTL_MS = 5 * 86_400_000
/** Where the base price of today is not known yet, it is asked for again after this. */
const LIMITS_RETRY_MS = 30_000

export interface TrackedInstrument {
  state: InstrumentState
  /** Of `limitsDate`; undefined where they cannot be known. */
  limits: PriceLimits | undefined
  limitsDate: SessionDate | undefined
  limitsReadMs: number
  /** True when the copy lacks something. */
  isDirty: boolean
  copiedMs: number
}

export interface InstrumentDeps {
  readonly hotState: Pick<HotState, 'get' | 'set'>
  readonly instruments: Pick<Instruments, 'get'>
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  /** Least time between two copies of one instrument. */
  readonly copyIntervalMs: number
  readonly onFailure: (instrumentId: InstrumentId) => void
}

export interface TrackedInstruments {
  /** Loads what is not loaded, price limits included. Undefined when all is there: nothing to wait for. */
  prepare(ids: readonly InstrumentId[], at: Instant): Promise<unknown> | undefined
  /** Loads the hot copies of instruments that this process has not seen. */
  load(ids: readonly InstrumentId[]): Promise<void>
  get(id: InstrumentId): TrackedInstrument
  all(): Iterable<readonly [InstrumentId, TrackedInstrument]>
  /** Starts writing the copy, if one is due. To be called before the state takes the event in hand (C1). */
  copyIfDue(id: InstrumentId): void
  /** Writes every copy that lacks something. */
  drain(): Promise<void>
}

/** Hot copies read side by side, at most. */
const LOADS_MAX = 100

export function trackedInstruments(deps: InstrumentDeps): TrackedInstruments {
  const { stopwatch, copyIntervalMs } = deps
  const tracked = new Map<InstrumentId, TrackedInstrument>()
  const loading = new Map<InstrumentId, Promise<void>>()
  const writing = new Set<Promise<void>>()

  const load = async (id: InstrumentId): Promise<void> => {
    const entry = await readTracked(deps, id)
    if (!tracked.has(id)) tracked.set(id, entry)
  }
  const loadOnce = (id: InstrumentId): Promise<void> => {
    const running = loading.get(id) ?? load(id).finally(() => loading.delete(id))
    loading.set(id, running)
    return running
  }
  const lacksLimits = (entry: TrackedInstrument, date: SessionDate): boolean =>
    entry.limitsDate !== date ||
    (entry.limits === undefined && stopwatch.elapsedMs() - entry.limitsReadMs >= LIMITS_RETRY_MS)
  const ready = async (id: InstrumentId, date: SessionDate): Promise<void> => {
    if (!tracked.has(id)) await loadOnce(id)
    const entry = tracked.get(id)
    if (entry !== undefined && lacksLimits(entry, date)) await readLimits(deps, id, entry, date)
  }
  const copy = (id: InstrumentId, entry: TrackedInstrument): void => {
    const write = writeTracked(deps, id, entry).finally(() => writing.delete(write))
    writing.add(write)
  }

  return {
    prepare(ids, at) {
      const date = kstDate(at)
      const missing = ids.filter((id) => {
        const entry = tracked.get(id)
        return entry === undefined || lacksLimits(entry, date)
      })
      return missing.length === 0 ? undefined : Promise.all(missing.map((id) => ready(id, date)))
    },
    async load(ids) {
      const missing = ids.filter((id) => !tracked.has(id))
      for (let from = 0; from < missing.length; from += LOADS_MAX) {
        await Promise.all(missing.slice(from, from + LOADS_MAX).map(loadOnce))
      }
    },
    get(id) {
      const entry = tracked.get(id)
      if (entry === undefined) throw new Error(`${id} was not prepared`)
      return entry
    },
    all: () => tracked,
    copyIfDue(id) {
      const entry = tracked.get(id)
      if (entry?.isDirty !== true) return
      if (stopwatch.elapsedMs() - entry.copiedMs >= copyIntervalMs) copy(id, entry)
    },
    async drain() {
      for (const [id, entry] of tracked) if (entry.isDirty) copy(id, entry)
      await Promise.all(writing)
    },
  }
}

async function readTracked(
  { hotState, stopwatch, onFailure }: InstrumentDeps,
  id: InstrumentId,
): Promise<TrackedInstrument> {
  let state: InstrumentState | undefined
  try {
    const text = await hotState.get(copyKeyOf(id))
    state = text === undefined ? undefined : readCopy(text)
  } catch {
    onFailure(id) // C2: the running volume tells what is missing
  }
  return {
    state: state ?? UNSEEN,
    limits: undefined,
    limitsDate: undefined,
    limitsReadMs: Number.NEGATIVE_INFINITY,
    isDirty: false,
    copiedMs: stopwatch.elapsedMs(),
  }
}

async function writeTracked(
  { hotState, stopwatch, onFailure }: InstrumentDeps,
  id: InstrumentId,
  entry: TrackedInstrument,
): Promise<void> {
  entry.isDirty = false
  entry.copiedMs = stopwatch.elapsedMs()
  try {
    await hotState.set(copyKeyOf(id), writeCopy(entry.state), COPY_TTL_MS)
  } catch {
    entry.isDirty = true
    onFailure(id)
  }
}

async function readLimits(
  { instruments, stopwatch }: InstrumentDeps,
  id: InstrumentId,
  entry: TrackedInstrument,
  date: SessionDate,
): Promise<void> {
  entry.limitsReadMs = stopwatch.elapsedMs()
  entry.limitsDate = date
  entry.limits = undefined
  try {
    entry.limits = limitsFor(await instruments.get(id), date)
  } catch {
    return // market data does not wait for a base price (D3)
  }
}
