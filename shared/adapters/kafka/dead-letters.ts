// Dead letters as records: what was set aside as it was, and beside it, in headers of ours, why.
import type { IHeaders, Message } from 'kafkajs'
import type { Topic } from '#shared/events/contract.ts'
import type { DeadLetter } from '#shared/ports/event-bus.ts'
import { type EncodedRecord, type ReceivedRecord, decodeRecord, encodeRecord } from './binding.ts'

/** A record that is no event, or none that may stand where it stood. */
export interface RawDeadLetter {
  readonly consumer: string
  readonly reason: string
  readonly position: { readonly topic: Topic; readonly partition: number; readonly offset: bigint }
  readonly record: ReceivedRecord
}

const CONSUMER = 'dead-letter-consumer'
const REASON = 'dead-letter-reason'
const ATTEMPTS = 'dead-letter-attempts'
const POSITION = 'dead-letter-position'
const REASON_LENGTH_MAX = 2_000

export function encodeDeadLetter({ event, consumer, reason, attempts }: DeadLetter): EncodedRecord {
  const record = encodeRecord(event)
  const headers = {
    ...record.headers,
    [CONSUMER]: consumer,
    [REASON]: reason.slice(0, REASON_LENGTH_MAX),
    [ATTEMPTS]: String(attempts),
  }
  return {
    ...record,
    headers,
    bytes: record.bytes + Buffer.byteLength(consumer) + Buffer.byteLength(reason) + 100,
  }
}

export function encodeRawDeadLetter({ consumer, reason, position, record }: RawDeadLetter): Message {
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [CONSUMER]: consumer,
      [REASON]: reason.slice(0, REASON_LENGTH_MAX),
      [POSITION]: `${position.topic}/${position.partition}/${position.offset}`,
    },
  }
}

const textOf = (headers: IHeaders, name: string): string | undefined => {
  const raw = headers[name]
  return Buffer.isBuffer(raw) ? raw.toString('utf8') : undefined
}

/** @throws TypeError for a record that is no dead letter. */
export function decodeDeadLetter(record: ReceivedRecord, topic: Topic): DeadLetter | RawDeadLetter {
  const { [CONSUMER]: _c, [REASON]: _r, [ATTEMPTS]: _a, [POSITION]: _p, ...headers } = record.headers ?? {}
  const consumer = textOf(record.headers ?? {}, CONSUMER)
  const reason = textOf(record.headers ?? {}, REASON)
  if (consumer === undefined || reason === undefined) throw new TypeError('not a dead letter')
  const [, partition, offset] = textOf(record.headers ?? {}, POSITION)?.split('/') ?? []
  const original = { key: record.key, value: record.value, headers }
  if (partition !== undefined && offset !== undefined) {
    const position = { topic, partition: Number(partition), offset: BigInt(offset) }
    return { consumer, reason, position, record: original }
  }
  const decoded = decodeRecord(original, topic)
  if (decoded.fault !== undefined) throw new TypeError(`not a dead letter: ${decoded.fault}`)
  return { event: decoded.event, consumer, reason, attempts: Number(textOf(record.headers ?? {}, ATTEMPTS)) }
}
