// Makes the topics of a cluster what infra/kafka/topics.json declares, or says where they differ.
//
// T1. Nothing is deleted and no topic shrinks: Kafka cannot take partitions away without losing what they hold.
// T2. Settings of a topic that are not declared stay as they are.
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs'
import * as z from 'zod'
import { TOPICS } from '#shared/events/contract.ts'
import { ALL_TOPICS, deadLetterTopic, wireTopic } from './topic-names.ts'

const Shape = z.strictObject({
  partitions: z.int().min(1).max(1_000),
  retentionHours: z.int().min(1),
})

/** Every topic that contracts name, and no other. */
const Declaration = z.strictObject({
  replicationFactor: z.int().min(1),
  minInSyncReplicas: z.int().min(1),
  topics: z.record(z.enum(Object.keys(TOPICS) as [keyof typeof TOPICS]), Shape),
  deadLetters: Shape,
  config: z.record(z.string(), z.string()),
  deadLetterConfig: z.record(z.string(), z.string()),
})

export interface DeclaredTopic {
  /** On the brokers. */
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export type TopicDifference =
  | { readonly kind: 'missing'; readonly topic: DeclaredTopic }
  | {
      readonly kind: 'fewerPartitions' | 'morePartitions'
      readonly topic: DeclaredTopic
      readonly partitions: number
    }
  | {
      readonly kind: 'config'
      readonly topic: DeclaredTopic
      readonly name: string
      readonly value: string | undefined
    }

const HOUR_MS = 3_600_000

/**
 * What should be on a cluster of so many brokers. A small one cannot hold as many copies as are declared; it then asks for
 * fewer of them to be in sync too.
 * @throws ZodError for a declaration that is none.
 */
export function declaredTopics(json: unknown, prefix: string, brokers: number): readonly DeclaredTopic[] {
  const declared = Declaration.parse(json)
  const replicationFactor = Math.min(declared.replicationFactor, brokers)
  const minInSync = Math.min(declared.minInSyncReplicas, Math.max(1, replicationFactor - 1))
  const topicOf = (
    name: string,
    { partitions, retentionHours }: z.output<typeof Shape>,
    config: Readonly<Record<string, string>>,
  ): DeclaredTopic => ({
    name,
    partitions,
    replicationFactor,
    config: {
      ...config,
      'retention.ms': String(retentionHours * HOUR_MS),
      'min.insync.replicas': String(minInSync),
    },
  })
  return ALL_TOPICS.flatMap((topic) => [
    topicOf(wireTopic(prefix, topic), declared.topics[topic], declared.config),
    topicOf(wireTopic(prefix, deadLetterTopic(topic)), declared.deadLetters, declared.deadLetterConfig),
  ])
}

export const brokerCount = async (admin: Admin): Promise<number> =>
  (await admin.describeCluster()).brokers.length

export async function compareTopics(
  admin: Admin,
  declared: readonly DeclaredTopic[],
): Promise<readonly TopicDifference[]> {
  const existing = new Set(await admin.listTopics())
  const found = declared.filter(({ name }) => existing.has(name))
  const { topics } =
    found.length === 0
      ? { topics: [] }
      : await admin.fetchTopicMetadata({ topics: found.map(({ name }) => name) })
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
  const configs = await configsOf(admin, found)
  return declared.flatMap((topic): readonly TopicDifference[] => {
    if (!existing.has(topic.name)) return [{ kind: 'missing', topic }]
    const count = partitions.get(topic.name) ?? 0
    const config = configs.get(topic.name)
    return [
      ...(count === topic.partitions
        ? []
        : [
            {
              kind: count < topic.partitions ? 'fewerPartitions' : 'morePartitions',
              topic,
              partitions: count,
            } as const,
          ]),
      ...Object.entries(topic.config)
        .filter(([name, value]) => config?.get(name)?.value !== value)
        .map(([name]) => ({ kind: 'config', topic, name, value: config?.get(name)?.value }) as const),
    ]
  })
}

interface ConfigValue {
  readonly value: string
  /** Set for this topic, not for the broker. */
  readonly isOwn: boolean
}

async function configsOf(
  admin: Admin,
  topics: readonly DeclaredTopic[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, ConfigValue>>> {
  if (topics.length === 0) return new Map()
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries.map(({ configName, configValue, configSource }) => [
          configName,
          { value: configValue, isOwn: configSource === kafkajs.ConfigSource.TOPIC_CONFIG },
        ]),
      ),
    ]),
  )
}

/** Brings the cluster up to the declaration, as far as T1 allows. Returns what it did. */
export async function applyTopics(
  admin: Admin,
  declared: readonly DeclaredTopic[],
): Promise<readonly TopicDifference[]> {
  const differences = await compareTopics(admin, declared)
  const missing = differences.filter(({ kind }) => kind === 'missing').map(({ topic }) => topic)
  if (missing.length > 0) {
    await createTopics(
      admin,
      missing.map(({ name, partitions, replicationFactor, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    )
  }
  const grown = differences.filter(({ kind }) => kind === 'fewerPartitions').map(({ topic }) => topic)
  if (grown.length > 0) {
    await admin.createPartitions({
      topicPartitions: grown.map(({ name, partitions }) => ({ topic: name, count: partitions })),
    })
  }
  const changed = new Set(differences.filter(({ kind }) => kind === 'config').map(({ topic }) => topic))
  if (changed.size > 0) await alterConfigs(admin, [...changed])
  return differences.filter(({ kind }) => kind !== 'morePartitions')
}

/**
 * Makes topics and waits for their leaders. A busy broker may say of a topic that it has just made that it does not know
 * it, and kafkajs does not wait for that; clients ask again by themselves.
 */
export async function createTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  try {
    await admin.createTopics({ waitForLeaders: true, topics: [...topics] })
  } catch (error) {
    if ((error as { readonly type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
  }
}

/** T2. The request replaces everything that was set for a topic, so what is not ours is said again. */
async function alterConfigs(admin: Admin, topics: readonly DeclaredTopic[]): Promise<void> {
  const configs = await configsOf(admin, topics)
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map(({ name, config }) => {
      const own = [...(configs.get(name) ?? [])]
        .filter(([, { isOwn }]) => isOwn)
        .map(([key, { value }]) => [key, value] as const)
      const all = Object.entries({ ...Object.fromEntries(own), ...config })
      return {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configEntries: all.map(([key, value]) => ({ name: key, value })),
      }
    }),
  })
}

/** For a person. */
export function differenceText(difference: TopicDifference): string {
  const { name, partitions } = difference.topic
  switch (difference.kind) {
    case 'missing':
      return `${name}: is missing (${partitions} partitions)`
    case 'fewerPartitions':
      return `${name}: has ${difference.partitions} partitions, declared are ${partitions}`
    case 'morePartitions':
      return `${name}: has ${difference.partitions} partitions, declared are ${partitions}: a topic never shrinks, so change the declaration`
    case 'config': {
      const want = difference.topic.config[difference.name] ?? ''
      return `${name}: ${difference.name} is ${difference.value ?? 'unset'}, declared is ${want}`
    }
  }
}
