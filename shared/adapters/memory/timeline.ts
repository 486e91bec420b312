// A line of time that moves only when told to, with sleepers on it.
//
// T1. It never goes back.
// T2. Sleepers wake in the order of their due times, those due together in the order they fell asleep. It never shows
//     less than a woken sleeper's due time, but may show more: moving on does not wait for what the woken do.

export interface Timeline {
  now(): number
  /** Resolves once `now()` has reached `due`; rejects with the signal's reason when it aborts first. */
  sleepUntil(due: number, signal: AbortSignal): Promise<void>
  /** @throws RangeError when `at` is before `now()` (T1). */
  advanceTo(at: number): void
  sleeping(): number
}

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

export function timeline(start: number): Timeline {
  let current = start
  /** By due time; binary insertion keeps equals in arrival order (T2). */
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

  const sleep = (due: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        sleepers.splice(sleepers.indexOf(sleeper), 1)
        reject(signal.reason)
      }
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { due, wake }
      signal.addEventListener('abort', onAbort, { once: true })
      insert(sleeper)
    })

  return {
    now: () => current,
    async sleepUntil(due, signal) {
      signal.throwIfAborted()
      if (due > current) await sleep(due, signal)
    },
    advanceTo(at) {
      if (at < current) throw new RangeError(`the time is ${current} and cannot go back to ${at}`)
      current = at
      const asleep = sleepers.findIndex((sleeper) => sleeper.due > at)
      for (const sleeper of sleepers.splice(0, asleep === -1 ? sleepers.length : asleep)) sleeper.wake()
    },
    sleeping: () => sleepers.length,
  }
}
