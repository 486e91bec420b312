import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TOPICS } from '#shared/events/contract.ts'
import { KafkaConfig } from './config.ts'
import { declaredTopics } from './topic-admin.ts'
import { declaration } from './topic-declaration.fixture.ts'

const ours: unknown = JSON.parse(readFileSync('infra/kafka/topics.json', 'utf8'))

test('infra/kafka declares every topic of the contracts and its dead letters, and no other', () => {
  const names = declaredTopics(ours, 'live.', 3).map(({ name }) => name)
  expect(names.toSorted()).toEqual(
    Object.keys(TOPICS)
      .flatMap((topic) => [`live.${topic}`, `live.${topic}.dead-letter`])
      .toSorted(),
  )
})

test('no topic of events is compacted: its key is an account or an instrument, and every event of it counts', () => {
  for (const { config } of declaredTopics(ours, '', 3)) expect(config['cleanup.policy']).toBe('delete')
})

test('whatever may be published fits on its topic, and with its reasons among the dead letters', () => {
  const { JTS_KAFKA_MESSAGE_BYTES_MAX: bytesMax } = KafkaConfig.parse({ JTS_KAFKA_BROKERS: 'one:9092' })
  for (const { name, config } of declaredTopics(ours, '', 3)) {
    const room = name.endsWith('.dead-letter') ? bytesMax + 10_000 : bytesMax
    expect(Number(config['max.message.bytes'])).toBeGreaterThan(room)
  }
})

test('a small cluster holds fewer copies, and can still lose one of them', () => {
  const copies = (brokers: number) => {
    const [topic] = declaredTopics(ours, '', brokers)
    return [topic?.replicationFactor, topic?.config['min.insync.replicas']]
  }
  expect(copies(1)).toEqual([1, '1'])
  expect(copies(2)).toEqual([2, '1'])
  expect(copies(3)).toEqual([3, '2'])
  expect(copies(9)).toEqual([3, '2'])
})

test.each([
  ['a topic that no contract knows', { gossip: { partitions: 1, retentionHours: 1 } }, 'gossip'],
  ['no partitions', { orders: { partitions: 0, retentionHours: 1 } }, 'partitions'],
])('%s is refused', (_name, changes, named) => {
  expect(() => declaredTopics(declaration(changes), '', 1)).toThrow(named)
})
