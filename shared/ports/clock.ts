// Time comes in through the door. Three needs, three calls.
import type { Instant } from '#shared/domain/time.ts'

/** Business time: what the market's clock shows. In a replay it is the recorded time. */
export interface Clock {
  now(): Instant
  /** Resolves once `now()` has reached `due`; rejects with the signal's reason when it aborts first. */
  sleepUntil(due: Instant, signal: AbortSignal): Promise<void>
}

/** Process time, for durations, deadlines, back-off and quotas: never jumps, never replayed. */
export interface Stopwatch {
  /** Milliseconds since some fixed point in this process, with fractions. */
  elapsedMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}
