// Keeps one broker stream open for as long as the process lives.
//
// S1. `refused` (bad credentials, closed account) ends the process. Dialing again would be refused again, and could lock
//     the account.
// S2. A connection earns a fresh back-off by staying up UPTIME_FOR_RESET_MS. A broker that accepts and drops us at once is
//     not hammered: KIS blocks keys for that.
// S3. `StreamConnected` is published before the first message of a connection, so that reconciliation reads from the lists
//     what happened while we were away.
// S4. `busy` (another session holds our key, often our own that lingers) waits at least BUSY_PAUSE_MS.
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { ConnectionOutcome } from '#shared/ports/broker-stream.ts'

export const UPTIME_FOR_RESET_MS = 30_000
export const BUSY_PAUSE_MS = 10_000

/** The broker said no for good (S1). */
export class StreamRefusedError extends Error {
  override name = 'StreamRefusedError'
}

export interface SupervisorDeps {
  /** One connection, from dialing to its end. `connection` counts from 1. */
  readonly connect: (connection: number, signal: AbortSignal) => Promise<ConnectionOutcome>
  readonly backoff: { nextMs(): number; reset(): void }
  readonly stopwatch: Stopwatch
  readonly onEnd: (outcome: ConnectionOutcome, pauseMs: number) => void
}

/** Resolves once `signal` aborts; rejects with `StreamRefusedError` (S1). */
export async function supervise(deps: SupervisorDeps, signal: AbortSignal): Promise<void> {
  const { connect, backoff, stopwatch, onEnd } = deps
  for (let connection = 1; !signal.aborted; connection += 1) {
    const outcome = await connect(connection, signal)
    if (outcome.kind === 'refused') throw new StreamRefusedError(outcome.reason)
    if (outcome.kind === 'dropped' && outcome.uptimeMs >= UPTIME_FOR_RESET_MS) backoff.reset()
    if (signal.aborted) return
    const pauseMs = Math.max(backoff.nextMs(), outcome.kind === 'busy' ? BUSY_PAUSE_MS : 0)
    onEnd(outcome, pauseMs)
    await stopwatch.sleep(pauseMs, signal).catch(() => undefined)
  }
}
