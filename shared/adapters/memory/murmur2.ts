// The hash that Kafka's default partitioner uses, so that a key lands on the same partition number here and there.
// Rule: org.apache.kafka.common.utils.Utils.murmur2 and toPositive (Apache Kafka, clients).

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** 32-bit MurmurHash2 of the bytes, signed. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let hash = SEED ^ length
  let index = 0
  for (; index + 4 <= length; index += 4) {
    let k = Math.imul(view.getInt32(index, true), M)
    k = Math.imul(k ^ (k >>> 24), M)
    hash = Math.imul(hash, M) ^ k
  }
  const rest = length - index
  if (rest > 0) {
    if (rest === 3) hash ^= view.getUint8(index + 2) << 16
    if (rest >= 2) hash ^= view.getUint8(index + 1) << 8
    hash = Math.imul(hash ^ view.getUint8(index), M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

const encoder = new TextEncoder()

/** The partition of a key, from 0. */
export const partitionOf = (key: string, partitions: number): number =>
  (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions
