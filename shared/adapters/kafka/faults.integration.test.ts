// What happens to events when brokers, consumers and groups break. Needs the broker that JTS_KAFKA_BROKERS names, and
// starts one of its own to kill it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Topic } from '#shared/events/contract.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { Subscription } from '#shared/ports/event-bus.ts'
import { startKafka } from '../../../scripts/services/kafka.ts'
import { encodeRecord } from './binding.ts'
import { kafkaClient } from './client.ts'
import { decodeDeadLetter } from './dead-letters.ts'
import { createTopics, freshSettings, openBus, readAll, silentLog } from './kafka-bench.fixture.ts'
import { ledger, load, lost, outOfOrder, pause, tick, until } from './load.fixture.ts'
import { deadLetterTopic, wireTopic } from './topic-names.ts'

const TOPIC: Topic = 'market.ticks'

test('a broker killed twice under load: nothing is lost, order holds, and nobody lends a hand', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-kafka-'))
  let broker = await startKafka({ directory })
  const port = Number(broker.broker.split(':')[1])
  try {
    const settings = freshSettings(broker.broker)
    await createTopics(settings)
    const bus = await openBus(settings)
    const { handled, member, clashes } = ledger()
    await bus.subscribe({ group: 'g', topics: [TOPIC] }, member('only'))
    const publishing = load(bus, 12, 5)
    for (let kill = 0; kill < 2; kill += 1) {
      const before = handled.length
      await until(() => expect(handled.length).toBeGreaterThan(before + 200))
      await broker.kill()
      await pause(2_000)
      broker = await startKafka({ directory, port })
    }
    const before = handled.length
    await until(() => expect(handled.length).toBeGreaterThan(before + 200))
    const published = await publishing.stop()
    await until(() => expect(lost(published, handled)).toEqual([]))
    expect(outOfOrder(handled)).toEqual([])
    expect(clashes).toEqual([])
    await until(async () => expect(await bus.lag('g')).toBe(0))
    await bus.close()
  } finally {
    await broker.kill()
    await rm(directory, { recursive: true, force: true })
  }
}, 180_000)

test('a consumer killed in the middle of its batch: another goes on where it stopped', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const ids = Array.from({ length: 20 }, (_, index) => `k/${index}`)
  await bus.publish(ids.map((id) => tick(id, 'k')))
  const victim = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'consumer.fixture.ts'),
      settings.JTS_KAFKA_BROKERS.join(),
      settings.JTS_KAFKA_PREFIX,
      'g',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = (await once(victim.stdout, 'data')) as [Buffer]
  expect(said.toString().trim()).toBe('k/0')
  victim.kill('SIGKILL')

  const { handled, member } = ledger()
  await bus.subscribe({ group: 'g', topics: [TOPIC] }, member('heir'))
  await until(() => expect(handled).toHaveLength(20))
  // The batch had not ended, so what it resolved was not committed: it comes again, as the first.
  expect(handled).toEqual(ids)
  await bus.close()
}, 60_000)

test('members come and go under load, 2 to 4 to 1: nothing is lost, doubled in hand or reordered', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const buses = await Promise.all(Array.from({ length: 4 }, () => openBus(settings)))
  const { handled, member, clashes } = ledger()
  const members: Subscription[] = []
  const enter = async (index: number): Promise<void> => {
    const opened = buses[index]?.subscribe({ group: 'g', topics: [TOPIC] }, member(`m${index}`, 1))
    if (opened !== undefined) members.push(await opened)
  }
  const more = async (count: number): Promise<void> => {
    const before = handled.length
    await until(() => expect(handled.length).toBeGreaterThan(before + count))
  }
  await Promise.all([enter(0), enter(1)])
  const [first] = buses
  if (first === undefined) throw new Error('no bus')
  const publishing = load(first, 16, 5)
  await more(300)
  await Promise.all([enter(2), enter(3)])
  await more(300)
  await Promise.all(members.slice(0, 3).map((each) => each.close()))
  await more(300)
  const published = await publishing.stop()
  await until(() => expect(lost(published, handled)).toEqual([]))
  expect(outOfOrder(handled)).toEqual([])
  expect(clashes).toEqual([])
  // Members that leave in order commit first: what they handled does not come again.
  expect(handled).toHaveLength(published.length)
  await Promise.all(buses.map((bus) => bus.close()))
}, 120_000)

test('a handler slower than the session timeout keeps its partition', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const deliveries: string[] = []
  let isTold = false
  await bus.subscribe({ group: 'g', topics: [TOPIC] }, async (batch) => {
    deliveries.push(...batch.records.map(({ event }) => event.id))
    await pause(settings.JTS_KAFKA_SESSION_TIMEOUT_MS + 3_000)
    isTold = batch.signal.aborted
    for (const { offset } of batch.records) batch.resolve(offset)
  })
  await bus.publish([tick('k/0', 'k')])
  await until(async () => expect(await bus.lag('g')).toBe(0))
  expect(deliveries).toEqual(['k/0'])
  expect(isTold).toBe(false)
  await bus.close()
}, 60_000)

test('a partition that stands still with a long queue delays no other', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const stuck = Promise.withResolvers<void>()
  const waits: number[] = []
  let stuckPartition: number | undefined
  const sent = new Map<string, number>()
  await bus.subscribe({ group: 'g', topics: [TOPIC], batchSizeMax: 50 }, async (batch) => {
    stuckPartition ??= batch.partition
    if (batch.partition === stuckPartition) await stuck.promise
    for (const { event, offset } of batch.records) {
      const at = sent.get(event.id)
      if (at !== undefined) waits.push(performance.now() - at)
      batch.resolve(offset)
    }
  })
  await bus.publish([tick('stuck/first', 'stuck')])
  await until(() => expect(stuckPartition).toBeDefined())
  for (let index = 0; index < 20; index += 1) {
    await bus.publish(Array.from({ length: 500 }, (_, each) => tick(`stuck/${index}-${each}`, 'stuck')))
  }
  for (let index = 0; index < 200; index += 1) {
    const id = `other/${index}`
    sent.set(id, performance.now())
    await bus.publish([tick(id, `other-${index % 40}`)])
    await pause(5)
  }
  // Some of the keys share the partition that stands still.
  await until(() => expect(waits.length).toBeGreaterThan(100))
  const [median = Infinity] = waits
    .toSorted((left, right) => left - right)
    .slice(Math.floor(waits.length / 2))
  expect(median).toBeLessThan(100)
  stuck.resolve()
  await until(async () => expect(await bus.lag('g')).toBe(0))
  await bus.close()
}, 120_000)

test('a record that is no event is set aside with its bytes and place, and those behind it are handled', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  const producer = kafkaClient(settings, silentLog).producer()
  await producer.connect()
  const good = encodeRecord(tick('k/0', 'k'))
  await producer.send({
    topic: wireTopic(settings.JTS_KAFKA_PREFIX, TOPIC),
    messages: [
      { key: 'k', value: Buffer.from([0xff, 0x00]), headers: { who: 'a stranger' } },
      { key: 'k', value: null },
      good,
    ],
  })
  await producer.disconnect()
  const { handled, member } = ledger()
  await bus.subscribe({ group: 'g', topics: [TOPIC] }, member('only'))
  await until(() => expect(handled).toEqual(['k/0']))
  const letters = await readAll(settings, wireTopic(settings.JTS_KAFKA_PREFIX, deadLetterTopic(TOPIC)))
  expect(letters.map((letter) => decodeDeadLetter(letter, TOPIC))).toMatchObject([
    {
      consumer: 'g',
      reason: expect.stringContaining('ce_id is required') as string,
      position: { topic: TOPIC, offset: 0n },
      record: { value: Buffer.from([0xff, 0x00]), headers: { who: Buffer.from('a stranger') } },
    },
    { position: { offset: 1n }, record: { value: null } },
  ])
  await until(async () => expect(await bus.lag('g')).toBe(0))
  await bus.close()
}, 60_000)

test('what cannot be stored: too large for the setting, for the topic, or without a topic', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const large = { ...tick('k/large', 'k'), data: 'x'.repeat(1_200_000) }
  const careful = await openBus(settings)
  await expect(careful.publish([large])).rejects.toThrow(PoisonError)
  await expect(careful.publish([large])).rejects.toThrow('JTS_KAFKA_MESSAGE_BYTES_MAX')
  const careless = await openBus({ ...settings, JTS_KAFKA_MESSAGE_BYTES_MAX: 10_000_000 })
  const outcomes = await Promise.allSettled([
    careless.publish([large]),
    careless.publish([tick('other/0', 'other')]),
  ])
  expect(outcomes).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }])
  expect(outcomes[0]).toMatchObject({ reason: expect.any(PoisonError) as PoisonError })
  const astray = await openBus(freshSettings())
  await expect(astray.publish([tick('k/0', 'k')])).rejects.toThrow('npm run topics -- apply')
  await expect(astray.subscribe({ group: 'g', topics: [TOPIC] }, async () => undefined)).rejects.toThrow(
    'npm run topics -- apply',
  )
  await Promise.all([careful, careless, astray].map((bus) => bus.close()))
}, 90_000)

test('a broker that is not there is named with its setting', async () => {
  await expect(openBus(freshSettings('127.0.0.1:1'))).rejects.toThrow(RetryableError)
  await expect(openBus(freshSettings('127.0.0.1:1'))).rejects.toThrow('JTS_KAFKA_BROKERS')
})

test('an idle consumer and producer take less than three hundredths of a core', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  const bus = await openBus(settings)
  await bus.subscribe({ group: 'g', topics: [TOPIC] }, async () => undefined)
  await pause(1_000)
  const before = process.cpuUsage()
  await pause(5_000)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 5_000_000).toBeLessThan(0.03)
  await bus.close()
}, 60_000)
