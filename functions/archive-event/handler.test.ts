import { afterEach, describe, expect, test } from 'vitest'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import type { Event, Topic } from '#shared/events/contract.ts'
import { LiquidationOrdered } from '#shared/events/risk.ts'
import { TimerFired } from '#shared/events/timers.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { ArchivedEvent, EventArchive } from '#shared/ports/event-archive.ts'
import { consume } from '#shared/runtime/consume.ts'
import { type FunctionHost, hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { NOON } from '../../test/build.ts'
import { archiveEvent } from './function.ts'
import { type ArchiveEventDeps, archiveEventHandler } from './handler.ts'

const root = (id: string) => ({ id, source: '/jts/test', now: NOON })
const liquidation = (id: string, accountId = 'a1'): Event =>
  finishRoot(
    LiquidationOrdered,
    { accountId, orderedBy: 'test', reason: 'test', orderedTime: '2025-09-02T03:00:00.000Z' },
    root(id),
  )
const timer = (id: string): Event =>
  finishRoot(TimerFired, { timer: 'risk', dueTime: '2025-09-02T03:00:00.000Z' }, root(id))

/** An archive with the buffer of the real one: what is appended is stored by the next flush. `faults` fail flushes. */
function bufferedArchive() {
  const waiting: ArchivedEvent[] = []
  const stored: ArchivedEvent[] = []
  const faults: Error[] = []
  const archive: Pick<EventArchive, 'append' | 'flush'> = {
    append(events) {
      waiting.push(...events)
      return Promise.resolve()
    },
    flush() {
      const fault = faults.shift()
      if (fault !== undefined) return Promise.reject(fault)
      for (const each of waiting.splice(0)) {
        if (!stored.some(({ event }) => event.id === each.event.id)) stored.push(each)
      }
      return Promise.resolve()
    },
  }
  return { archive, stored, faults, ids: () => stored.map(({ event }) => event.id) }
}

const hosts: FunctionHost[] = []
afterEach(() => {
  for (const host of hosts.splice(0)) host.close()
})
function hostOf(deps: ArchiveEventDeps): FunctionHost {
  const host = hostFunction(archiveEvent, archiveEventHandler(deps), {
    clock: { now: () => NOON },
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  hosts.push(host)
  return host
}

test('no contract is left out of the audit log', () => {
  expect(archiveEvent.consumes).toEqual(CONTRACTS)
  expect(archiveEvent.scale).toEqual({ min: 1, max: 1 })
})

describe('over HTTP, where one event is one answer', () => {
  test('an answer of done means that the event is stored, under the topic of its contract', async () => {
    const { archive, stored } = bufferedArchive()
    const host = hostOf({ archive, storedBefore: 'event' })
    expect(await host.handle(liquidation('e1'))).toEqual({ outcome: 'done', outputs: [] })
    expect(await host.handle(timer('e2'))).toEqual({ outcome: 'done', outputs: [] })
    expect(stored.map(({ topic, event }) => [topic, event.id])).toEqual([
      ['risk', 'e1'],
      ['timers', 'e2'],
    ])
  })

  test('an event that could not be stored is delivered again, and is stored once', async () => {
    const { archive, faults, ids } = bufferedArchive()
    const host = hostOf({ archive, storedBefore: 'event' })
    faults.push(new RetryableError('events: 1 row waits, writing failed'))
    expect(await host.handle(liquidation('e1'))).toMatchObject({ outcome: 'retry' })
    expect(await host.handle(liquidation('e1'))).toMatchObject({ outcome: 'done' })
    expect(await host.handle(liquidation('e1'))).toMatchObject({ outcome: 'done' })
    expect(ids()).toEqual(['e1'])
  })
})

describe('from the bus, where a batch is stored at once', () => {
  const TOPICS_OF_TEST: readonly Topic[] = ['risk', 'timers']

  test('nothing is resolved before it is stored, and every key keeps its order', async () => {
    const { archive, faults, stored } = bufferedArchive()
    const bus = memoryBus()
    faults.push(new RetryableError('away'), new RetryableError('still away'))
    const events = Array.from({ length: 60 }, (_, index) => liquidation(`e${index}`, `a${index % 3}`))
    await bus.publish([...events, timer('t1')])
    const consumption = await consume({
      bus,
      host: hostOf({ archive, storedBefore: 'batch' }),
      stopwatch: systemStopwatch,
      log: silentLog,
      retry: { attemptsMax: 3, baseMs: 1, maxMs: 1 },
      beforeResolve: () => archive.flush(),
    })
    await expect.poll(() => bus.lag('archive-event')).toBe(0)
    await consumption.close()
    expect(stored).toHaveLength(61)
    expect(new Set(stored.map(({ topic }) => topic))).toEqual(new Set(TOPICS_OF_TEST))
    for (const account of ['a0', 'a1', 'a2']) {
      const ofAccount = stored.map(({ event }) => event).filter((event) => event.partitionkey === account)
      expect(ofAccount.map(({ id }) => id)).toEqual(
        events.filter((event) => event.partitionkey === account).map(({ id }) => id),
      )
    }
    await bus.close()
  })
})
