// Whether consumer groups have handled everything there is.
//
// Positions are read before ends. A position is committed only after the outputs of what it covers are stored, so when
// every position has reached an end that was read later, nothing was under way when the ends were read.
import type { Admin } from 'kafkajs'

/** Group ids with the topics that each consumes, as they are named on the brokers. */
export type ConsumedTopics = ReadonlyMap<string, readonly string[]>

/** False too while a group has still to join: members commit where they begin. */
export async function haveCaughtUp(
  admin: Pick<Admin, 'fetchOffsets' | 'fetchTopicOffsets'>,
  consumed: ConsumedTopics,
): Promise<boolean> {
  const positions = await Promise.all(
    [...consumed].map(async ([groupId, topics]) => {
      // All that the group has, in one request; to ask for topics by name costs a request for each.
      const committed = await admin.fetchOffsets({ groupId })
      return topics.map((topic) => ({
        topic,
        partitions: committed.find((each) => each.topic === topic)?.partitions ?? [],
      }))
    }),
  )
  const topics = [...new Set([...consumed.values()].flat())]
  const ends = new Map(
    await Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const)),
  )
  return positions.flat().every(({ topic, partitions }) => {
    const at = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
    return (ends.get(topic) ?? []).every(({ partition, high }) => (at.get(partition) ?? -1n) >= BigInt(high))
  })
}
