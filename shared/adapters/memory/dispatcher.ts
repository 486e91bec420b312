// Brings records to the members of all groups.
//
// D1. A cursor whose member has something to read is queued, running or delayed, never forgotten: so idleness can be
//     read off three counters.
import type { Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { type Cursor, type Member, type OpenBatch, openBatch } from './consumer-group.ts'
import type { PartitionLog } from './partition-log.ts'
import { turns } from './turns.ts'

export interface DispatchOptions {
  /** For back-off. Without it a rejected batch comes again on the next turn of the event loop. */
  readonly stopwatch?: Stopwatch
  /** Wait before delivery number `failures + 1`, milliseconds. Default 100, doubling up to 5000. */
  readonly backoffMs?: (failures: number) => number
  /** A batch was rejected. It will be delivered again. Must not throw. */
  readonly onRejected?: (error: unknown, at: { group: string; topic: Topic; partition: number }) => void
}

const defaultBackoffMs = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 5000)

export function dispatcher(options: DispatchOptions, settle: (log: PartitionLog<Cursor>) => void) {
  const loop = turns()
  const ending = new AbortController()
  const idleWaiters: (() => void)[] = []
  let running = 0
  let delayed = 0

  const isIdle = (): boolean => running === 0 && delayed === 0 && loop.waiting() === 0
  const noteIdle = (): void => {
    if (idleWaiters.length > 0 && isIdle()) for (const resolve of idleWaiters.splice(0)) resolve()
  }

  const wake = (cursor: Cursor): void => {
    if (cursor.state !== 'idle' || cursor.member === undefined || cursor.member.isClosing) return
    if (cursor.committed >= cursor.log.end()) return
    cursor.state = 'queued'
    loop.enqueue(() => start(cursor))
  }

  const start = (cursor: Cursor): number => {
    const { member } = cursor
    cursor.state = 'idle'
    if (member === undefined || member.isClosing) {
      queueMicrotask(noteIdle)
      return 0
    }
    const records = cursor.log.read(cursor.committed, member.batchSizeMax)
    cursor.state = 'running'
    running += 1
    const batch = openBatch(cursor, records, resolved, loop.breathe)
    cursor.batch = batch
    member.running.set(cursor, run(cursor, member, batch))
    return records.length
  }

  const resolved = (cursor: Cursor): void => settle(cursor.log)

  const run = async (cursor: Cursor, member: Member, batch: OpenBatch): Promise<void> => {
    const from = cursor.committed
    let isRejected = false
    try {
      await member.onBatch(batch)
    } catch (error) {
      isRejected = true
      const { topic, partition } = cursor.log
      options.onRejected?.(error, { group: cursor.group, topic, partition })
    }
    member.running.delete(cursor)
    cursor.batch = undefined
    cursor.state = 'idle'
    running -= 1
    if (cursor.committed > from) cursor.failures = 0
    if (isRejected || cursor.committed === from) void backOff(cursor)
    else wake(cursor)
    noteIdle()
  }

  /** Holds only this partition back; a member that closes does not wait for it. */
  const backOff = async (cursor: Cursor): Promise<void> => {
    cursor.failures += 1
    cursor.state = 'delayed'
    delayed += 1
    try {
      const ms = (options.backoffMs ?? defaultBackoffMs)(cursor.failures)
      if (options.stopwatch === undefined) await new Promise((resolve) => setImmediate(resolve))
      else await options.stopwatch.sleep(ms, ending.signal)
    } catch {
      // The bus is closing.
    }
    delayed -= 1
    cursor.state = 'idle'
    wake(cursor)
    noteIdle()
  }

  return {
    wake,
    isIdle,
    idle: (): Promise<void> =>
      isIdle() ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve)),
    end: (): void => {
      ending.abort(new RetryableError('the bus is closing'))
      noteIdle()
    },
  }
}
