// Topics on the broker that JTS_KAFKA_BROKERS names, made what the declaration says.
import kafkajs, { type Admin } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaClient } from './client.ts'
import { freshSettings, silentLog } from './kafka-bench.fixture.ts'
import { applyTopics, brokerCount, compareTopics, declaredTopics, differenceText } from './topic-admin.ts'
import { declaration } from './topic-declaration.fixture.ts'

const settings = freshSettings()
const prefix = settings.JTS_KAFKA_PREFIX
let admin: Admin

beforeAll(async () => {
  admin = kafkaClient(settings, silentLog).admin()
  await admin.connect()
})

afterAll(() => admin.disconnect())

const declared = async (changes: Parameters<typeof declaration>[0] = {}) =>
  declaredTopics(declaration(changes), prefix, await brokerCount(admin))

const differences = async (changes: Parameters<typeof declaration>[0] = {}): Promise<readonly string[]> =>
  (await compareTopics(admin, await declared(changes))).map(differenceText)

test('all are missing, are created, and then are as declared', async () => {
  expect(await differences()).toHaveLength(20)
  expect(await differences()).toContain(`${prefix}orders: is missing (2 partitions)`)
  await applyTopics(admin, await declared())
  expect(await differences()).toEqual([])
  expect(await applyTopics(admin, await declared())).toEqual([])
})

test('a topic grows and changes its retention; what was set by hand besides stays', async () => {
  const orders = { partitions: 3, retentionHours: 48 }
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: `${prefix}orders`,
        configEntries: [
          { name: 'retention.ms', value: '86400000' },
          { name: 'segment.ms', value: '3600000' },
        ],
      },
    ],
  })
  expect(await differences({ orders })).toEqual([
    `${prefix}orders: has 2 partitions, declared are 3`,
    `${prefix}orders: max.message.bytes is 1048588, declared is 1000000`,
    `${prefix}orders: retention.ms is 86400000, declared is 172800000`,
  ])
  await applyTopics(admin, await declared({ orders }))
  expect(await differences({ orders })).toEqual([])
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: kafkajs.ConfigResourceTypes.TOPIC, name: `${prefix}orders`, configNames: ['segment.ms'] },
    ],
  })
  expect(resources[0]?.configEntries[0]?.configValue).toBe('3600000')
})

test('a topic never shrinks: the difference stays and is named', async () => {
  const orders = { partitions: 1, retentionHours: 48 }
  const text = `${prefix}orders: has 3 partitions, declared are 1: a topic never shrinks, so change the declaration`
  expect(await differences({ orders })).toEqual([text])
  expect(await applyTopics(admin, await declared({ orders }))).toEqual([])
  expect(await differences({ orders })).toEqual([text])
})
