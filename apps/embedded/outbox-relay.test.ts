import { expect, test } from 'vitest'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Event } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import type { Outbox } from '#shared/ports/outbox.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT, NOON } from '../../test/build.ts'
import { outboxRelay } from './outbox-relay.ts'

const denied = (id: string): Event =>
  finishRoot(
    OrderDenied,
    { accountId: ACCOUNT, clientOrderId: id, code: 'TRADING_HALTED', detail: '' },
    { id, source: '/jts/test', now: NOON },
  )

/** An outbox in memory, and in which order it and the archive were written. */
function world(unsettled: readonly Event[]) {
  const rows = [...unsettled]
  const written: string[] = []
  const outbox: Pick<Outbox, 'unsettled' | 'settle'> = {
    unsettled: async (limit, after) =>
      rows
        .map((event, index) => ({ sequence: BigInt(index + 1), event }))
        .filter(({ sequence }) => sequence > after)
        .slice(0, limit),
    settle: async (ids) => void written.push(...ids),
  }
  const archive = { flush: async () => void written.push('archive') }
  const bus = memoryBus()
  const relay = outboxRelay({
    outbox: outbox as Outbox,
    archive,
    bus,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  return { bus, relay, written }
}

test('what was in flight when the process died is handed on again, oldest first, and settled once', async () => {
  const { bus, relay, written } = world([denied('one'), denied('two')])
  const seen: string[] = []
  await bus.subscribe({ group: 'reader', topics: ['orders'] }, async (batch) => {
    for (const { event, offset } of batch.records) {
      seen.push(event.id)
      batch.resolve(offset)
    }
  })
  expect(await (await relay).republish()).toBe(2)
  await bus.idle()
  await (await relay).flush()
  await (await relay).flush()
  expect(seen).toEqual(['one', 'two'])
  expect(written).toEqual(['archive', 'one', 'two'])
})

test('an event that one consumer has not handled yet is not settled', async () => {
  const { bus, relay, written } = world([])
  const held = Promise.withResolvers<void>()
  await relay
  await bus.subscribe({ group: 'slow', topics: ['orders'] }, async (batch) => {
    await held.promise
    for (const { offset } of batch.records) batch.resolve(offset)
  })
  await bus.publish([denied('one')])
  await (await relay).flush()
  expect(written).toEqual([])
  held.resolve()
  await bus.idle()
  await (await relay).flush()
  expect(written).toEqual(['archive', 'one'])
})
