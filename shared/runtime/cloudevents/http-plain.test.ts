// The short way must say exactly what the long way says, or pass.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHttp } from './http-decode.ts'
import { readPlainHeaders } from './http-plain.ts'

/** Names in capitals, which only the long way takes. */
const theLongWay = (headers: readonly string[]): string[] =>
  headers.map((text, at) =>
    at % 2 === 0 && text.toLowerCase().startsWith('ce-') ? text.toUpperCase() : text,
  )

const NAMES = [
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
]
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('1.0', 'e-1', '/a/b', 'x.y', '2026-11-23T00:00:00.000Z') },
  fc.constantFrom(
    '',
    ' ',
    '%41',
    '"q"',
    '삼',
    '/a b',
    '//',
    '2026-02-30T00:00:00Z',
    '2026-11-30T00:00:00Z',
    'a'.repeat(1_025),
  ),
  fc.string({ maxLength: 6 }),
)
const attribute = fc.tuple(fc.constantFrom(...NAMES, 'customext', 'my-ext', ''), value)
const whole = (extra: readonly (readonly [string, string])[]): string[] => [
  'content-type',
  'application/json',
  ...[
    ...new Map([['specversion', '1.0'], ['id', 'e-1'], ['source', '/a'], ['type', 'x'], ...extra] as [
      string,
      string,
    ][]),
  ].flatMap(([name, text]) => [`ce-${name}`, text]),
]
const body = fc.constantFrom('{"a":1}', '[]', '{', '', '"삼성"', '\uFFFD', '"\uFFFD"', ' 1 ')

test('both ways agree on every request that the short way takes', () => {
  let taken = 0
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 4 }), body, (extra, text) => {
      const headers = whole(extra)
      if (readPlainHeaders(headers) !== undefined) taken += 1
      const bytes = Buffer.from(text)
      expect(decodeHttp(headers, bytes)).toEqual(decodeHttp(theLongWay(headers), bytes))
    }),
    { numRuns: 2_000 },
  )
  expect(taken).toBeGreaterThan(200)
})

test('our own events and those that Go re-writes take the short way', () => {
  const own = whole(
    NAMES.map(
      (name) =>
        [
          name,
          { specversion: '1.0', source: '/jts/functions/x', time: '2026-11-28T23:59:59.999Z' }[name] ?? 'x',
        ] as const,
    ),
  )
  const canonical = own.map((text, at) =>
    at % 2 === 1 ? text : text.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  )
  expect(readPlainHeaders(own)).toBeDefined()
  expect(readPlainHeaders(canonical)).toBeDefined()
  expect(decodeHttp(canonical, Buffer.from('{}'))).toEqual(decodeHttp(own, Buffer.from('{}')))
})

test('bytes that are not UTF-8 are refused on the short way too', () => {
  expect(decodeHttp(whole([]), Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({
    mode: 'refused',
    status: 400,
  })
})
