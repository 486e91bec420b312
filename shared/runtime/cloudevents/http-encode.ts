// CloudEvents over HTTP, written. What stands here every SDK must be able to read.
import type { CloudEvent } from './cloud-event.ts'
import { encodeHeaderValue } from './header-value.ts'
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
  const { data } = event
  if (data !== undefined) headers['content-type'] = event.datacontenttype ?? 'application/json'
  for (const [name, value] of Object.entries(event)) {
    if (name === 'data' || name === 'datacontenttype' || value === undefined || value === null) continue
    headers[`ce-${name}`] = encodeHeaderValue(String(value))
  }
  return { headers, body: bodyOf(event) }
}

function bodyOf({ data, datacontenttype }: CloudEvent): string | Uint8Array {
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
