// infra/kafka/server.properties starts a real server. Needs what JTS_KAFKA_BROKERS needs: Java and Kafka's programs.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KafkaServer, startKafka } from '../../scripts/services/kafka.ts'
import { freePort } from '../../scripts/services/server-process.ts'

let directory: string
let server: KafkaServer | undefined
const declared = new Map<string, string>()

beforeAll(async () => {
  const text = await readFile(join(import.meta.dirname, '../../infra/kafka/server.properties'), 'utf8')
  for (const line of text.split('\n')) {
    const [, name, value] = /^([^#=]+)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) declared.set(name, value)
  }
  directory = await mkdtemp(join(tmpdir(), 'jts-kafka-'))
  // Its ports and its directory are those of a container.
  const [external, internal, controller] = await Promise.all([freePort(), freePort(), freePort()])
  server = await startKafka({
    directory,
    port: external,
    properties: {
      ...Object.fromEntries(declared),
      'log.dirs': join(directory, 'data'),
      listeners: `INTERNAL://127.0.0.1:${internal},EXTERNAL://127.0.0.1:${external},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `INTERNAL://127.0.0.1:${internal},EXTERNAL://127.0.0.1:${external}`,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    },
  })
})
afterAll(async () => {
  await server?.stop()
  await rm(directory, { recursive: true, force: true })
})

test('the server takes every property as it stands there', async () => {
  const client = new Kafka({ brokers: [server?.broker ?? ''], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.BROKER, name: '1' }],
  })
  await admin.disconnect()
  const effective = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  )
  const own = [...declared].filter(
    ([name]) => !/^(log\.dirs|(advertised\.)?listeners|controller\.quorum\.voters)$/.test(name),
  )
  expect(own.length).toBeGreaterThan(20)
  expect(own.filter(([name, value]) => effective.get(name) !== value)).toEqual([])
})
