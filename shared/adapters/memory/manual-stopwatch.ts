import type { Stopwatch } from '#shared/ports/clock.ts'
import { timeline } from './timeline.ts'

export interface ManualStopwatch extends Stopwatch {
  /** Lets `ms` pass and wakes those who are due, in due order. */
  elapse(ms: number): void
  /** How many sleep. */
  sleeping(): number
}

/** A stopwatch that moves only when told to: for tests and simulations. */
export function manualStopwatch(): ManualStopwatch {
  const line = timeline(0)
  return {
    elapsedMs: () => line.now(),
    sleep: (ms, signal) => line.sleepUntil(line.now() + ms, signal),
    elapse: (ms) => line.advanceTo(line.now() + ms),
    sleeping: () => line.sleeping(),
  }
}
