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

export const quotaGovernor = (options: GovernorOptions): Governor => new QuotaGovernor(options)

class QuotaGovernor implements Governor {
  readonly #take: () => Promise<number>
  readonly #takeLocally: () => number
  readonly #stopwatch: Stopwatch
  readonly #queueMax: number
  readonly #queues: Record<Priority, Set<Waiter>> = { cancel: new Set(), submit: new Set(), read: new Set() }
  #passedOver = 0
  #pumping = false

  constructor(options: GovernorOptions) {
    this.#take = sharedTake(options)
    this.#takeLocally = localTake(options)
    this.#stopwatch = options.stopwatch
    this.#queueMax = options.queueMax ?? 1_000
  }

  waiting(): number {
    return this.#queues.cancel.size + this.#queues.submit.size + this.#queues.read.size
  }

  acquire(priority: Priority, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason))
      if (priority !== 'cancel' && this.waiting() >= this.#queueMax) {
        return reject(new RetryableError(`${this.waiting()} requests already wait for the quota`))
      }
      const queue = this.#queues[priority]
      const onAbort = (): void => {
        queue.delete(waiter)
        reject(asError(signal.reason))
      }
      const settle = (done: () => void): void => {
        signal.removeEventListener('abort', onAbort)
        done()
      }
      const waiter: Waiter = {
        grant: () => settle(resolve),
        deny: (reason) => settle(() => reject(asError(reason))),
      }
      signal.addEventListener('abort', onAbort, { once: true })
      queue.add(waiter)
      void this.#pump()
    })
  }

  /** Never rejects: what goes wrong is given to those who wait. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    const forever = new AbortController().signal
    while (this.waiting() > 0) {
      const retryAfterMs = await this.#step()
      if (retryAfterMs === 0) continue
      await this.#stopwatch.sleep(Math.min(Math.max(retryAfterMs, RETRY_MS_MIN), RETRY_MS_MAX), forever)
    }
    this.#pumping = false
  }

  /** Gives one slot away (Q1). Returns how long to wait first, or 0. */
  async #step(): Promise<number> {
    try {
      const retryAfterMs = await this.#take()
      if (retryAfterMs === 0) this.#next()?.grant()
      return retryAfterMs
    } catch (error) {
      this.#denyAllButCancels(new RetryableError('the request quota cannot be read', { cause: error })) // Q3
      const retryAfterMs = this.#queues.cancel.size === 0 ? 0 : this.#takeLocally()
      if (retryAfterMs === 0) this.#first('cancel')?.grant()
      return retryAfterMs
    }
  }

  #next(): Waiter | undefined {
    const readsWait = this.#queues.read.size > 0
    if (this.#passedOver >= PASSED_OVER_MAX && readsWait) {
      this.#passedOver = 0
      return this.#first('read')
    }
    const urgent = this.#first('cancel') ?? this.#first('submit')
    this.#passedOver = urgent !== undefined && readsWait ? this.#passedOver + 1 : 0
    return urgent ?? this.#first('read')
  }

  #first(priority: Priority): Waiter | undefined {
    const [waiter] = this.#queues[priority]
    if (waiter !== undefined) this.#queues[priority].delete(waiter)
    return waiter
  }

  #denyAllButCancels(reason: unknown): void {
    for (const priority of ['submit', 'read'] as const) {
      for (let waiter = this.#first(priority); waiter !== undefined; waiter = this.#first(priority)) {
        waiter.deny(reason)
      }
    }
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
