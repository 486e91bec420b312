import { type Instant, instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { historicalClock } from './historical-clock.ts'

/**
 * Shows the time of the newest event it was told of; 1970 before the first. Whoever sleeps wakes when events have passed
 * their due time: with no more events, never.
 */
export function eventClock(): Clock & { happened(at: Instant): void } {
  const clock = historicalClock(instant(0))
  return {
    now: () => clock.now(),
    sleepUntil: (due, signal) => clock.sleepUntil(due, signal),
    happened(at) {
      if (at > clock.now()) clock.advanceTo(at)
    },
  }
}
