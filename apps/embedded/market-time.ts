// Moves business time along with a simulated market.
//
// T1. The clock stays BEHIND_MS behind the tape: what prints at the very instant at which a phase ends, as a closing
//     auction does, arrives before the phase is over for us.
// T2. Time passes through every phase change on the way, and everything that follows from one is done before it goes on.
//     A night that the tape leaps over still closes one session and opens the next.
// T3. In steps, what a moment makes due (a reconciliation, a valuation) is done before the market moves at that moment:
//     otherwise the broker's list of orders would show the next fill or not, as chance has it.
import { type Instant, addMs, kstDate } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { CALENDARS, nextChangeTime } from '../../connectors/scheduler/schedule.ts'

const BEHIND_MS = 1

export interface MarketTime {
  /** Call it before each event of the tape, and await it. */
  advance(tapeTime: Instant): Promise<void>
  /** The tape has ended: the session goes on to its close. */
  finish(): Promise<void>
}

export function marketTime(
  clock: Clock & { advanceTo(at: Instant): void },
  settle: () => Promise<void>,
  isStepped: boolean,
): MarketTime {
  let next = nextChangeTime(CALENDARS.KRX, clock.now())

  const passChanges = async (upTo: (change: Instant) => boolean): Promise<void> => {
    while (next !== undefined && upTo(next)) {
      clock.advanceTo(next)
      await settle()
      next = nextChangeTime(CALENDARS.KRX, clock.now())
    }
  }

  return {
    async advance(tapeTime) {
      const target = addMs(tapeTime, -BEHIND_MS)
      if (next !== undefined && next <= target) await passChanges((change) => change <= target)
      if (target <= clock.now()) return
      clock.advanceTo(target)
      if (isStepped) await settle() // T3
    },
    async finish() {
      const today = kstDate(clock.now())
      await passChanges((change) => kstDate(change) === today)
    },
  }
}
