// From any CloudEvent to one of ours. An event made by JTS passes as it is; a foreign one is completed from what it says
// and from its contract, never from a clock or a random source, so that a redelivery is completed alike:
// its own id where correlation or cause are missing, key and subject by the contract.
import { formatInstant, type Instant } from '#shared/domain/time.ts'
import type { Event, EventContract } from '#shared/events/contract.ts'
import type { CloudEvent, Fault } from './cloudevents/cloud-event.ts'
import { charsetOf, essenceOf, isJsonType, isReadableCharset } from './cloudevents/media-type.ts'

export type Accepted =
  | { readonly event: Event; readonly faults?: never }
  | { readonly event?: never; readonly faults: readonly Fault[] }

const TIME_MISSING: Fault = {
  pointer: '/time',
  detail: 'is required: JTS decides by when things happened and makes up no time',
}

/** Checks the data against the contract and fills in what JTS needs. */
export function acceptEvent(event: CloudEvent, contract: EventContract): Accepted {
  const faults: Fault[] = []
  const time = event.time === undefined ? undefined : utcTime(event.time)
  if (time === undefined) faults.push(TIME_MISSING)
  const mediaType = event.datacontenttype
  if (mediaType !== undefined && mediaType !== 'application/json' && !isJson(mediaType)) {
    faults.push({
      pointer: '/datacontenttype',
      detail: `must be JSON in UTF-8, is ${mediaType.slice(0, 100)}`,
    })
  }
  const parsed = contract.parse(event.data)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      faults.push({ pointer: ['/data', ...issue.path.map(String)].join('/'), detail: issue.message })
    }
  }
  if (faults.length > 0 || time === undefined) return { faults }
  const { data } = parsed
  return {
    event: {
      ...event,
      subject: event.subject ?? contract.subject(data),
      time,
      datacontenttype: 'application/json',
      partitionkey: event.partitionkey ?? contract.key(data),
      correlationid: event.correlationid ?? event.id,
      causationid: event.causationid ?? event.id,
      data,
    } as Event,
  }
}

const isJson = (mediaType: string): boolean =>
  isJsonType(essenceOf(mediaType)) && isReadableCharset(charsetOf(mediaType))

/** RFC 3339 in UTC; `undefined` where UTC falls outside of the years 0000 to 9999. Text that is UTC already stays to the last digit; a leap second becomes the millisecond before. */
export function utcTime(text: string): string | undefined {
  if (text.endsWith('Z') && text[10] === 'T' && text.slice(17, 19) !== '60') return text
  const plain = text.replace(/^(.{17})60(?:\.\d+)?/, '$159.999')
  const utc = formatInstant(Date.parse(plain.toUpperCase()) as Instant)
  return utc.length === 'YYYY-MM-DDTHH:MM:SS.sssZ'.length ? utc : undefined
}
