// CloudEvents in Kafka records: attributes as `ce_…` headers in UTF-8, data as the value, `partitionkey` as the key.
//
// B1. Read strictly: what is missing, stands twice or is malformed is named, and nothing is made up. The whole event as the
//     value (`application/cloudevents+json`) is read too.
// B2. An event of a known type stands on the topic of its contract and on no other: rights are given by topic.
import { isUtf8 } from 'node:buffer'
import type { IHeaders, Message } from 'kafkajs'
import { contractOf } from '#shared/events/catalogue.ts'
import type { Event, Topic } from '#shared/events/contract.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import { isAttributeName, textFault, hasForbiddenCharacter } from '#shared/runtime/cloudevents/attributes.ts'
import { type CloudEvent, DECODE_LIMITS } from '#shared/runtime/cloudevents/cloud-event.ts'
import {
  PLAIN_ATTRIBUTES,
  isWhole,
  noHeaders,
  plainEvent,
  putPlain,
} from '#shared/runtime/cloudevents/http-plain.ts'
import { decodeEvent, parseJson } from '#shared/runtime/cloudevents/json-format.ts'
import { essenceOf, isJsonType } from '#shared/runtime/cloudevents/media-type.ts'

/** A record to send, with what it will weigh. */
export interface EncodedRecord extends Message {
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
  readonly bytes: number
}

/** What kafkajs gives for a record. */
export interface ReceivedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: IHeaders | undefined
}

export type DecodedRecord =
  { readonly event: Event; readonly fault?: never } | { readonly event?: never; readonly fault: string }

/** Of the record itself: lengths, timestamps, offsets. */
const RECORD_BYTES = 64
const HEADER_BYTES = 4

/** @throws PoisonError for an attribute that has no UTF-8. */
export function encodeRecord(event: Event): EncodedRecord {
  const headers: Record<string, string> = { 'content-type': event.datacontenttype }
  const value = Buffer.from(JSON.stringify(event.data))
  let all = event.partitionkey
  let bytes = RECORD_BYTES + value.length
  for (const name in event) {
    if (name === 'data' || name === 'datacontenttype') continue
    const text: unknown = event[name as keyof Event]
    if (typeof text !== 'string') continue
    const header = HEADER_OF.get(name) ?? `ce_${name}`
    headers[header] = text
    all += text
    bytes += header.length + HEADER_BYTES
  }
  if (!all.isWellFormed()) throw new PoisonError(`event ${event.id} has an attribute that is not Unicode`)
  return { key: event.partitionkey, value, headers, bytes: bytes + Buffer.byteLength(all) }
}

const KNOWN =
  'specversion id source type subject time partitionkey correlationid causationid traceparent tracestate'.split(
    ' ',
  )
/** Made once: a name joined anew for each event would be looked up anew by all who read it. */
const HEADER_OF: ReadonlyMap<string, string> = new Map(KNOWN.map((name) => [name, `ce_${name}`]))
/** Place of a header among the attributes: HTTP and Kafka share the short way through well-formed ones. */
const SLOT_OF: ReadonlyMap<string, number> = new Map(
  PLAIN_ATTRIBUTES.map((name, slot) => [name === 'datacontenttype' ? 'content-type' : `ce_${name}`, slot]),
)

const isAttributeHeader = (name: string): boolean => /^ce_/i.test(name)
const isContentType = (name: string): boolean => name.length === 12 && name.toLowerCase() === 'content-type'

export function decodeRecord(record: ReceivedRecord, topic: Topic): DecodedRecord {
  const decoded = decodeUsual(record) ?? decodeUnusual(record)
  if (decoded.fault !== undefined) return decoded
  const { event } = decoded
  const missing = REQUIRED.find((name) => event[name] === undefined)
  if (missing !== undefined) return { fault: `${missing} is required` }
  if (event.datacontenttype !== 'application/json') return { fault: 'content-type must be application/json' }
  const contract = contractOf(event.type)
  if (contract !== undefined && contract.topic !== topic)
    return { fault: `${event.type} belongs on ${contract.topic}` }
  return { event: event as Event }
}

const REQUIRED = ['subject', 'time', 'partitionkey', 'correlationid', 'causationid', 'data'] as const

type Decoded =
  { readonly event: CloudEvent; readonly fault?: never } | { readonly event?: never; readonly fault: string }

/** `undefined`: take the long way. */
function decodeUsual({ value, headers = {} }: ReceivedRecord): Decoded | undefined {
  if (value === null) return undefined
  const values = noHeaders()
  for (const name in headers) {
    const slot = SLOT_OF.get(name)
    if (slot === undefined) {
      if (isAttributeHeader(name) || isContentType(name)) return undefined
      continue
    }
    const raw = headers[name]
    // Bytes beyond ASCII are no plain header in any encoding, and take the long way.
    if (!Buffer.isBuffer(raw) || !putPlain(values, slot, raw.toString('latin1'))) return undefined
  }
  if (!isWhole(values)) return undefined
  const data = jsonOf(value)
  return data.fault === undefined ? { event: plainEvent(values, data.value) } : data
}

function jsonOf(value: Buffer): { value: unknown; fault?: never } | { value?: never; fault: string } {
  const text = value.toString('utf8')
  if (text.includes('\uFFFD') && !isUtf8(value)) return { fault: 'the value must be UTF-8' }
  const parsed = parseJson(text)
  return parsed.fault === undefined ? { value: parsed.value } : { fault: `the value ${parsed.fault}` }
}

function decodeUnusual({ value, headers = {} }: ReceivedRecord): Decoded {
  const contentType = contentTypeOf(headers)
  if (contentType.fault !== undefined) return contentType
  const essence = essenceOf(contentType.value ?? 'application/json')
  if (essence === 'application/cloudevents+json') return decodeStructured(value)
  const event: Record<string, unknown> = {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
  }
  const faults: string[] = []
  for (const header in headers) {
    if (!isAttributeHeader(header)) continue
    const name = header.slice(3).toLowerCase()
    const text = textOf(headers[header])
    // The SDK for JavaScript says it twice.
    if (name === 'datacontenttype' && text !== undefined && text === contentType.value) continue
    const fault =
      Object.hasOwn(event, name) && event[name] !== undefined ? 'stands twice' : faultOf(name, text)
    if (fault === undefined) event[name] = text
    else faults.push(`${header} ${fault}`)
  }
  for (const name of ['specversion', 'id', 'source', 'type']) {
    if (event[name] === undefined) faults.push(`ce_${name} is required`)
  }
  if (!isJsonType(essence)) faults.push(`content-type must be application/json, is ${essence.slice(0, 60)}`)
  event['datacontenttype'] = contentType.value
  if (value !== null) {
    const data = jsonOf(value)
    if (data.fault === undefined) event['data'] = data.value
    else faults.push(data.fault)
  }
  return faults.length === 0 ? { event: event as unknown as CloudEvent } : { fault: faults.join('; ') }
}

function decodeStructured(value: Buffer | null): Decoded {
  if (value === null) return { fault: 'the value is missing' }
  if (!isUtf8(value)) return { fault: 'the value must be UTF-8' }
  const decoded = decodeEvent(value.toString('utf8'))
  return decoded.event === undefined
    ? { fault: decoded.faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; ') }
    : { event: { datacontenttype: 'application/json', ...decoded.event } }
}

function contentTypeOf(
  headers: IHeaders,
): { value?: string; fault?: never } | { value?: never; fault: string } {
  const names = Object.keys(headers).filter(isContentType)
  const raw = names.length === 1 ? headers[names[0] ?? ''] : undefined
  if (names.length === 0) return {}
  const value = textOf(raw)
  return value === undefined ? { fault: 'content-type stands twice or is not UTF-8' } : { value }
}

/** `undefined` where it stands twice or is not UTF-8. */
function textOf(raw: IHeaders[string]): string | undefined {
  if (typeof raw === 'string') return raw
  return Buffer.isBuffer(raw) && isUtf8(raw) ? raw.toString('utf8') : undefined
}

function faultOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return 'stands twice or is not UTF-8'
  if (name === 'datacontenttype') return 'must say the same as content-type'
  if (!isAttributeName(name)) return 'is no name of an attribute'
  if (text.length > DECODE_LIMITS.attributeLengthMax)
    return `must have at most ${DECODE_LIMITS.attributeLengthMax} characters`
  return hasForbiddenCharacter(text) ? 'must not hold control characters' : textFault(name, text)
}
