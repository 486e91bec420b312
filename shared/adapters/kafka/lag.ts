import type { Admin, Kafka } from 'kafkajs'
import { failureOf } from './failures.ts'

/** Records that a group has not committed yet, over all partitions that it has a position in. */
async function groupLag(admin: Admin, groupId: string): Promise<number> {
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

/** Connects when it is first asked, and anew after a failure. */
export function lagMeter(client: Kafka, prefix: string) {
  let connected: Promise<Admin> | undefined
  const connect = async (): Promise<Admin> => {
    const admin = client.admin()
    await admin.connect()
    return admin
  }
  const disconnect = async (): Promise<void> => {
    const admin = await connected?.catch(() => undefined)
    connected = undefined
    await admin?.disconnect().catch(() => undefined)
  }
  return {
    async group(group: string): Promise<number> {
      try {
        connected ??= connect()
        return await groupLag(await connected, prefix + group)
      } catch (error) {
        await disconnect()
        throw failureOf(error, `say the lag of ${group}`)
      }
    },
    close: disconnect,
  }
}
