// CloudEvents over HTTP, written. What stands here every SDK must be able to read.
import type { CloudEvent } from './cloud-event.ts'
import { encodeHeaderValue, isHeaderSafe } from './header-value.ts'
import { encodeBatch, encodeEvent } from './json-format.ts'
import { essenceOf, isJsonType } from './media-type.ts'

export interface HttpMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export const EVENT_TYPE = 'application/cloudevents+json; charset=utf-8'
export const BATCH_TYPE = 'application/cloudevents-batch+json; charset=utf-8'

/** Attributes as headers, data as body. Data without a content type is JSON. */
export function binaryMessage(event: CloudEvent): HttpMessage {
  const headers: Record<string, string> = {}
  const list = binaryHeaders(event)
  for (let at = 0; at < list.length; at += 2) headers[list[at] ?? ''] = list[at + 1] ?? ''
  return { headers, body: bodyOf(event) }
}

/** Names, values, names, values: what Node writes fastest. */
export function binaryHeaders(event: CloudEvent): string[] {
  const headers: string[] = []
  if (event.data !== undefined) headers.push('content-type', event.datacontenttype ?? 'application/json')
  const first = headers.length + 1
  let all = ''
  for (const name in event) {
    if (name === 'data' || name === 'datacontenttype') continue
    const value: unknown = event[name as keyof CloudEvent]
    if (value === undefined || value === null) continue
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    all += text
    headers.push(HEADER_NAMES.get(name) ?? `ce-${name}`, text)
  }
  // One look at all values together: hardly any event has one that must be encoded.
  if (!isHeaderSafe(all)) {
    for (let at = first; at < headers.length; at += 2) headers[at] = encodeHeaderValue(headers[at] ?? '')
  }
  return headers
}

/** Made once: a name joined anew for each event would be looked up anew by all who read it. */
const HEADER_NAMES: ReadonlyMap<string, string> = new Map(
  'specversion id source type subject time partitionkey correlationid causationid traceparent tracestate'
    .split(' ')
    .map((name) => [name, `ce-${name}`]),
)

export function bodyOf({ data, datacontenttype }: CloudEvent): string | Uint8Array {
  if (data === undefined) return ''
  if (data instanceof Uint8Array) return data
  const isJson = datacontenttype === undefined || isJsonType(essenceOf(datacontenttype))
  return typeof data === 'string' && !isJson ? data : JSON.stringify(data)
}

/** The whole event as the body. */
export const structuredMessage = (event: CloudEvent): HttpMessage => ({
  headers: { 'content-type': EVENT_TYPE },
  body: encodeEvent(event),
})

/** Only to receivers that asked for batches. */
export const batchedMessage = (events: readonly CloudEvent[]): HttpMessage => ({
  headers: { 'content-type': BATCH_TYPE },
  body: encodeBatch(events),
})
