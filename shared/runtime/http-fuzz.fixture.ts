// Requests that go wrong in every way we could think of, from a seed: a good request, then some mutations of its attributes,
// its JSON, its framing and its bytes.
import { ORDER } from './cloudevents/http-vector.ts'

export interface FuzzRequest {
  readonly bytes: Buffer
  /** The framing is broken: no second answer can be told apart on this connection. */
  readonly isFinal: boolean
}

/** Mulberry32: small, seeded, the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}
type Random = ReturnType<typeof randomOf>

const pick = <Item>(random: Random, items: readonly [Item, ...Item[]]): Item =>
  items[random(items.length)] ?? items[0]

const TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '0',
  'null',
  '%',
  '%4',
  '%zz',
  '%00',
  '%ff%fe',
  '%ED%A0%80',
  '%EC%82%BC',
  '"',
  '"x',
  '"\\"',
  '\\',
  'a\tb',
  '\u00ec\u0082\u00bc',
  '1.0',
  '2.0',
  '../..',
  'http://[',
  'urn:',
  '//',
  '/a b',
  '\u007f',
  'constructor',
  '__proto__',
  'x'.repeat(5_000),
  '2026-02-30T00:00:00Z',
  '2026-11-23T00:00:00Z',
  '9999-12-31T23:59:59.999999999+23:59',
  '0000-01-01T00:00:00Z',
  'jts.order.requested.v1',
  'jts.order.cancel-requested.v1',
]
const NAMES: readonly [string, ...string[]] = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'partitionkey',
  'correlationid',
  'causationid',
  'traceparent',
  'tracestate',
  'data',
  'data_base64',
  'customext',
  'Custom',
  'my-ext',
  'constructor',
  '',
]
const JSONS: readonly [string, ...string[]] = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e400',
  '-0',
  '9007199254740993',
  '""',
  '"x"',
  '[]',
  '{}',
  '[[]]',
  '{"":0}',
  '"\\ud800"',
  '"\\u0000"',
  '"삼성"',
  '{"__proto__":{"a":1}}',
  '{"constructor":1}',
  '{"toJSON":1}',
  '{"then":1}',
  `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  '{"a":',
  '[1,',
  '"\n"',
  'NaN',
  'undefined',
  '\uFEFF{}',
]
const CONTENT_TYPES: readonly [string, ...string[]] = [
  'application/json',
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents+json; charset=utf-8',
  'application/cloudevents-batch+json',
  'application/cloudevents',
  'application/cloudevents+xml',
  'application/json; charset=utf-16',
  'text/plain',
  'text/plain; charset="',
  'application/octet-stream',
  'json',
  ';',
  'a/b;c',
  'APPLICATION/JSON',
  'multipart/form-data; boundary=x',
]

/** The same seed makes the same request. */
export function generateRequest(seed: number): FuzzRequest {
  const random = randomOf(seed)
  const contentType = pick(random, CONTENT_TYPES)
  const isEnvelope = contentType.toLowerCase().startsWith('application/cloudevents')
  const attributes = new Map<string, string>([
    ['specversion', '1.0'],
    ['id', `fuzz-${seed}`],
    ['source', '/fuzz'],
    ['type', 'jts.order.requested.v1'],
    ['time', '2026-11-23T00:00:00.000Z'],
  ])
  const mutations = random(4)
  for (let count = 0; count < mutations; count += 1) {
    const name = pick(random, NAMES)
    if (random(3) === 0) attributes.delete(name)
    else attributes.set(name, pick(random, TEXTS))
  }
  const body = isEnvelope ? envelopeOf(random, attributes, contentType.includes('batch')) : dataOf(random)
  const headers: [string, string][] = [['content-type', contentType]]
  if (!isEnvelope || random(4) === 0)
    for (const [name, text] of attributes) headers.push([`ce-${name}`, text])
  return frame(random, headers, spoil(random, Buffer.from(body)))
}

function dataOf(random: Random): string {
  if (random(4) === 0) return pick(random, JSONS)
  const data: Record<string, unknown> = { ...ORDER }
  if (random(2) === 0)
    data[pick(random, ['quantity', 'side', 'limitPrice', 'decidedTime', 'extra'])] = pick(random, TEXTS)
  return JSON.stringify(data)
}

function envelopeOf(random: Random, attributes: ReadonlyMap<string, string>, isBatch: boolean): string {
  const members = [...attributes].map(
    ([name, text]) =>
      `${JSON.stringify(name)}:${random(10) === 0 ? pick(random, JSONS) : JSON.stringify(text)}`,
  )
  members.push(`"data":${dataOf(random)}`)
  if (random(8) === 0) members.push(members[random(members.length)] ?? '')
  const event = `{${members.join(',')}}`
  return isBatch ? `[${Array.from({ length: random(4) }, () => event).join(',')}]` : event
}

/** Sometimes cuts the bytes, changes some, or repeats a part. */
function spoil(random: Random, bytes: Buffer): Buffer {
  switch (random(8)) {
    case 0:
      return bytes.subarray(0, random(bytes.length + 1))
    case 1: {
      const changed = Buffer.from(bytes)
      for (let count = random(4); count >= 0 && changed.length > 0; count -= 1)
        changed[random(changed.length)] = random(256)
      return changed
    }
    case 2:
      return Buffer.concat([bytes, bytes.subarray(random(bytes.length + 1))])
    default:
      return bytes
  }
}

function frame(random: Random, headers: readonly (readonly [string, string])[], body: Buffer): FuzzRequest {
  const lines = headers
    .filter(([name]) => /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/.test(name))
    .map(([name, text]) => `${random(8) === 0 ? name.toUpperCase() : name}: ${text}`)
  if (random(20) === 0)
    lines.push(
      pick(random, [
        'ce-id: twice',
        'content-type: text/plain',
        'content-encoding: gzip',
        'accept: application/cloudevents-batch+json',
        'expect: 100-continued',
      ]),
    )
  const start = `POST ${pick(random, ['/', '/', '/events', '/?x=1'])} HTTP/1.1\r\nhost: x\r\n${lines.join('\r\n')}\r\n`
  if (random(10) === 0) {
    const half = random(body.length + 1)
    const chunks = [body.subarray(0, half), body.subarray(half)].filter((chunk) => chunk.length > 0)
    const parts = chunks.flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ])
    return {
      bytes: Buffer.concat([
        Buffer.from(`${start}transfer-encoding: chunked\r\n\r\n`, 'latin1'),
        ...parts,
        Buffer.from('0\r\n\r\n'),
      ]),
      isFinal: false,
    }
  }
  const whole = Buffer.concat([Buffer.from(`${start}content-length: ${body.length}\r\n\r\n`, 'latin1'), body])
  if (random(50) !== 0) return { bytes: whole, isFinal: false }
  return { bytes: brokenFrame(random, start, body), isFinal: true }
}

/** Framing that no server should believe. */
function brokenFrame(random: Random, start: string, body: Buffer): Buffer {
  const head = pick(random, [
    `${start}content-length: ${body.length}\r\ntransfer-encoding: chunked\r\n\r\n`,
    `${start}content-length: x\r\n\r\n`,
    `${start}content-length: -1\r\n\r\n`,
    `${start}content-length: ${body.length}\r\ncontent-length: ${body.length + 1}\r\n\r\n`,
    `${start}bad header\r\n\r\n`,
    `POST / HTTP/9.9\r\n\r\n`,
    `\u0016\u0003\u0001\r\n\r\n`,
    `${start}transfer-encoding: chunked\r\n\r\nzz\r\n`,
  ])
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
