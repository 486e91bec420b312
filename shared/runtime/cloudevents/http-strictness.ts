// 38 cases around what the CloudEvents SDK and runtimes built on it get wrong: 12 to accept, 26 to refuse.
// They are vectors of http-vectors-*.ts, by name; what is sent and what must come back stands there.
import type { Vector } from './http-vector.ts'
import { BINARY_VECTORS } from './http-vectors-binary.ts'
import { STRUCTURED_VECTORS } from './http-vectors-structured.ts'

const MUST_ACCEPT = [
  // The usual.
  'binary, plain',
  'structured, plain',
  // Media types compared byte for byte.
  'content type in capitals',
  'content type without the blank',
  'another JSON type',
  'structured, charset in capitals',
  'structured, without the blank',
  'structured, media type in capitals',
  // Header values and data that arrive encoded.
  'percent-encoded Korean',
  'a quoted value with escapes',
  'white space around the JSON',
  'structured, data in Base64',
] as const

const MUST_REFUSE = [
  // Where an SDK makes something up: an id at random, the time of arrival.
  'no id',
  'structured, no id',
  'an empty id',
  'no time: none is made up',
  'time "yesterday"',
  'time "2026-02-29T00:00:00Z"',
  'structured, time unreadable',
  // Attributes.
  'no source',
  'no type',
  'no specversion',
  'spec version 2.0',
  'structured, spec version 2.0',
  'structured, id a number',
  'structured, an extension that is an object',
  'structured, a name in capitals',
  'an attribute twice',
  // Header values.
  'Korean text raw in a header',
  'a stray percent sign',
  'percent-encoding that is not UTF-8',
  'an encoded line feed',
  // Bodies.
  'a body that is a number',
  'a body that is not JSON',
  'structured, not JSON',
  'structured, data and data_base64',
  'structured, Base64 that is none',
  'structured, another format',
] as const

const BY_NAME = new Map([...BINARY_VECTORS, ...STRUCTURED_VECTORS].map((vector) => [vector.name, vector]))

function vectorOf(name: string): Vector {
  const vector = BY_NAME.get(name)
  if (vector === undefined) throw new Error(`no vector is called ${name}`)
  return vector
}

export const STRICTNESS_GOOD: readonly Vector[] = MUST_ACCEPT.map(vectorOf)
export const STRICTNESS_BAD: readonly Vector[] = MUST_REFUSE.map(vectorOf)
