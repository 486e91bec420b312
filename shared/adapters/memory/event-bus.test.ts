import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { BusBatch } from '#shared/ports/event-bus.ts'
import { eventBusContract } from '#shared/ports/event-bus.contract.ts'
import { memoryBus } from './event-bus.ts'
import { manualStopwatch } from './manual-stopwatch.ts'
import { murmur2, partitionOf } from './murmur2.ts'

eventBusContract('memoryBus', async () => {
  const bus = memoryBus()
  return { bus, deadLetters: async (topic) => bus.deadLetters(topic) }
})

const event = (id: string, partitionkey = 'k'): Event => ({
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
  data: { instrumentId: '005930.KRX', levels: [{ price: '71000.5' }] },
})

const resolveAll = async (batch: BusBatch): Promise<void> => {
  for (const { offset } of batch.records) batch.resolve(offset)
}

test('a key lands on the partition that Kafka would choose', () => {
  const kafka: unknown = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2')
  if (typeof kafka !== 'function') throw new TypeError('kafkajs has moved its hash')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (key) => {
      expect(murmur2(Buffer.from(key))).toBe(kafka(Buffer.from(key)))
    }),
    { numRuns: 2000 },
  )
  // Utils.murmur2 of Apache Kafka, from its own test.
  expect(murmur2(Buffer.from('21'))).toBe(-973932308)
  expect(murmur2(Buffer.from('foobar'))).toBe(-790332482)
  expect(partitionOf('foobar', 8)).toBe((-790332482 & 0x7fffffff) % 8)
})

test('an event is frozen all the way down', async () => {
  const bus = memoryBus()
  const published = event('a')
  await bus.publish([published])
  expect(() => Reflect.set(published, 'id', 'b')).not.toThrow()
  expect(published).toEqual(event('a'))
  for (const part of [published, published.data]) expect(Object.isFrozen(part)).toBe(true)
  expect(JSON.stringify(published.data)).toBe(JSON.stringify(event('a').data))
  const { levels } = published.data as { levels: { price: string }[] }
  expect(Object.isFrozen(levels) && levels.every(Object.isFrozen)).toBe(true)
})

test('a rejected batch waits for its back-off, which doubles until something is resolved', async () => {
  const stopwatch = manualStopwatch()
  const bus = memoryBus({ stopwatch })
  const at: number[] = []
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, async (batch) => {
    at.push(stopwatch.elapsedMs())
    const [first] = batch.records
    if (at.length === 4 && first !== undefined) batch.resolve(first.offset)
    if (at.length < 6) throw new RetryableError('not yet')
    await resolveAll(batch)
  })
  await bus.publish([event('a'), event('b')])
  for (let ms = 0; ms < 1200; ms += 50) {
    await new Promise((resolve) => setImmediate(resolve))
    stopwatch.elapse(50)
  }
  await bus.idle()
  expect(at).toEqual([0, 100, 300, 700, 800, 1000])
})

test('every rejection is reported', async () => {
  const rejected: unknown[] = []
  const bus = memoryBus({ onRejected: (error, at) => rejected.push([error, at.group, at.topic]) })
  const fault = new Error('defect')
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, async (batch) => {
    if (rejected.length < 2) throw fault
    await resolveAll(batch)
  })
  await bus.publish([event('a')])
  await bus.idle()
  expect(rejected).toEqual([
    [fault, 'g', 'market.ticks'],
    [fault, 'g', 'market.ticks'],
  ])
})

test('an event settles when its last group has resolved it, once; without groups at once', async () => {
  const bus = memoryBus()
  const settled: string[] = []
  bus.onSettled((ids) => settled.push(...ids))
  await bus.publish([event('nobody')])
  expect(settled).toEqual(['nobody'])

  const slow = Promise.withResolvers<void>()
  await bus.subscribe({ group: 'fast', topics: ['market.ticks'] }, resolveAll)
  await bus.subscribe({ group: 'slow', topics: ['market.ticks'] }, async (batch) => {
    await slow.promise
    await resolveAll(batch)
  })
  await bus.publish([event('a'), event('b')])
  await new Promise((resolve) => setImmediate(resolve))
  expect(settled).toEqual(['nobody'])
  slow.resolve()
  await bus.idle()
  expect(settled).toEqual(['nobody', 'a', 'b'])
  expect(bus.publishedCount()).toBe(3)
})

test('it is not idle while a handler runs that may publish more', async () => {
  const bus = memoryBus()
  expect(bus.isIdle()).toBe(true)
  let hops = 0
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, async (batch) => {
    await new Promise((resolve) => setImmediate(resolve))
    hops += 1
    if (hops < 50) await bus.publish([event(`hop-${hops}`, `key-${hops}`)])
    await resolveAll(batch)
  })
  await bus.publish([event('start')])
  expect(bus.isIdle()).toBe(false)
  await bus.idle()
  expect(hops).toBe(50)
})

test('a chain of events without end leaves timers and sockets their turn', async () => {
  const bus = memoryBus()
  let hops = 0
  let isStopped = false
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, async (batch) => {
    hops += 1
    if (!isStopped) await bus.publish([event(`hop-${hops}`)])
    await resolveAll(batch)
  })
  await bus.publish([event('start')])
  await new Promise((resolve) => setTimeout(resolve, 1))
  isStopped = true
  await bus.idle()
  expect(hops).toBeGreaterThan(1)
})

test('what all groups have resolved is let go of, but for the newest', async () => {
  const bus = memoryBus({ retention: 10 })
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, resolveAll)
  for (let index = 0; index < 20_000; index += 1) {
    await bus.publish([event(`e${index}`, `key-${index % 10}`)])
  }
  await bus.idle()
  const late: string[] = []
  await bus.subscribe({ group: 'late', topics: ['market.ticks'] }, async (batch) => {
    late.push(...batch.records.map((record) => record.event.id))
    await resolveAll(batch)
  })
  await bus.idle()
  expect(late.length).toBeGreaterThanOrEqual(10)
  expect(late.length).toBeLessThan(8 * (10 + 256 + 1))
})

test('runs of the same replay are the same, event for event', async () => {
  const run = async (): Promise<readonly string[]> => {
    const bus = memoryBus()
    const order: string[] = []
    for (const group of ['one', 'two']) {
      await bus.subscribe({ group, topics: ['market.ticks'], batchSizeMax: 3 }, async (batch) => {
        for (const { event: got, offset } of batch.records) {
          order.push(`${group} ${got.id}`)
          if (got.id.length < 12) await bus.publish([event(`${got.id}${group[0]}`, got.id)])
          batch.resolve(offset)
          await batch.heartbeat()
        }
      })
    }
    await bus.publish(Array.from({ length: 30 }, (_, index) => event(`start-${index}`, `key-${index}`)))
    await bus.idle()
    return order
  }
  const first = await run()
  expect(first.length).toBeGreaterThan(1000)
  expect(await run()).toEqual(first)
})

test('a group gets to its first wait for the world before a group that subscribed after it starts', async () => {
  const bus = memoryBus()
  const order: string[] = []
  await bus.subscribe({ group: 'mover', topics: ['market.ticks'] }, async (batch) => {
    for (let step = 0; step < 20; step += 1) await Promise.resolve()
    order.push('statement sent')
    await new Promise((resolve) => setImmediate(resolve))
    await resolveAll(batch)
  })
  await bus.subscribe({ group: 'archive', topics: ['market.ticks'] }, async (batch) => {
    order.push('archived')
    await resolveAll(batch)
  })
  await bus.publish([event('a')])
  await bus.idle()
  expect(order).toEqual(['statement sent', 'archived'])
})
