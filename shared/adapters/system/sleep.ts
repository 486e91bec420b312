// The one place that arms a timer.

/** Longer delays overflow Node's 32-bit timers, which would then fire at once. */
const DELAY_MS_MAX = 2_147_483_647

/** Resolves after `delayMs` (at most about 24.8 days: the caller checks again); rejects when the signal aborts first. */
export function timeout(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      },
      Math.min(Math.max(delayMs, 0), DELAY_MS_MAX),
    )
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
