import { instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { timeout } from './sleep.ts'

/** The wall clock of this machine. A clock that is set back makes a sleeper wait longer, never return early. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  async sleepUntil(due, signal) {
    signal.throwIfAborted()
    for (let leftMs = due - Date.now(); leftMs > 0; leftMs = due - Date.now()) {
      await timeout(leftMs, signal)
    }
  },
}
