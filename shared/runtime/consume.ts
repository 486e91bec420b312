// Feeds a function from the bus. What happens to each batch stands in batch-run.ts.
import type { Event } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { BusBatch, EventBus } from '#shared/ports/event-bus.ts'
import { BatchRun, type RetryPolicy } from './batch-run.ts'
import type { FunctionHost } from './host.ts'
import { type Log, traceFields } from './log.ts'
import { type Receiver, hostReceiver } from './receiver.ts'

export interface ConsumeMetrics {
  /** An event is delivered again. */
  retried(consumer: string): void
  /** An event went to the dead-letter topic. */
  setAside(consumer: string): void
  /** A partition stands still (+1), or goes on (−1). */
  standing(consumer: string, change: 1 | -1): void
}

export interface FeedOptions {
  readonly bus: EventBus
  readonly stopwatch: Stopwatch
  readonly log: Log
  /** Consumer group. Default: the receiver's name. */
  readonly group?: string
  /** Default: 10 attempts, 100 ms to 10 s apart. */
  readonly retry?: RetryPolicy
  /** As the bus has it. Default false. */
  readonly isBackground?: boolean
  /** Spreads the pauses; 0 ≤ x < 1. Default: no spread. */
  readonly random?: () => number
  /** Default: nobody counts. */
  readonly metrics?: ConsumeMetrics
  /** For handlers that buffer: makes durable what the handled records wrote. Called before they are resolved. */
  readonly beforeResolve?: () => Promise<void>
  /** Told of a defect; the record stays unresolved. Default: log and reject `ended`, which ends the process. */
  readonly onDefect?: (error: unknown, event: Event) => void
}

export interface ConsumeOptions extends FeedOptions {
  readonly host: FunctionHost
}

export interface Consumption {
  /** Resolves after `close`; rejects on a defect. Left alone, the rejection ends the process. */
  readonly ended: Promise<void>
  /** Lets the running records end, then stops. */
  close(): Promise<void>
}

const HEARTBEAT_MS = 2_000

/** Feeds a function of this process. */
export const consume = ({ host, ...options }: ConsumeOptions): Promise<Consumption> =>
  feed(hostReceiver(host), options)

export async function feed(receiver: Receiver, options: FeedOptions): Promise<Consumption> {
  const { bus, log } = options
  const { name, topics } = receiver
  const group = options.group ?? name
  const ended = Promise.withResolvers<void>()
  const closing = new AbortController()
  const heartbeats = heartbeatsOf(options.stopwatch, closing.signal)

  const onDefect = (error: unknown, event: Event): void => {
    if (options.onDefect !== undefined) return options.onDefect(error, event)
    log.fatal({ function: name, ...traceFields(event), error }, 'defect: the process must end')
    closing.abort()
    ended.reject(error)
  }

  const { isBackground = false } = options
  const subscription = await bus.subscribe({ group, topics, isBackground }, async (batch) => {
    const run = new BatchRun({ ...options, receiver, group, onDefect }, batch, closing.signal)
    heartbeats.begin(batch)
    try {
      await run.run()
    } finally {
      heartbeats.end(batch)
    }
  })

  return {
    ended: ended.promise,
    async close() {
      closing.abort()
      await subscription.close()
      ended.resolve()
    },
  }
}

/**
 * Tells the bus that we live for as long as batches run. One timer serves all of them: most batches end long before it,
 * and a timer and its signal for each would cost more than the rest of a small batch.
 */
function heartbeatsOf(stopwatch: Stopwatch, signal: AbortSignal) {
  const running = new Set<BusBatch>()
  let isBeating = false
  const beat = async (): Promise<void> => {
    isBeating = true
    try {
      while (running.size > 0) {
        await stopwatch.sleep(HEARTBEAT_MS, signal)
        // A partition that was taken away shows in its batch's signal.
        await Promise.all([...running].map((batch) => batch.heartbeat().catch(() => undefined)))
      }
    } catch {
      // Closing: what runs is about to end.
    }
    isBeating = false
  }
  return {
    begin(batch: BusBatch): void {
      running.add(batch)
      if (!isBeating) void beat()
    },
    end: (batch: BusBatch): boolean => running.delete(batch),
  }
}
