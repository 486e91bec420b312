import { TOPICS } from '#shared/events/contract.ts'

interface Shape {
  readonly partitions: number
  readonly retentionHours: number
}

/** A small declaration of all topics, some of them otherwise. */
export const declaration = (changes: Readonly<Record<string, Shape>>) => ({
  replicationFactor: 3,
  minInSyncReplicas: 2,
  topics: {
    ...Object.fromEntries(Object.keys(TOPICS).map((topic) => [topic, { partitions: 2, retentionHours: 24 }])),
    ...changes,
  },
  deadLetters: { partitions: 1, retentionHours: 24 },
  config: { 'cleanup.policy': 'delete', 'max.message.bytes': '1000000' },
  deadLetterConfig: { 'cleanup.policy': 'delete' },
})
