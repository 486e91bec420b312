// CloudEvents over HTTP, read strictly from Node's own header list: nothing is copied that is not ours.
//
// D1. The content type chooses the mode: `application/cloudevents-batch…` batched, `application/cloudevents…`
//     structured (copies in headers are ignored), anything else binary, and then `ce-specversion` must be there.
// D2. Nothing is made up. No id, no time, no default source: what is missing is named and refused.
// D3. Every fault is reported, not the first.
// D4. A header that comes twice is refused: there are two truths.
// D5. By hand: a whole event as `text/plain`, which is what faas-cli sends unless told otherwise. All of it comes from the
//     sender, as in structured mode. Not from a browser: any page may post text anywhere, and an event may place an order.
//     Browsers say `origin` with each such request.
import { isUtf8 } from 'node:buffer'
import { REQUIRED_ATTRIBUTES, isAttributeName, quoted, textFault } from './attributes.ts'
import { type CloudEvent, DECODE_LIMITS, type DecodeLimits, type Fault } from './cloud-event.ts'
import { decodeHeaderValue, meansItself } from './header-value.ts'
import { decodeBatch, decodeEvent, parseJson } from './json-format.ts'
import { type PlainHeaders, plainEvent, readPlainHeaders } from './http-plain.ts'
import { charsetOf, essenceOf, isJsonType, isMediaType, isReadableCharset } from './media-type.ts'

export type DecodedHttp =
  | { readonly mode: 'binary' | 'structured' | 'byHand'; readonly event: CloudEvent }
  | { readonly mode: 'batched'; readonly events: readonly CloudEvent[] }
  | { readonly mode: 'refused'; readonly status: 400 | 415; readonly faults: readonly Fault[] }

/** Names, values, names, values: `incoming.rawHeaders`. */
export type RawHeaders = readonly string[]

const NOT_AN_EVENT =
  'not a CloudEvent: send ce-specversion, ce-id, ce-source and ce-type as headers, or the whole event as application/cloudevents+json'

export function decodeHttp(
  rawHeaders: RawHeaders,
  body: Buffer,
  limits: DecodeLimits = DECODE_LIMITS,
): DecodedHttp {
  const plain = readPlainHeaders(rawHeaders)
  if (plain !== undefined && body.length > 0) return withJson(plain, body)
  const contentType = contentTypeOf(rawHeaders)
  if (contentType === null) {
    return refused(400, [{ pointer: 'content-type', detail: 'stands twice' }])
  }
  if (contentType === undefined || contentType === 'application/json') {
    return decodeBinary(rawHeaders, contentType, body, limits)
  }
  const essence = essenceOf(contentType)
  if (!essence.startsWith('application/cloudevents')) {
    return decodeBinary(rawHeaders, contentType, body, limits)
  }
  if (essence !== 'application/cloudevents+json' && essence !== 'application/cloudevents-batch+json') {
    const detail = `must be the JSON format, is ${quoted(contentType)}`
    return refused(415, [{ pointer: 'content-type', detail }])
  }
  const text = isReadableCharset(charsetOf(contentType)) ? textOf(body) : null
  if (text === null) return refused(415, [charsetFault(contentType)])
  if (text === undefined) return refused(400, [BODY_NOT_UTF8])
  if (essence === 'application/cloudevents-batch+json') {
    const batch = decodeBatch(text, limits)
    return batch.events === undefined ? refused(400, batch.faults) : { mode: 'batched', events: batch.events }
  }
  const decoded = decodeEvent(text, limits)
  return decoded.event === undefined
    ? refused(400, decoded.faults)
    : { mode: 'structured', event: decoded.event }
}

/** The body of an event whose headers are beyond doubt. */
function withJson(headers: PlainHeaders, body: Buffer): DecodedHttp {
  const text = textOf(body)
  if (text === undefined) return refused(400, [BODY_NOT_UTF8])
  const parsed = parseJson(text)
  if (parsed.fault !== undefined) return refused(400, [{ pointer: '', detail: `the body ${parsed.fault}` }])
  return { mode: 'binary', event: plainEvent(headers, parsed.value) }
}

const BODY_NOT_UTF8: Fault = { pointer: '', detail: 'the body must be UTF-8' }
const charsetFault = (contentType: string): Fault => ({
  pointer: 'content-type',
  detail: `must be UTF-8, is ${quoted(contentType)}`,
})
const refused = (status: 400 | 415, faults: readonly Fault[]): DecodedHttp => ({
  mode: 'refused',
  status,
  faults,
})

/** `undefined` where the bytes are not UTF-8. Only a text that holds U+FFFD can have lost something. */
function textOf(body: Buffer): string | undefined {
  const text = body.toString('utf8')
  return text.includes('\uFFFD') && !isUtf8(body) ? undefined : text
}

/** `null` where it stands twice. */
function contentTypeOf(rawHeaders: RawHeaders): string | null | undefined {
  let found: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length !== 12 || name.toLowerCase() !== 'content-type') continue
    if (found !== undefined) return null
    found = rawHeaders[at + 1] ?? ''
  }
  return found
}

/** True for `ce-…` in any case. */
const isAttributeHeader = (name: string): boolean =>
  name.charCodeAt(2) === 0x2d && (name.charCodeAt(0) | 0x20) === 0x63 && (name.charCodeAt(1) | 0x20) === 0x65

function decodeBinary(
  rawHeaders: RawHeaders,
  contentType: string | undefined,
  body: Buffer,
  limits: DecodeLimits,
): DecodedHttp {
  const event: Record<string, unknown> = {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
  }
  const faults: Fault[] = []
  let attributes = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? ''
    if (!isAttributeHeader(header)) continue
    attributes += 1
    const name = header.slice(3).toLowerCase()
    const raw = rawHeaders[at + 1] ?? ''
    const detail = isPresent(event, name) ? 'stands twice' : addAttribute(event, name, raw, limits)
    if (detail !== undefined) faults.push({ pointer: header.toLowerCase(), detail })
  }
  if (attributes === 0) {
    if (isByHand(rawHeaders, contentType, body)) return decodeByHand(body, limits)
    return refused(400, [{ pointer: 'ce-specversion', detail: NOT_AN_EVENT }])
  }
  if (attributes > limits.attributesMax) {
    return refused(400, [{ pointer: '', detail: `must have at most ${limits.attributesMax} attributes` }])
  }
  for (const name of REQUIRED_ATTRIBUTES) {
    if (event[name] === undefined && !faults.some((fault) => fault.pointer === `ce-${name}`)) {
      faults.push({ pointer: `ce-${name}`, detail: 'is required' })
    }
  }
  const unsupported = addBody(event, contentType, body, faults)
  if (faults.length > 0) return refused(unsupported && faults.length === 1 ? 415 : 400, faults)
  return { mode: 'binary', event: event as unknown as CloudEvent }
}

/** Where an object begins, blanks aside. */
const LOOKED_AT_BYTES = 64

/** D5 */
function isByHand(rawHeaders: RawHeaders, contentType: string | undefined, body: Buffer): boolean {
  if (contentType === undefined || essenceOf(contentType) !== 'text/plain') return false
  if (!isReadableCharset(charsetOf(contentType))) return false
  if (!body.toString('latin1', 0, LOOKED_AT_BYTES).trimStart().startsWith('{')) return false
  return !rawHeaders.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'origin')
}

function decodeByHand(body: Buffer, limits: DecodeLimits): DecodedHttp {
  const text = textOf(body)
  if (text === undefined) return refused(400, [BODY_NOT_UTF8])
  const { event, faults } = decodeEvent(text, limits)
  return event === undefined ? refused(400, faults) : { mode: 'byHand', event }
}

/** An attribute may be called `constructor`. */
const isPresent = (event: Record<string, unknown>, name: string): boolean =>
  event[name] !== undefined && Object.hasOwn(event, name)

/** Puts a value where it belongs and says what is wrong with it. */
function addAttribute(
  event: Record<string, unknown>,
  name: string,
  raw: string,
  limits: DecodeLimits,
): string | undefined {
  if (name === 'datacontenttype') return 'belongs into content-type'
  if (!isAttributeName(name)) return 'attribute names must be lower-case letters and digits'
  if (raw.length > limits.attributeLengthMax) {
    return `must have at most ${limits.attributeLengthMax} characters, has ${raw.length}`
  }
  let text = raw
  if (!meansItself(raw)) {
    const value = decodeHeaderValue(raw)
    if ('fault' in value) return value.fault
    text = value.text
  }
  const detail = textFault(name, text)
  if (detail === undefined) event[name] = text
  return detail
}

/** Returns true when the fault it found is one of the content type. */
function addBody(
  event: Record<string, unknown>,
  contentType: string | undefined,
  body: Buffer,
  faults: Fault[],
): boolean {
  if (contentType !== undefined) {
    if (!isMediaType(contentType)) {
      faults.push({ pointer: 'content-type', detail: `must be a media type, is ${quoted(contentType)}` })
      return true
    }
    event['datacontenttype'] = contentType
  }
  if (body.length === 0) return false
  const essence = contentType === undefined ? 'application/json' : essenceOf(contentType)
  const isText = isJsonType(essence) || essence.startsWith('text/')
  if (!isText) {
    event['data'] = body
    return false
  }
  if (contentType !== undefined && !isReadableCharset(charsetOf(contentType))) {
    faults.push(charsetFault(contentType))
    return true
  }
  const text = textOf(body)
  if (text === undefined) {
    faults.push(BODY_NOT_UTF8)
  } else if (isJsonType(essence)) {
    const parsed = parseJson(text)
    if (parsed.fault === undefined) event['data'] = parsed.value
    else faults.push({ pointer: '', detail: `the body ${parsed.fault}` })
  } else {
    event['data'] = text
  }
  return false
}
