import { describe, expect, test } from 'vitest'
import { type OpenBench, deniedEvent, eventIds, receiptOf, waiting } from './order-store.bench.ts'

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
  })
}
