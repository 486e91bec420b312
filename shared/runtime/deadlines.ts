// One timer for all events in flight of one function. Every deadline is the same length, so they come due in the order in
// which they were set, and one sleeper that always waits for the oldest is enough: no timer for each event.
import type { Stopwatch } from '#shared/ports/clock.ts'

export interface Expirable {
  expire(): void
}

/** One entry of a ring, so that setting and removing cost a few assignments. */
export interface Deadline {
  readonly dueMs: number
  readonly owner: Expirable | undefined
  previous: Deadline
  next: Deadline
}

export interface Deadlines {
  /** Calls `owner.expire` once, the timeout after `nowMs` at the earliest, unless removed first. */
  add(owner: Expirable, nowMs: number): Deadline
  /** Does nothing the second time. */
  remove(deadline: Deadline): void
  /** Ends the sleeper; nothing expires any more. */
  close(): void
}

/** `add` must be given times that never go back: those of `stopwatch`. */
export function deadlinesOf(timeoutMs: number, stopwatch: Stopwatch): Deadlines {
  /** Before the oldest and after the newest. */
  const ends = emptyRing()
  const closing = new AbortController()
  let sleeping = false

  const wake = async (): Promise<void> => {
    sleeping = true
    try {
      for (let oldest = ends.next; oldest !== ends; oldest = ends.next) {
        const leftMs = oldest.dueMs - stopwatch.elapsedMs()
        if (leftMs > 0) {
          await stopwatch.sleep(leftMs, closing.signal)
        } else {
          unlink(oldest)
          oldest.owner?.expire()
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
    add(owner, nowMs) {
      const newest = ends.previous
      const deadline = { dueMs: nowMs + timeoutMs, owner, previous: newest, next: ends }
      newest.next = deadline
      ends.previous = deadline
      if (!sleeping && !closing.signal.aborted) void wake()
      return deadline
    },
    remove: unlink,
    close: () => closing.abort(),
  }
}

function emptyRing(): Deadline {
  const ends = { dueMs: 0, owner: undefined } as Deadline
  ends.previous = ends
  ends.next = ends
  return ends
}

function unlink(deadline: Deadline): void {
  deadline.previous.next = deadline.next
  deadline.next.previous = deadline.previous
  deadline.previous = deadline
  deadline.next = deadline
}
