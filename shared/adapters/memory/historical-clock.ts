import { type Instant, instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { timeline } from './timeline.ts'

export interface HistoricalClock extends Clock {
  /** Moves on and wakes those who are due, in due order. @throws RangeError when `at` is before `now()`. */
  advanceTo(at: Instant): void
}

/** A clock that shows recorded time. */
export function historicalClock(start: Instant): HistoricalClock {
  const line = timeline(start)
  return {
    now: () => instant(line.now()),
    sleepUntil: (due, signal) => line.sleepUntil(due, signal),
    advanceTo: (at) => line.advanceTo(at),
  }
}
