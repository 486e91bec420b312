// One timer for all events in flight of one function. Every deadline is the same length, so they come due in the order in
// which they were set, and one sleeper that always waits for the oldest is enough: no timer for each event.
import type { Stopwatch } from '#shared/ports/clock.ts'

export interface Deadline {
  readonly dueMs: number
  expire(): void
}

export interface Deadlines {
  /** Calls `expire` once, `timeoutMs` from now at the earliest, unless removed first. */
  add(expire: () => void): Deadline
  remove(deadline: Deadline): void
  /** Ends the sleeper; nothing expires any more. */
  close(): void
}

export function deadlinesOf(timeoutMs: number, stopwatch: Stopwatch): Deadlines {
  const open = new Set<Deadline>()
  const closing = new AbortController()
  let sleeping = false

  const wake = async (): Promise<void> => {
    sleeping = true
    try {
      for (let oldest = first(open); oldest !== undefined; oldest = first(open)) {
        const leftMs = oldest.dueMs - stopwatch.elapsedMs()
        if (leftMs > 0) {
          await stopwatch.sleep(leftMs, closing.signal)
        } else {
          open.delete(oldest)
          oldest.expire()
        }
      }
      // In the same breath as the last look: a deadline that is set from here on wakes a new sleeper.
      sleeping = false
    } catch (error) {
      sleeping = false
      if (!closing.signal.aborted) throw error
    }
  }

  return {
    add(expire) {
      const deadline = { dueMs: stopwatch.elapsedMs() + timeoutMs, expire }
      open.add(deadline)
      if (!sleeping && !closing.signal.aborted) void wake()
      return deadline
    },
    remove: (deadline) => void open.delete(deadline),
    close: () => closing.abort(),
  }
}

const first = (open: ReadonlySet<Deadline>): Deadline | undefined => {
  for (const deadline of open) return deadline
  return undefined
}
