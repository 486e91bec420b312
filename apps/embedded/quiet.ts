// When nothing is under way. A replay lets time go on only then, so that what follows from one market event is complete
// before the next: two replays see the same orders at the same prices.
import { setImmediate } from 'node:timers/promises'

export interface Activity {
  /** Data frames that the market has sent us. */
  readonly sent: () => number
  /** Data frames that have been handed on to the bus. */
  readonly handled: () => number
  /** Each is true while that part has nothing to do. */
  readonly parts: readonly (() => boolean)[]
}

/** Turns of the event loop that must all be quiet: what a socket or a database still holds shows within one. */
const QUIET_TURNS = 3

/** Resolves once everything has been quiet for QUIET_TURNS turns, or the signal aborts. */
export async function quiet({ sent, handled, parts }: Activity, signal: AbortSignal): Promise<void> {
  let turns = 0
  while (turns < QUIET_TURNS && !signal.aborted) {
    await setImmediate()
    turns = handled() >= sent() && parts.every((isQuiet) => isQuiet()) ? turns + 1 : 0
  }
}
