// Makes cold instances warm: history first, then the live closes that came meanwhile.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BarInterval } from '#shared/domain/market-data.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { History } from './history.ts'
import { type Close, type Instance, closeOfBar, take } from './instance.ts'
import type { HeldPosition } from './accounts.ts'

export interface WarmUpDeps {
  readonly history: History
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
  /** Starts warming a cold instance with what closed before `before`, if it is time. True when it did. */
  begin(instance: Instance, before: Instant): boolean
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
      const [closes] = await Promise.all([readHistory(instance, before), deps.loadAccount(entry.accountId)])
      const position = deps.positionOf(entry.accountId, instrumentId)
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
      if (instance.phase !== 'cold' || deps.stopwatch.elapsedMs() < instance.retryMs) return false
      instance.phase = 'warming'
      instance.warming = new Promise((resolve) => {
        queue.push(() => warm(instance, before).finally(resolve))
      })
      next()
      return true
    },
  }
}

/**
 * Gives instances a little time to become warm, so that what comes right after a start is not missed. A replay that
 * waits long enough is the same each time.
 */
export async function settleWarmUp(
  instances: readonly Instance[],
  waitMs: number,
  stopwatch: Pick<Stopwatch, 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  const warming = instances.map((each) => each.warming).filter((each) => each !== undefined)
  if (warming.length === 0 || waitMs === 0) return
  const done = new AbortController()
  const timeout = stopwatch.sleep(waitMs, AbortSignal.any([signal, done.signal])).catch(() => undefined)
  await Promise.race([Promise.all(warming), timeout])
  done.abort()
}
