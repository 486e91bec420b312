import type { Admin } from 'kafkajs'

/** Records that a group has not committed yet, over all partitions that it has a position in. */
export async function groupLag(admin: Admin, groupId: string): Promise<number> {
  const topics = await admin.fetchOffsets({ groupId })
  const lags = topics.map(async ({ topic, partitions }) => {
    const ends = await admin.fetchTopicOffsets(topic)
    const positions = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
    let lag = 0n
    for (const { partition, low, high } of ends) {
      const position = positions.get(partition) ?? -1n
      // Records that retention has removed are not waited for.
      const from = position > BigInt(low) ? position : BigInt(low)
      if (BigInt(high) > from) lag += BigInt(high) - from
    }
    return lag
  })
  return Number((await Promise.all(lags)).reduce((sum, lag) => sum + lag, 0n))
}
