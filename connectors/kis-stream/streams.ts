// One stream for each account; the first also follows the instruments.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BrokerStream } from '#shared/ports/broker-stream.ts'
import { backoffOf } from '#shared/runtime/backoff.ts'
import { type StreamDeps, runStream } from './stream.ts'
import { StreamRefusedError } from './supervisor.ts'

/** KIS allows 41 registrations a session; its own samples stop at 40, and one is the notice channel. */
const REGISTRATIONS_MAX = 40
const REDIAL = { baseMs: 500, maxMs: 60_000 }

export interface AccountStream {
  readonly accountId: string
  readonly stream: BrokerStream
}

export interface StreamsDeps extends Pick<StreamDeps, 'bus' | 'clock' | 'stopwatch' | 'ids' | 'log'> {
  readonly accounts: readonly AccountStream[]
  /** Those beyond what a session can register are not followed. */
  readonly instrumentIds: readonly InstrumentId[]
  /** Wanted beside trades; left out where a session cannot register both. */
  readonly withOrderBook: boolean
  /** Spreads the pauses before dialing again; 0 ≤ x < 1. */
  readonly random: () => number
  /** The broker refuses one for good: the others go on. Default: `ended` rejects. */
  readonly onRefused?: (accountId: string, reason: string) => void
}

export interface RunningStreams {
  /** Resolves once every stream was live for the first time. */
  readonly live: Promise<void>
  /** Resolves once the signal has aborted; rejects when the broker refuses one for good. */
  readonly ended: Promise<void>
  /** Why streams are down, for a person; empty while all are live. */
  readonly troubles: () => readonly string[]
}

export function runStreams(deps: StreamsDeps, signal: AbortSignal): RunningStreams {
  const { accounts, random, bus, clock, stopwatch, ids, log } = deps
  const followed = deps.instrumentIds.slice(0, REGISTRATIONS_MAX)
  if (followed.length < deps.instrumentIds.length) {
    log.warn(
      { followed: followed.length, wanted: deps.instrumentIds.length },
      'not all instruments are followed',
    )
  }
  const withOrderBook = deps.withOrderBook && followed.length * 2 <= REGISTRATIONS_MAX
  const live: Promise<void>[] = []
  const troubles = new Map(accounts.map(({ accountId }) => [accountId, `${accountId} is not connected yet`]))
  const ended = accounts.map(({ accountId, stream }, index) => {
    const first = Promise.withResolvers<void>()
    live.push(first.promise)
    const run = runStream(
      {
        accountId,
        stream,
        instrumentIds: index === 0 ? followed : [],
        withOrderBook,
        bus,
        clock,
        stopwatch,
        backoff: backoffOf(REDIAL, random),
        ids,
        log,
        onLive: () => {
          troubles.delete(accountId)
          first.resolve()
        },
        onLost: (reason) => void troubles.set(accountId, `${accountId} is not connected: ${reason}`),
      },
      signal,
    )
    const { onRefused } = deps
    if (onRefused === undefined) return run
    return run.catch(async (error: unknown) => {
      if (!(error instanceof StreamRefusedError)) throw error
      troubles.set(accountId, `${accountId} is refused: ${error.message}`)
      onRefused(accountId, error.message)
      await aborted(signal)
    })
  })
  return {
    live: Promise.all(live).then(() => undefined),
    ended: Promise.all(ended).then(() => undefined),
    troubles: () => [...troubles.values()],
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
