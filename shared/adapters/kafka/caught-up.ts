// Whether consumer groups have handled everything there is.
//
// Positions are read before ends. A position is committed only after the outputs of what it covers are stored, so when
// every position has reached an end that was read later, nothing was under way when the ends were read.
import type { Admin } from 'kafkajs'

/** Group ids with the topics that each consumes, as they are named on the brokers. */
export type ConsumedTopics = ReadonlyMap<string, readonly string[]>

/** False too while a group has no position yet: it has still to join. */
export async function haveCaughtUp(admin: Admin, consumed: ConsumedTopics): Promise<boolean> {
  const positions = await Promise.all(
    [...consumed].map(([groupId, topics]) => admin.fetchOffsets({ groupId, topics: [...topics] })),
  )
  const topics = [...new Set([...consumed.values()].flat())]
  const ends = new Map<string, bigint>()
  await Promise.all(
    topics.map(async (topic) => {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic))
        ends.set(`${topic}/${partition}`, BigInt(high))
    }),
  )
  return positions.flat().every(({ topic, partitions }) =>
    partitions.every(({ partition, offset }) => {
      const end = ends.get(`${topic}/${partition}`)
      return end !== undefined && BigInt(offset) >= end
    }),
  )
}
