// The life of a process: parts start in order, and end in reverse.
//
// L1. A part that fails to start ends those that started before it.
// L2. On the first signal the process drains: `onDrain` (readiness turns false), the grace for those who have not
//     noticed yet, then every part is closed.
// L3. A second signal, or a close that takes longer than its limit, ends the process at once. What was not finished is
//     delivered again.
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { Log } from './log.ts'

export interface Part {
  readonly name: string
  /** Returns what ends it; nothing to end is legal. */
  start(): Promise<(() => Promise<void>) | void>
}

export interface Closable {
  close(): Promise<void>
}

export interface LifecycleOptions {
  readonly log: Log
  readonly stopwatch: Stopwatch
  /** Between the signal and the first close: load balancers still send traffic. Default 2,000. */
  readonly graceMs?: number
  /** For all closes together. Default 20,000. */
  readonly closeMsMax?: number
  readonly onDrain?: () => void
  /** Default: the process's own signals and exit. */
  readonly process?: Pick<NodeJS.Process, 'on' | 'off' | 'exit'>
}

export interface Lifecycle {
  /** Resolves after everything has ended. */
  readonly ended: Promise<void>
  /** As if a signal had come. */
  stop(reason: string): Promise<void>
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
const GRACE_MS = 2_000
const CLOSE_MS_MAX = 20_000
/** As shells say it: ended by a second signal, or by the limit. */
const FORCED_EXIT_CODE = 130

/** Starts the parts and answers signals until everything has ended. */
export async function runLifecycle(parts: readonly Part[], options: LifecycleOptions): Promise<Lifecycle> {
  const { log } = options
  const target = options.process ?? process
  const closes = await startAll(parts, log)
  const ended = Promise.withResolvers<void>()
  let stopping = false

  const stop = async (reason: string): Promise<void> => {
    if (stopping) return ended.promise
    stopping = true
    log.info({ reason }, 'draining')
    try {
      await drain(closes, options, target)
    } finally {
      for (const signal of SIGNALS) target.off(signal, onSignal)
      ended.resolve()
    }
    log.info({}, 'ended')
  }
  const onSignal = (signal: string): void => {
    if (stopping) {
      log.warn({ signal }, 'second signal: ending at once')
      target.exit(FORCED_EXIT_CODE)
      return
    }
    void stop(signal)
  }
  for (const signal of SIGNALS) target.on(signal, onSignal)
  return { ended: ended.promise, stop }
}

type Close = readonly [name: string, close: () => Promise<void>]

async function startAll(parts: readonly Part[], log: Log): Promise<readonly Close[]> {
  const closes: Close[] = []
  for (const part of parts) {
    try {
      const close = await part.start()
      if (close !== undefined) closes.unshift([part.name, close])
    } catch (error) {
      log.error({ part: part.name, error }, 'part failed to start')
      await closeAll(closes, log)
      throw error
    }
  }
  return closes
}

async function drain(
  closes: readonly Close[],
  options: LifecycleOptions,
  target: Pick<NodeJS.Process, 'exit'>,
): Promise<void> {
  const { log, stopwatch, graceMs = GRACE_MS, closeMsMax = CLOSE_MS_MAX } = options
  options.onDrain?.()
  const never = new AbortController().signal
  if (graceMs > 0) await stopwatch.sleep(graceMs, never)
  const closed = new AbortController()
  const tooLate = stopwatch.sleep(closeMsMax, closed.signal).then(
    () => {
      log.error({ closeMsMax }, 'parts did not end in time: ending at once')
      return target.exit(FORCED_EXIT_CODE)
    },
    () => undefined,
  )
  await Promise.race([closeAll(closes, log), tooLate])
  closed.abort()
}

/** One part that fails to end does not keep the others from ending. */
async function closeAll(closes: readonly Close[], log: Log): Promise<void> {
  for (const [name, close] of closes) {
    try {
      await close()
    } catch (error) {
      log.error({ part: name, error }, 'part failed to end')
    }
  }
}
