// The memory bus forgets what is in flight when the process dies; the outbox does not.
//
// O1. At start everything unsettled is published again, oldest first. Consumers know what they handled by its id.
// O2. An event is settled once every consumer group has resolved it.
// O3. What the archive was given is stored before anything is settled.
import type { Topic } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { EventArchive } from '#shared/ports/event-archive.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { Outbox } from '#shared/ports/outbox.ts'
import type { Log } from '#shared/runtime/log.ts'

const GROUP = 'outbox-relay'
/** Topics whose events state changes produce; what is on the others never stands in the outbox. */
const STORED_TOPICS: readonly Topic[] = ['orders', 'risk', 'notifications']
const PAGE = 500
const SETTLE_EVERY_MS = 500

export interface OutboxRelay {
  /** O1. Resolves to the number of events. */
  republish(): Promise<number>
  /** Writes what is settled and not yet noted. */
  flush(): Promise<void>
  /** Flushes now and then until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

export interface OutboxRelayDeps {
  readonly outbox: Outbox
  readonly archive: Pick<EventArchive, 'flush'>
  readonly bus: EventBus & { onSettled(listener: (eventIds: readonly string[]) => void): void }
  readonly stopwatch: Stopwatch
  readonly log: Log
}

export async function outboxRelay(deps: OutboxRelayDeps): Promise<OutboxRelay> {
  const { outbox, archive, bus, stopwatch, log } = deps
  /** In flight on stored topics. A consumer group of our own sees each before it can be settled. */
  const inFlight = new Set<string>()
  await bus.subscribe({ group: GROUP, topics: STORED_TOPICS, isBackground: true }, async (batch) => {
    for (const { event, offset } of batch.records) {
      inFlight.add(event.id)
      batch.resolve(offset)
    }
  })
  let settled: string[] = []
  bus.onSettled((eventIds) => {
    for (const id of eventIds) if (inFlight.delete(id)) settled.push(id)
  })

  const flush = async (): Promise<void> => {
    if (settled.length === 0) return
    const ids = settled
    settled = []
    try {
      await archive.flush()
      await outbox.settle(ids)
    } catch (error) {
      settled = [...ids, ...settled]
      throw error
    }
  }

  return {
    flush,
    async republish() {
      let after = 0n
      for (let count = 0; ;) {
        const page = await outbox.unsettled(PAGE, after)
        const newest = page.at(-1)
        if (newest === undefined) return count
        await bus.publish(page.map(({ event }) => event))
        after = newest.sequence
        count += page.length
      }
    },
    async run(signal) {
      let failures = 0
      while (!signal.aborted) {
        await stopwatch.sleep(SETTLE_EVERY_MS, signal).catch(() => undefined)
        // What is not noted now is noted later, or published once more after a restart: never lost.
        try {
          await flush()
          failures = 0
        } catch (error) {
          failures += 1
          if (failures === 1) log.warn({ error }, 'outbox not settled yet')
        }
      }
    },
  }
}
