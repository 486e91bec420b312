import { describe, expect, test } from 'vitest'
import { parseInstant } from '#shared/domain/time.ts'
import { money } from '#shared/domain/values.ts'
import {
  LONG_AGO,
  type OpenBench,
  type OrderStoreBench,
  accepted,
  acceptedEvent,
  changeOf,
  deniedEvent,
  eventIds,
  fault,
  openAccount,
  receiptOf,
  storedOrder,
  waiting,
} from './order-store.bench.ts'
import { AlreadyHandledError } from './receipt.ts'

/** After everything that a test stores. */
const FAR_OFF = parseInstant('2200-01-01T00:00:00Z')

const handled = async (
  { orders }: OrderStoreBench,
  eventId: string,
  consumer = 'risk-check',
): Promise<boolean> =>
  (await fault(orders.refuseHandled({ consumer, eventId }))) instanceof AlreadyHandledError

/** What every Outbox must do; `orders` of the same record fill it. */
export const outboxContract = (adapter: string, open: OpenBench): void => {
  describe(`${adapter} as Outbox`, () => {
    test('events wait in the order in which they were stored, whole', async () => {
      const { orders, outbox } = await open()
      const events = ['z', 'a', 'm'].map((id) => deniedEvent(id))
      await orders.acknowledge(receiptOf(events))
      const found = await outbox.unsettled(10, 0n)
      expect(found.map(({ event }) => event)).toEqual(events)
      const sequences = found.map(({ sequence }) => sequence)
      expect(sequences).toEqual(sequences.toSorted((left, right) => (left < right ? -1 : 1)))
    })

    test('pages meet without a gap or an overlap', async () => {
      const bench = await open()
      const ids = Array.from({ length: 7 }, (_, index) => `event-${index}`)
      for (const id of ids) await bench.orders.acknowledge(receiptOf([deniedEvent(id)]))
      const seen: string[] = []
      let after = 0n
      for (;;) {
        const page = await bench.outbox.unsettled(3, after)
        expect(page.length).toBeLessThanOrEqual(3)
        if (page.length === 0) break
        seen.push(...eventIds(page.map(({ event }) => event)))
        after = page.at(-1)?.sequence ?? after
      }
      expect(seen).toEqual(ids)
    })

    test('a settled event does not come again, the others do', async () => {
      const bench = await open()
      await bench.orders.acknowledge(receiptOf(['a', 'b', 'c', 'd'].map((id) => deniedEvent(id))))
      await bench.outbox.settle(['b', 'd', 'no-such-event'])
      expect(await waiting(bench)).toEqual(['a', 'c'])
      await bench.outbox.settle(['b'])
      await bench.outbox.settle([])
      expect(await waiting(bench)).toEqual(['a', 'c'])
    })

    test('a settled event stays in the history of its order', async () => {
      const { orders, outbox } = await open()
      await orders.acknowledge(receiptOf([deniedEvent('a')]))
      await outbox.settle(['a'])
      expect(eventIds(await orders.history('order-1'))).toEqual(['a'])
    })

    test('an event that is stored again by a repeated step does not wait again', async () => {
      const bench = await open()
      await bench.orders.acknowledge(receiptOf([deniedEvent('a')]))
      await bench.outbox.settle(['a'])
      await bench.orders.acknowledge(receiptOf([deniedEvent('a')]))
      expect(await waiting(bench)).toEqual([])
    })

    test('events of many writers at once are all there, once', async () => {
      const bench = await open()
      const ids = Array.from({ length: 30 }, (_, index) => `event-${index}`)
      await Promise.all(ids.map((id) => bench.orders.acknowledge(receiptOf([deniedEvent(id)]))))
      expect((await waiting(bench)).toSorted()).toEqual(ids.toSorted())
    })

    test('what was settled long ago is forgotten with its receipts, and nothing that is newer', async () => {
      const bench = await open()
      const { orders, outbox } = bench
      await orders.acknowledge(receiptOf([deniedEvent('a'), deniedEvent('b')], 'event-x'))
      await outbox.settle(['a', 'b'])
      expect(await outbox.prune(LONG_AGO)).toEqual({ events: 0, receipts: 0 })
      expect(eventIds(await orders.history('order-1'))).toEqual(['a', 'b'])
      expect(await handled(bench, 'event-x')).toBe(true)

      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 2, receipts: 1 })
      expect(await orders.history('order-1')).toEqual([])
      expect(await handled(bench, 'event-x')).toBe(false)
      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 0, receipts: 0 })
    })

    test('what waits is never forgotten, and whoever handled it stays known: it will be published again', async () => {
      const bench = await open()
      const { orders, outbox } = bench
      await orders.acknowledge(receiptOf([deniedEvent('waits')], 'event-x'))
      await orders.acknowledge(receiptOf([deniedEvent('done')], 'waits', 'notify'))
      await outbox.settle(['done'])
      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 1, receipts: 0 })
      expect(await waiting(bench)).toEqual(['waits'])
      expect(await handled(bench, 'event-x')).toBe(true)
      expect(await handled(bench, 'waits', 'notify')).toBe(true)
      await outbox.settle(['waits'])
      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 1, receipts: 2 })
    })

    test('an open order keeps its history and its receipts until it has closed', async () => {
      const bench = await open()
      const { orders, outbox } = bench
      await openAccount(bench)
      const order = await accepted(bench, 'buy 10 @ 70000')
      await outbox.prune(FAR_OFF) // receipts of steps that emitted nothing
      await orders.acknowledge(receiptOf([acceptedEvent('about-1')], 'event-x'))
      await orders.acknowledge(receiptOf([deniedEvent('about-2', 'order-2')], 'event-y'))
      await orders.acknowledge(receiptOf([], 'about-1', 'notify'))
      await outbox.settle(['about-1', 'about-2'])
      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 1, receipts: 1 })
      expect(eventIds(await orders.history('order-1'))).toEqual(['about-1'])
      expect(await handled(bench, 'event-x')).toBe(true)
      expect(await handled(bench, 'about-1', 'notify')).toBe(true)

      await orders.change(changeOf(order, { status: 'canceled', reservedCash: money('0') }), receiptOf([]))
      expect(await outbox.prune(FAR_OFF)).toEqual({ events: 1, receipts: 3 })
      expect(await orders.history('order-1')).toEqual([])
      expect((await storedOrder(bench)).status).toBe('canceled')
    })
  })
}
