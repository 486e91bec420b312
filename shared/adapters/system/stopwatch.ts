import type { Stopwatch } from '#shared/ports/clock.ts'
import { timeout } from './sleep.ts'

/** The monotonic clock of this process. */
export const systemStopwatch: Stopwatch = {
  elapsedMs: () => performance.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted()
    const due = performance.now() + ms
    for (let leftMs = ms; leftMs > 0; leftMs = due - performance.now()) await timeout(leftMs, signal)
  },
}
