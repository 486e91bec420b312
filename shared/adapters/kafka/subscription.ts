// A subscription for as long as somebody wants it: one session after another.
//
// U1. A session that fails, for whatever reason that may pass, is followed by a new one, from what is committed. A broker
//     that is away for hours is waited for.
// U2. A reason that will not pass (a login refused, a certificate expired) is reported, and the process should end.
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Subscription } from '#shared/ports/event-bus.ts'
import type { KafkaLog } from './client.ts'
import { KafkaSetupError, failureOf } from './failures.ts'
import type { GroupSession } from './group-session.ts'

export interface SubscriptionOptions {
  readonly group: string
  readonly newSession: () => GroupSession
  readonly stopwatch: Stopwatch
  readonly log: KafkaLog
  /** U2 */
  readonly onCrash: (error: Error) => void
}

const PAUSE_MS = 200
const PAUSE_MS_MAX = 5_000
/** A cluster that has just started, or made a topic, needs a moment until it answers for it. */
const START_MS_MAX = 15_000

/** Rejects when the first session cannot start. */
export async function openSubscription(options: SubscriptionOptions): Promise<Subscription> {
  const { group, newSession, stopwatch, log, onCrash } = options
  const closing = new AbortController()
  const doing = `feed the group ${group}`

  const started = async (): Promise<GroupSession> => {
    const session = newSession()
    try {
      await session.start()
      return session
    } catch (error) {
      await session.stop('the session did not start')
      throw failureOf(error, doing)
    }
  }

  /** Tries until it works, `patienceMs` are over, or it never will. `undefined` once closing. */
  const insist = async (patienceMs: number): Promise<GroupSession | undefined> => {
    const startMs = stopwatch.elapsedMs()
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      try {
        return await started()
      } catch (error) {
        const isHopeless = error instanceof KafkaSetupError || stopwatch.elapsedMs() - startMs > patienceMs
        if (isHopeless) throw error
        log.warn({ group, error }, 'the group waits for Kafka')
        const pauseMs = Math.min(PAUSE_MS * 2 ** failures, PAUSE_MS_MAX)
        await stopwatch.sleep(pauseMs, closing.signal).catch(() => undefined)
      }
    }
    return undefined
  }

  let session = await insist(START_MS_MAX)
  const supervise = async (): Promise<void> => {
    while (session !== undefined) {
      const error = await Promise.race([session.ended, aborted(closing.signal)])
      await session.stop(
        error === undefined ? 'the subscription is closing' : 'the connection to Kafka failed',
      )
      if (error === undefined) return
      const failure = failureOf(error, doing)
      if (failure instanceof KafkaSetupError) throw failure
      log.warn({ group, error: failure }, 'the group lost Kafka and joins again')
      session = await insist(Infinity) // U1
      if (session !== undefined) log.info({ group }, 'the group is fed again')
    }
  }
  const supervised = supervise().catch((error: unknown) => onCrash(failureOf(error, doing))) // U2

  let closed: Promise<void> | undefined
  return {
    close: () => {
      closing.abort(new RetryableError('the subscription is closing'))
      return (closed ??= supervised)
    },
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
