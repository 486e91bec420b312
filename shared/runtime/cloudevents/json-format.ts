// CloudEvents JSON format: one event, or a batch as an array of them.
import { REQUIRED_ATTRIBUTES, isAttributeName, jsonValueFault, kindOf, quoted } from './attributes.ts'
import { type CloudEvent, DECODE_LIMITS, type DecodeLimits, type Fault } from './cloud-event.ts'
import { NESTING_MAX, duplicateMembers, isTooDeep } from './json-members.ts'
import { essenceOf, isJsonType } from './media-type.ts'

export type DecodedEvent =
  | { readonly event: CloudEvent; readonly faults?: never }
  | { readonly event?: never; readonly faults: readonly Fault[] }

export type DecodedBatch =
  | { readonly events: readonly CloudEvent[]; readonly faults?: never }
  | { readonly events?: never; readonly faults: readonly Fault[] }

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/

/** Reads one event. Refuses unless every attribute is right; names every fault. */
export function decodeEvent(text: string, limits: DecodeLimits = DECODE_LIMITS): DecodedEvent {
  const parsed = parseJson(text)
  if (parsed.fault !== undefined) return { faults: [{ pointer: '', detail: parsed.fault }] }
  const decoded = decodeEventValue(parsed.value, '', limits)
  const doubles = duplicateMembers(text, 1)
  if (doubles.length === 0) return decoded
  return { faults: [...(decoded.faults ?? []), ...doubles.map((name) => duplicateFault('', name))] }
}

/** Reads a batch: all of it, or none. An empty batch is legal. */
export function decodeBatch(text: string, limits: DecodeLimits = DECODE_LIMITS): DecodedBatch {
  const parsed = parseJson(text)
  if (parsed.fault !== undefined) return { faults: [{ pointer: '', detail: parsed.fault }] }
  if (!Array.isArray(parsed.value)) {
    return { faults: [{ pointer: '', detail: `a batch must be an array, is ${kindOf(parsed.value)}` }] }
  }
  if (parsed.value.length > limits.batchMax) {
    const detail = `a batch must hold at most ${limits.batchMax} events, holds ${parsed.value.length}`
    return { faults: [{ pointer: '', detail }] }
  }
  const events: CloudEvent[] = []
  const faults: Fault[] = duplicateMembers(text, 2).map((name) => duplicateFault('', name))
  for (const [index, value] of parsed.value.entries()) {
    const decoded = decodeEventValue(value, `/${index}`, limits)
    if (decoded.event === undefined) faults.push(...decoded.faults)
    else events.push(decoded.event)
  }
  return faults.length === 0 ? { events } : { faults }
}

/** Reads an event that is JSON already. `at` is the pointer to it, for faults. */
export function decodeEventValue(
  value: unknown,
  at = '',
  limits: DecodeLimits = DECODE_LIMITS,
): DecodedEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { faults: [{ pointer: at, detail: `an event must be an object, is ${kindOf(value)}` }] }
  }
  const members = value as Record<string, unknown>
  const faults: Fault[] = []
  const event: Record<string, unknown> = {}
  const names = Object.keys(members)
  if (names.length > limits.attributesMax) {
    return { faults: [{ pointer: at, detail: `must have at most ${limits.attributesMax} attributes` }] }
  }
  for (const name of names) {
    const member = members[name]
    if (name === 'data' || name === 'data_base64' || member === null) continue
    const detail = isAttributeName(name)
      ? jsonValueFault(name, member, limits.attributeLengthMax)
      : 'attribute names must be lower-case letters and digits'
    if (detail === undefined) event[name] = member
    else faults.push({ pointer: `${at}/${pointerToken(name)}`, detail })
  }
  for (const name of REQUIRED_ATTRIBUTES) {
    if (members[name] === undefined || members[name] === null) {
      faults.push({ pointer: `${at}/${name}`, detail: 'is required' })
    }
  }
  addData(event, members, at, faults)
  return faults.length === 0 ? { event: event as unknown as CloudEvent } : { faults }
}

function addData(
  event: Record<string, unknown>,
  members: Record<string, unknown>,
  at: string,
  faults: Fault[],
): void {
  const base64 = members['data_base64'] ?? undefined
  if (base64 === undefined) {
    if (members['data'] !== undefined) event['data'] = members['data']
  } else if (members['data'] !== undefined && members['data'] !== null) {
    faults.push({ pointer: `${at}/data_base64`, detail: 'must not stand beside data' })
  } else if (typeof base64 !== 'string' || !BASE64.test(base64)) {
    faults.push({ pointer: `${at}/data_base64`, detail: 'must be Base64' })
  } else {
    event['data'] = dataFromBytes(Buffer.from(base64, 'base64'), event['datacontenttype'], at, faults)
  }
}

/** JSON in Base64 is JSON still; everything else stays bytes. */
function dataFromBytes(bytes: Buffer, mediaType: unknown, at: string, faults: Fault[]): unknown {
  if (typeof mediaType !== 'string' || !isJsonType(essenceOf(mediaType))) return bytes
  const parsed = parseJson(bytes.toString('utf8'))
  if (parsed.fault !== undefined) faults.push({ pointer: `${at}/data_base64`, detail: parsed.fault })
  return parsed.value
}

/** One event. Bytes go as `data_base64`. */
export function encodeEvent(event: CloudEvent): string {
  if (!(event.data instanceof Uint8Array)) return JSON.stringify(event)
  const { data, ...attributes } = event
  return JSON.stringify({ ...attributes, data_base64: Buffer.from(data).toString('base64') })
}

export const encodeBatch = (events: readonly CloudEvent[]): string => `[${events.map(encodeEvent).join(',')}]`

export function parseJson(
  text: string,
): { readonly value: unknown; readonly fault?: never } | { readonly value?: never; readonly fault: string } {
  try {
    const value: unknown = JSON.parse(text)
    return isTooDeep(text) ? { fault: TOO_DEEP } : { value }
  } catch (error) {
    return { fault: notJson(error) }
  }
}

const TOO_DEEP = `must nest at most ${NESTING_MAX} deep`

const notJson = (error: unknown): string => `must be JSON: ${(error as Error).message.slice(0, 120)}`

const duplicateFault = (at: string, name: string): Fault => ({
  pointer: `${at}/${pointerToken(name)}`,
  detail: `stands twice: which ${quoted(name)} is meant?`,
})

/** RFC 6901. Cut, so that a fault never carries a large name. */
const pointerToken = (name: string): string => name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')
