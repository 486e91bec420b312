import { describe, expect, test, vi } from 'vitest'
import type { Event, Topic } from '#shared/events/contract.ts'
import { PoisonError, RetryableError } from './errors.ts'
import type { BusBatch, BusRecord, DeadLetter, EventBus } from './event-bus.ts'

export interface EventBusBench {
  /** Its topics are empty, no group is known to it, and `market.ticks` has at least four partitions. */
  readonly bus: EventBus
  /** What stands on `<topic>.dead-letter`, oldest first. */
  readonly deadLetters: (topic: Topic) => Promise<readonly DeadLetter[]>
}

type Open = () => Promise<EventBusBench>

/** What every EventBus must do. A rejected batch must come again within ten seconds. */
export const eventBusContract = (adapter: string, open: Open): void => {
  describe(`${adapter} as EventBus`, () => {
    deliveryRules(open)
    repeatRules(open)
    memberRules(open)
    endRules(open)
  })
}

const TOPIC = 'market.ticks'

const tick = (id: string, partitionkey: string): Event => ({
  specversion: '1.0',
  id,
  source: '/jts/test',
  type: 'jts.tick.traded.v1',
  subject: '삼성전자',
  time: '2025-08-28T00:00:00.000Z',
  datacontenttype: 'application/json',
  partitionkey,
  correlationid: id,
  causationid: id,
  data: {
    instrumentId: '005930.KRX',
    eventTime: '2025-08-28T00:00:00.000Z',
    receivedTime: '2025-08-28T00:00:00.010Z',
    price: '71000.5',
    quantity: '3',
    aggressor: 'buy',
    sessionVolume: '9007199254740993',
    bidPrice: '71000',
    askPrice: '71100',
  },
})

/** `count` events of one key: `key/0`, `key/1`… */
const series = (key: string, count: number): readonly Event[] =>
  Array.from({ length: count }, (_, index) => tick(`${key}/${index}`, key))

const keys = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `key-${index}`)

const idsOf = (records: readonly BusRecord[]): readonly string[] => records.map(({ event }) => event.id)

const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 15_000, interval: 2 })

const resolveAll = (batch: BusBatch): void => {
  const last = batch.records.at(-1)
  if (last !== undefined) batch.resolve(last.offset)
}

/** A consumer that resolves everything and notes the ids. */
const recorder = () => {
  const seen: string[] = []
  const onBatch = async (batch: BusBatch): Promise<void> => {
    for (const { event, offset } of batch.records) {
      seen.push(event.id)
      batch.resolve(offset)
      await batch.heartbeat()
    }
  }
  return { seen, onBatch }
}

/** A promise and the call that resolves it. */
const gate = () => Promise.withResolvers<void>()

const deliveryRules = (open: Open): void => {
  test('each group gets every event, those of one key in order, with many publishers at once', async () => {
    const { bus } = await open()
    const groups = [recorder(), recorder()]
    for (const [index, { onBatch }] of groups.entries()) {
      await bus.subscribe({ group: `g${index}`, topics: [TOPIC] }, onBatch)
    }
    await Promise.all(
      keys(20).map(async (key) => {
        const events = series(key, 24)
        await bus.publish(events.slice(0, 10))
        for (const event of events.slice(10)) await bus.publish([event])
      }),
    )
    for (const { seen } of groups) {
      await until(() => expect(new Set(seen).size).toBe(480))
      for (const key of keys(20)) {
        const ofKey = [...new Set(seen.filter((id) => id.startsWith(`${key}/`)))]
        expect(ofKey).toEqual(series(key, 24).map(({ id }) => id))
      }
    }
    await bus.close()
  })

  test('an event arrives as it was published, and nobody can change it for others', async () => {
    const { bus } = await open()
    const second: unknown[] = []
    const vandal = async (batch: BusBatch): Promise<void> => {
      for (const { event } of batch.records) Reflect.set(event.data ?? {}, 'price', '1')
      resolveAll(batch)
    }
    await bus.subscribe({ group: 'vandal', topics: [TOPIC] }, vandal)
    await bus.subscribe({ group: 'reader', topics: [TOPIC] }, async (batch) => {
      second.push(...batch.records.map(({ event }) => event))
      resolveAll(batch)
    })
    await bus.publish([tick('a', 'k')])
    await until(() => expect(second).toEqual([tick('a', 'k')]))
    await bus.close()
  })

  test('a group that is new starts at the beginning, or at the end when it asks for that', async () => {
    const { bus } = await open()
    await bus.publish(series('old', 3))
    const early = recorder()
    const late = recorder()
    await bus.subscribe({ group: 'early', topics: [TOPIC] }, early.onBatch)
    await bus.subscribe({ group: 'late', topics: [TOPIC], from: 'latest' }, late.onBatch)
    await bus.publish(series('new', 2))
    await until(() => expect(early.seen).toHaveLength(5))
    await until(() => expect(late.seen).toEqual(['new/0', 'new/1']))
    await bus.close()
  })

  test('batches hold one partition, rising offsets and no more records than asked for', async () => {
    const { bus } = await open()
    await bus.publish(keys(8).flatMap((key) => series(key, 20)))
    const batches: BusBatch[] = []
    await bus.subscribe({ group: 'g', topics: [TOPIC], batchSizeMax: 7 }, async (batch) => {
      batches.push(batch)
      resolveAll(batch)
    })
    await until(() => expect(batches.flatMap(({ records }) => records)).toHaveLength(160))
    for (const { records, partition } of batches) {
      expect(records.length).toBeGreaterThan(0)
      expect(records.length).toBeLessThanOrEqual(7)
      expect(new Set(records.map((record) => record.partition))).toEqual(new Set([partition]))
      const offsets = records.map(({ offset }) => offset)
      expect(offsets).toEqual(offsets.toSorted((left, right) => Number(left - right)))
    }
    await bus.close()
  })

  test('a slow partition does not hold up the others', async () => {
    const { bus } = await open()
    const slow = gate()
    const seen: string[] = []
    let blockedAt: number | undefined
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
      blockedAt ??= batch.partition
      if (batch.partition === blockedAt) await slow.promise
      seen.push(...idsOf(batch.records))
      resolveAll(batch)
    })
    await bus.publish(keys(40).flatMap((key) => series(key, 1)))
    await until(() => expect(seen.length).toBeGreaterThan(0))
    slow.resolve()
    await until(() => expect(new Set(seen).size).toBe(40))
    await bus.close()
  })

  test('an event of an unknown type is refused, and nothing of that call is published', async () => {
    const { bus } = await open()
    const { seen, onBatch } = recorder()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, onBatch)
    const stranger = { ...tick('stranger', 'k'), type: 'com.example.unheard.v1' }
    await expect(bus.publish([tick('before', 'k'), stranger])).rejects.toThrow(PoisonError)
    await bus.publish([tick('after', 'k')])
    await until(() => expect(seen).toEqual(['after']))
    await bus.close()
  })

  test('dead letters can be read with the reason, and do not come back as events', async () => {
    const { bus, deadLetters } = await open()
    const { seen, onBatch } = recorder()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, onBatch)
    const letter: DeadLetter = { event: tick('bad', 'k'), consumer: 'g', reason: '값이 없다', attempts: 3 }
    await bus.publishDeadLetter([letter])
    await bus.publish([tick('good', 'k')])
    await until(() => expect(seen).toEqual(['good']))
    await until(async () => expect(await deadLetters(TOPIC)).toEqual([letter]))
    expect(await deadLetters('orders')).toEqual([])
    await bus.close()
  })
}

const repeatRules = (open: Open): void => {
  test('a rejected batch comes again from its first unresolved record, and nothing overtakes it', async () => {
    const { bus } = await open()
    const deliveries: (readonly string[])[] = []
    await bus.publish(series('k', 5))
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
      deliveries.push(idsOf(batch.records))
      if (deliveries.length > 1) {
        resolveAll(batch)
        return
      }
      for (const record of batch.records.slice(0, 2)) batch.resolve(record.offset)
      throw new RetryableError('the world was not ready')
    })
    await until(() => expect(deliveries.slice(1).flat()).toHaveLength(3))
    expect(deliveries[0]?.slice(0, 2)).toEqual(['k/0', 'k/1'])
    expect(deliveries.slice(1).flat()).toEqual(['k/2', 'k/3', 'k/4'])
    await bus.close()
  })

  test('a batch that returns without resolving comes again', async () => {
    const { bus } = await open()
    let deliveries = 0
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
      deliveries += 1
      if (deliveries > 1) resolveAll(batch)
    })
    await bus.publish([tick('a', 'k')])
    await until(() => expect(deliveries).toBe(2))
    await until(async () => expect(await bus.lag('g')).toBe(0))
    await bus.close()
  })

  test('a group that fails does not disturb another', async () => {
    const { bus } = await open()
    const healthy = recorder()
    await bus.subscribe({ group: 'failing', topics: [TOPIC] }, async () => {
      throw new RetryableError('always')
    })
    await bus.subscribe({ group: 'healthy', topics: [TOPIC] }, healthy.onBatch)
    await bus.publish(series('k', 10))
    await until(() => expect(healthy.seen).toHaveLength(10))
    expect(await bus.lag('failing')).toBe(10)
    await until(async () => expect(await bus.lag('healthy')).toBe(0))
    await bus.close()
  })

  test('a partition that fails does not hold up the others', async () => {
    const { bus } = await open()
    const seen = new Set<string>()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
      if (idsOf(batch.records).some((id) => id.startsWith('key-0/'))) throw new RetryableError('not this one')
      for (const id of idsOf(batch.records)) seen.add(id)
      resolveAll(batch)
    })
    for (const key of keys(40)) await bus.publish(series(key, 1))
    await until(() => expect(seen.size).toBeGreaterThan(20))
    await bus.close()
  })
}

const memberRules = (open: Open): void => {
  test('two members share the partitions; no partition is in two hands at once', async () => {
    const { bus } = await open()
    const inHand = new Map<number, string>()
    const clashes: string[] = []
    const seen: string[] = []
    const handled = new Map<string, number>()
    const member = (name: string) => async (batch: BusBatch) => {
      const other = inHand.get(batch.partition)
      if (other !== undefined) clashes.push(`${batch.partition}: ${other} and ${name}`)
      inHand.set(batch.partition, name)
      for (const { event, offset } of batch.records) {
        seen.push(event.id)
        handled.set(name, (handled.get(name) ?? 0) + 1)
        batch.resolve(offset)
        await batch.heartbeat()
      }
      inHand.delete(batch.partition)
    }
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, member('first'))
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, member('second'))
    await until(async () => {
      await bus.publish(keys(40).flatMap((key) => series(key, 1)))
      expect(handled.size).toBe(2)
    })
    await until(async () => expect(await bus.lag('g')).toBe(0))
    expect(clashes).toEqual([])
    expect(new Set(seen).size).toBe(40)
    await bus.close()
  })

  test('a member that joins gets partitions of a busy one, who is told; nothing is lost', async () => {
    const { bus } = await open()
    const seen = new Set<string>()
    let told = 0
    let toldBySignal = 0
    const newcomerIs = { in: false }
    const busy = async (batch: BusBatch): Promise<void> => {
      while (!newcomerIs.in || batch.signal.aborted) {
        await batch.heartbeat().catch((error: unknown) => {
          told += 1
          if (batch.signal.aborted) toldBySignal += 1
          throw error
        })
        await new Promise((resolve) => setImmediate(resolve))
      }
      for (const id of idsOf(batch.records)) seen.add(id)
      resolveAll(batch)
    }
    await bus.publish(keys(40).flatMap((key) => series(key, 1)))
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, busy)
    await new Promise((resolve) => setImmediate(resolve)) // so that it is busy
    const newcomer = recorder()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, newcomer.onBatch)
    await until(() => expect(told).toBeGreaterThan(0))
    expect(toldBySignal).toBe(told)
    newcomerIs.in = true
    await until(() => expect(newcomer.seen.length).toBeGreaterThan(0))
    await until(() => expect(new Set([...seen, ...newcomer.seen]).size).toBe(40))
    await until(async () => expect(await bus.lag('g')).toBe(0))
    await bus.close()
  })

  test('when a member leaves, the others take over where it stopped', async () => {
    const { bus } = await open()
    const leaver = recorder()
    const stayer = recorder()
    const leaving = await bus.subscribe({ group: 'g', topics: [TOPIC] }, leaver.onBatch)
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, stayer.onBatch)
    await bus.publish(keys(40).flatMap((key) => series(key, 1)))
    await until(async () => expect(await bus.lag('g')).toBe(0))
    await leaving.close()
    const before = leaver.seen.length
    await bus.publish(keys(40).flatMap((key) => [tick(`${key}/again`, key)]))
    await until(() => expect(stayer.seen.filter((id) => id.endsWith('/again'))).toHaveLength(40))
    expect(leaver.seen).toHaveLength(before)
    await bus.close()
  })
}

const endRules = (open: Open): void => {
  test('lag counts what a group has not resolved', async () => {
    const { bus } = await open()
    const go = gate()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
      await go.promise
      resolveAll(batch)
    })
    await bus.publish(keys(10).flatMap((key) => series(key, 3)))
    expect(await bus.lag('g')).toBe(30)
    go.resolve()
    await until(async () => expect(await bus.lag('g')).toBe(0))
    await bus.close()
  })

  test('closing waits for the running batch, tells it, and keeps what it resolved', async () => {
    const { bus } = await open()
    const running = gate()
    let first: readonly string[] = []
    let hasEnded = false
    const subscription = await bus.subscribe(
      { group: 'g', topics: [TOPIC], batchSizeMax: 4 },
      async (batch) => {
        first = idsOf(batch.records)
        running.resolve()
        await new Promise((resolve) => batch.signal.addEventListener('abort', resolve))
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        const [half] = batch.records
        if (half !== undefined) batch.resolve(half.offset)
        hasEnded = true
      },
    )
    await bus.publish(series('k', 4))
    await running.promise
    await subscription.close()
    expect(hasEnded).toBe(true)
    expect(first[0]).toBe('k/0')
    const next = recorder()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, next.onBatch)
    await until(() => expect(next.seen).toEqual(['k/1', 'k/2', 'k/3']))
    await bus.close()
  })

  test('a closed bus refuses events instead of losing them', async () => {
    const { bus } = await open()
    await bus.close()
    await expect(bus.publish([tick('a', 'k')])).rejects.toThrow(RetryableError)
  })
}
