// Load for tests that break things: events in order within their keys, published until they are stored, and a record of
// who handled what.
import { vi } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import type { BusBatch, EventBus } from '#shared/ports/event-bus.ts'
import { RetryableError } from '#shared/ports/errors.ts'

export const tick = (id: string, partitionkey: string): Event => ({
  specversion: '1.0',
  id,
  source: '/jts/test',
  type: 'jts.tick.traded.v1',
  subject: partitionkey,
  time: '2025-08-28T00:00:00.000Z',
  datacontenttype: 'application/json',
  partitionkey,
  correlationid: id,
  causationid: id,
  data: { price: '71000' },
})

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const until = (check: () => void | Promise<void>, timeoutMs = 60_000): Promise<void> =>
  vi.waitFor(check, { timeout: timeoutMs, interval: 50 })

/** Publishes series of some keys side by side until it is told to stop, each event again until the bus has it. */
export function load(bus: EventBus, keys: number, pauseMs: number) {
  const published: string[] = []
  const stopping = new AbortController()
  const insist = async (event: Event): Promise<void> => {
    for (;;) {
      try {
        await bus.publish([event])
        return
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error
        await pause(100)
      }
    }
  }
  const series = async (key: string): Promise<void> => {
    for (let index = 0; !stopping.signal.aborted; index += 1) {
      await insist(tick(`${key}/${index}`, key))
      published.push(`${key}/${index}`)
      await pause(pauseMs)
    }
  }
  const running = Promise.all(Array.from({ length: keys }, (_, key) => series(`key-${key}`)))
  return {
    published: published as readonly string[],
    async stop(): Promise<readonly string[]> {
      stopping.abort()
      await running
      return published
    },
  }
}

/** What all members together have handled, and whether two had a partition in hand at once. */
export function ledger() {
  const handled: string[] = []
  const inHand = new Map<number, string>()
  const clashes: string[] = []
  return {
    handled: handled as readonly string[],
    clashes: clashes as readonly string[],
    member: (name: string, recordMs = 0) => {
      return async (batch: BusBatch): Promise<void> => {
        const other = inHand.get(batch.partition)
        if (other !== undefined) clashes.push(`${batch.partition}: ${other} and ${name}`)
        inHand.set(batch.partition, name)
        try {
          for (const { event, offset } of batch.records) {
            if (batch.signal.aborted) return
            if (recordMs > 0) await pause(recordMs)
            handled.push(event.id)
            batch.resolve(offset)
          }
        } finally {
          inHand.delete(batch.partition)
        }
      }
    },
  }
}

/** Repeats are legal; what was never seen before must follow its predecessor. */
export function outOfOrder(handled: readonly string[]): readonly string[] {
  const next = new Map<string, number>()
  return handled.filter((id) => {
    const [key = '', index = ''] = id.split('/')
    const expected = next.get(key) ?? 0
    if (Number(index) < expected) return false
    next.set(key, Number(index) + 1)
    return Number(index) !== expected
  })
}

/** Published and never handled. */
export function lost(published: readonly string[], handled: readonly string[]): readonly string[] {
  const known = new Set(handled)
  return published.filter((id) => !known.has(id))
}
