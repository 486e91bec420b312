// Growing pauses between attempts, jittered so that those who failed together do not come back together.

export interface BackoffOptions {
  /** Pause before the first repetition, milliseconds. */
  readonly baseMs: number
  /** Longest pause, milliseconds. */
  readonly maxMs: number
}

/**
 * Pause before repetition `attempt` (from 1): between half and all of baseMs × 2^(attempt − 1), at most `maxMs`.
 * `random` gives 0 ≤ x < 1.
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffOptions, random: () => number): number {
  const wholeMs = Math.min(baseMs * 2 ** Math.min(attempt - 1, 40), maxMs)
  return wholeMs / 2 + (wholeMs / 2) * random()
}

export interface Backoff {
  nextMs(): number
  reset(): void
}

/** A back-off that counts for itself. */
export function backoffOf(options: BackoffOptions, random: () => number): Backoff {
  let attempt = 0
  return {
    nextMs() {
      attempt += 1
      return backoffMs(attempt, options, random)
    },
    reset() {
      attempt = 0
    },
  }
}
