// A clock that shows recorded time.
//
// H1. It never goes back.
// H2. Sleepers wake in the order of their due times, those due together in the order they fell asleep. `now()` never
//     shows less than a woken sleeper's due time, but it may show more: `advanceTo` does not wait for what they do.
import type { Instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'

export interface HistoricalClock extends Clock {
  /** @throws RangeError when `at` is before `now()` (H1). */
  advanceTo(at: Instant): void
}

interface Sleeper {
  readonly due: Instant
  readonly wake: () => void
}

export function historicalClock(start: Instant): HistoricalClock {
  let current = start
  /** By due time; binary insertion keeps equals in arrival order (H2). */
  const sleepers: Sleeper[] = []

  const insert = (sleeper: Sleeper): void => {
    let low = 0
    let high = sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sleepers[middle]?.due ?? sleeper.due) <= sleeper.due) low = middle + 1
      else high = middle
    }
    sleepers.splice(low, 0, sleeper)
  }

  return {
    now: () => current,
    sleepUntil: (due, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason)
          return
        }
        if (due <= current) {
          resolve()
          return
        }
        const onAbort = (): void => {
          const index = sleepers.indexOf(sleeper)
          if (index >= 0) sleepers.splice(index, 1)
          reject(signal.reason)
        }
        const sleeper: Sleeper = {
          due,
          wake: () => {
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        insert(sleeper)
      }),
    advanceTo(at) {
      if (at < current) throw new RangeError(`the clock shows ${current} and cannot go back to ${at}`)
      current = at
      const awake = sleepers.findIndex((sleeper) => sleeper.due > at)
      for (const sleeper of sleepers.splice(0, awake === -1 ? sleepers.length : awake)) sleeper.wake()
    },
  }
}
