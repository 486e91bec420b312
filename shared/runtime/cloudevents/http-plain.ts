// The short way through binary headers: every attribute known, once, and meaning itself, with a body of plain JSON. That is
// what JTS and well-behaved senders send. Anything else, right or wrong, takes the long way in http-decode.ts, which finds
// and names the faults. So this module refuses nothing: it reads, or it passes. http-plain.test.ts holds the two ways
// against each other.
import { isRfc3339, isUriReference } from './attributes.ts'
import type { CloudEvent } from './cloud-event.ts'

// Where a value waits until all headers are read.
const SPECVERSION = 0
const ID = 1
const SOURCE = 2
const TYPE = 3
const SUBJECT = 4
const TIME = 5
const PARTITION_KEY = 6
const CORRELATION_ID = 7
const CAUSATION_ID = 8
const TRACEPARENT = 9
const CONTENT_TYPE = 10
/** A header that is no attribute. */
const NONE = -1
/** An attribute for the long way. */
const UNUSUAL = -2

/** By length first: most headers are told apart by that. Names as senders write them, and as Go's net/http does. */
function slotOf(header: string): number {
  switch (header.length) {
    case 5:
      if (header === 'ce-id' || header === 'Ce-Id') return ID
      break
    case 7:
      if (header === 'ce-type' || header === 'Ce-Type') return TYPE
      if (header === 'ce-time' || header === 'Ce-Time') return TIME
      break
    case 9:
      if (header === 'ce-source' || header === 'Ce-Source') return SOURCE
      break
    case 10:
      if (header === 'ce-subject' || header === 'Ce-Subject') return SUBJECT
      break
    case 12:
      if (header === 'content-type' || header === 'Content-Type') return CONTENT_TYPE
      if (header.toLowerCase() === 'content-type') return UNUSUAL
      break
    case 14:
      if (header === 'ce-specversion' || header === 'Ce-Specversion') return SPECVERSION
      if (header === 'ce-causationid' || header === 'Ce-Causationid') return CAUSATION_ID
      if (header === 'ce-traceparent' || header === 'Ce-Traceparent') return TRACEPARENT
      break
    case 15:
      if (header === 'ce-partitionkey' || header === 'Ce-Partitionkey') return PARTITION_KEY
      break
    case 16:
      if (header === 'ce-correlationid' || header === 'Ce-Correlationid') return CORRELATION_ID
      break
  }
  return header.charCodeAt(2) === 0x2d && (header.charCodeAt(1) | 0x20) === 0x65 ? UNUSUAL : NONE
}

const LENGTH_MAX = 1_024
const PRINTABLE = /^[\x20-\x7e]+$/
const QUOTE = 0x22
/** Means itself: neither quoted nor percent-encoded. A search is many times faster than a pattern. */
const isPlain = (value: string): boolean =>
  PRINTABLE.test(value) && !value.includes('%') && value.charCodeAt(0) !== QUOTE
/** As `Date.prototype.toISOString` writes it, up to the 28th, which every month has. */
const USUAL_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/
const USUAL_SOURCE = /^\/\w[\w.~-]*(?:\/[\w.~-]+)*$/

function isUsual(slot: number, value: string): boolean {
  switch (slot) {
    case SPECVERSION:
      return value === '1.0'
    case SOURCE:
      return isUsualSource(value)
    case TIME:
      return USUAL_TIME.test(value) || isRfc3339(value)
    case CONTENT_TYPE:
      return value === 'application/json'
    default:
      return isPlain(value)
  }
}

/** Few senders write to one process, and each says the same source every time: the last good one is remembered. */
const isUsualSource = ((): ((value: string) => boolean) => {
  let last = ''
  return (value) => {
    if (value === last) return true
    const isRight = USUAL_SOURCE.test(value) || (isPlain(value) && isUriReference(value))
    if (isRight) last = value
    return isRight
  }
})()

/** Attribute values by their place. */
export type PlainHeaders = (string | undefined)[]

/** Attributes by their place; `datacontenttype` is the content type. */
export const PLAIN_ATTRIBUTES = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'partitionkey',
  'correlationid',
  'causationid',
  'traceparent',
  'datacontenttype',
] as const

export const noHeaders = (): PlainHeaders => {
  const none = undefined
  return [none, none, none, none, none, none, none, none, none, none, none]
}

/** Puts a value in its place. False: take the long way. */
export function putPlain(values: PlainHeaders, slot: number, value: string): boolean {
  if (value.length > LENGTH_MAX || values[slot] !== undefined || !isUsual(slot, value)) return false
  values[slot] = value
  return true
}

export const isWhole = (values: PlainHeaders): boolean =>
  values[SPECVERSION] !== undefined &&
  values[ID] !== undefined &&
  values[SOURCE] !== undefined &&
  values[TYPE] !== undefined

/** `undefined`: take the long way. */
export function readPlainHeaders(rawHeaders: readonly string[]): PlainHeaders | undefined {
  const values = noHeaders()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const slot = slotOf(rawHeaders[at] ?? '')
    if (slot === NONE) continue
    if (slot === UNUSUAL || !putPlain(values, slot, rawHeaders[at + 1] ?? '')) return undefined
  }
  return isWhole(values) ? values : undefined
}

/** Of one shape whatever came, so that events are cheap to make and to read. */
export const plainEvent = (values: PlainHeaders, data: unknown): CloudEvent => ({
  specversion: '1.0',
  id: values[ID] ?? '',
  source: values[SOURCE] ?? '',
  type: values[TYPE] ?? '',
  subject: values[SUBJECT],
  time: values[TIME],
  datacontenttype: values[CONTENT_TYPE],
  partitionkey: values[PARTITION_KEY],
  correlationid: values[CORRELATION_ID],
  causationid: values[CAUSATION_ID],
  traceparent: values[TRACEPARENT],
  data,
})
