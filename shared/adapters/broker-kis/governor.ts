// One quota for each app key, shared by every process through HotState; one queue for each process.
//
// Q1. A slot is taken first and given away second: whoever is most urgent when the slot comes gets it, so a cancel that
//     arrives while a read waits for its slot goes out in the read's place.
// Q2. Cancels go before submits, submits before reads. After PASSED_OVER_MAX grants that passed over a waiting read, one
//     read goes: reads are slow under load, never starved.
// Q3. Without HotState only a cancel may go, at this process's own pace: everything else is denied, and a broker that
//     counts more than we do answers EGW00201 unread.
// Q4. The queue is bounded. When it is full a new read or submit is denied at once; a cancel is always queued.
import { RetryableError } from '#shared/ports/errors.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'

export const PRIORITIES = ['cancel', 'submit', 'read'] as const
export type Priority = (typeof PRIORITIES)[number]

export interface Governor {
  /**
   * Resolves when one request may go.
   * @throws RetryableError when the quota state cannot be reached or the queue is full; the signal's reason when it
   * aborts first. Either way nothing may be sent.
   */
  acquire(priority: Priority, signal: AbortSignal): Promise<void>
  waiting(): number
}

export interface GovernorOptions {
  /** Names the app key; no secret. */
  readonly name: string
  readonly perSecond: number
  readonly perMinute?: number
  /** The length of "a second". Longer where the far side counts strictly. */
  readonly secondMs: number
  readonly hotState: HotState
  readonly stopwatch: Stopwatch
  /** Default 1,000. */
  readonly queueMax?: number
}

interface Waiter {
  readonly grant: () => void
  readonly deny: (reason: unknown) => void
}

const PASSED_OVER_MAX = 8
/** Never spins on a quota that answers "0 ms", never sleeps past a change of heart. */
const RETRY_MS_MIN = 2
const RETRY_MS_MAX = 5_000

export function quotaGovernor(options: GovernorOptions): Governor {
  const take = sharedTake(options)
  const ownPace = localTake(options)
  const queues: Record<Priority, Set<Waiter>> = { cancel: new Set(), submit: new Set(), read: new Set() }
  const waiting = (): number => queues.cancel.size + queues.submit.size + queues.read.size
  const never = new AbortController().signal
  let passedOver = 0
  let pumping = false

  const first = (priority: Priority): Waiter | undefined => {
    const [waiter] = queues[priority]
    if (waiter !== undefined) queues[priority].delete(waiter)
    return waiter
  }
  const next = (): Waiter | undefined => {
    if (passedOver >= PASSED_OVER_MAX && queues.read.size > 0) {
      passedOver = 0
      return first('read')
    }
    const urgent = first('cancel') ?? first('submit')
    passedOver = urgent !== undefined && queues.read.size > 0 ? passedOver + 1 : 0
    return urgent ?? first('read')
  }
  const denyAllButCancels = (reason: unknown): void => {
    for (const priority of ['submit', 'read'] as const) {
      for (let waiter = first(priority); waiter !== undefined; waiter = first(priority)) waiter.deny(reason)
    }
  }

  const pump = async (): Promise<void> => {
    while (waiting() > 0) {
      let retryAfterMs: number
      let choose = next
      try {
        retryAfterMs = await take()
      } catch (error) {
        denyAllButCancels(new RetryableError('the request quota cannot be read', { cause: error }))
        if (queues.cancel.size === 0) continue
        retryAfterMs = ownPace()
        choose = () => first('cancel')
      }
      if (retryAfterMs === 0) choose()?.grant()
      else await options.stopwatch.sleep(Math.min(Math.max(retryAfterMs, RETRY_MS_MIN), RETRY_MS_MAX), never)
    }
  }
  const start = (): void => {
    if (pumping) return
    pumping = true
    // The pump has no fault of its own left to report: what goes wrong was given to the waiters.
    void pump()
      .catch(denyAllButCancels)
      .finally(() => {
        pumping = false
        if (waiting() > 0) start()
      })
  }

  return {
    waiting,
    acquire: (priority, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(asError(signal.reason))
        if (priority !== 'cancel' && waiting() >= (options.queueMax ?? 1_000)) {
          return reject(new RetryableError(`${waiting()} requests already wait for the quota`))
        }
        const onAbort = (): void => {
          queues[priority].delete(waiter)
          reject(asError(signal.reason))
        }
        const waiter: Waiter = {
          grant: () => {
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
          deny: (reason) => {
            signal.removeEventListener('abort', onAbort)
            reject(asError(reason))
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        queues[priority].add(waiter)
        start()
      }),
  }
}

/** Milliseconds until another try; 0 when a slot was taken. The second first: a slot of the minute is not spent while the second is full. */
function sharedTake(options: GovernorOptions): () => Promise<number> {
  const { hotState, name, perSecond, perMinute, secondMs } = options
  return async () => {
    const second = await hotState.take(`kis:quota:${name}:second`, perSecond, secondMs)
    if (!second.allowed) return Math.max(second.retryAfterMs, RETRY_MS_MIN)
    if (perMinute === undefined) return 0
    const minute = await hotState.take(`kis:quota:${name}:minute`, perMinute, 60_000)
    return minute.allowed ? 0 : Math.max(minute.retryAfterMs, RETRY_MS_MIN)
  }
}

/** Q3: evenly spaced, one process's worth. */
function localTake(options: GovernorOptions): () => number {
  const spacingMs = options.secondMs / options.perSecond
  let nextMs = 0
  return () => {
    const nowMs = options.stopwatch.elapsedMs()
    if (nowMs < nextMs) return nextMs - nowMs
    nextMs = nowMs + spacingMs
    return 0
  }
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))
