// What the CloudEvents conformance project asks of the JSON format (its valid and invalid events and batches), case by
// case, as changes to one event of our own.
import { expect, test } from 'vitest'
import { decodeBatch, decodeEvent } from './json-format.ts'

const MINIMAL = { specversion: '1.0', id: 'e-1', type: 'com.example.tested', source: 'https://example.com' }
const CORE = {
  ...MINIMAL,
  datacontenttype: 'text/plain',
  dataschema: 'https://example.com/schema',
  subject: 'tests',
  time: '2026-11-23T05:31:00Z',
}
const EXTENSIONS = {
  ...MINIMAL,
  aninteger: 10,
  aboolean: true,
  astring: 'text',
  auri: 'https://example.com',
  areference: '//authority/path',
  atimestamp: '2026-11-23T05:31:00Z',
  abinary: 'TWE=',
}
type Changes = Readonly<Record<string, unknown>>
const event = (changes: Changes): string => JSON.stringify({ ...MINIMAL, ...changes })
const time = (text: string): Changes => ({ time: text })

const VALID: Readonly<Record<string, Changes>> = {
  'nothing but what is required': {},
  'null for all that is optional': { datacontenttype: null, dataschema: null, subject: null, time: null },
  'every attribute of the core': CORE,
  'a time in UTC': time('2026-11-23T05:31:00Z'),
  'a time with nanoseconds': time('2026-11-23T05:31:00.000000000Z'),
  'a time east of Greenwich': time('2026-11-23T06:31:00+01:00'),
  'a time west of Greenwich': time('2026-11-23T04:31:00-01:00'),
  'a source that is a fragment': { source: '#fragment' },
  'data that are text': { datacontenttype: 'text/plain', data: 'Some text' },
  'extensions of every type': EXTENSIONS,
}

/** With the member that is at fault. */
const INVALID: Readonly<Record<string, readonly [changes: Changes, member: string]>> = {
  'no spec version': [{ specversion: undefined }, 'specversion'],
  'no id': [{ id: undefined }, 'id'],
  'no type': [{ type: undefined }, 'type'],
  'no source': [{ source: undefined }, 'source'],
  'a time that is a word': [time('noon'), 'time'],
  'a time without seconds': [time('2026-11-23T05:31Z'), 'time'],
  'a time in a zone that is a letter': [time('2026-11-23T05:31:00X'), 'time'],
  'a time 25 hours off': [time('2026-11-23T05:31:00+25:00'), 'time'],
  'a time off by letters': [time('2026-11-23T05:31:00+xx:00'), 'time'],
  'a time off by hours alone': [time('2026-11-23T05:31:00+05'), 'time'],
  'an empty id': [{ id: '' }, 'id'],
  'an empty type': [{ type: '' }, 'type'],
  'an empty source': [{ source: '' }, 'source'],
  'an empty spec version': [{ specversion: '' }, 'specversion'],
  'a spec version of long ago': [{ specversion: '0.9' }, 'specversion'],
  'a media type that is none': [{ datacontenttype: 'abc' }, 'datacontenttype'],
  'an empty media type': [{ datacontenttype: '' }, 'datacontenttype'],
  'an empty data schema': [{ dataschema: '' }, 'dataschema'],
  'an empty subject': [{ subject: '' }, 'subject'],
  'an id that is a number': [{ id: 7 }, 'id'],
  'an id that is an object': [{ id: { a: 'b' } }, 'id'],
  'an extension in capitals': [{ AnExtension: 'x' }, 'AnExtension'],
  'an extension with a dot': [{ 'an.extension': 'x' }, 'an.extension'],
  'an extension with a dot that is a fraction': [{ 'an.extension': 1.5 }, 'an.extension'],
  'data twice, as text and in Base64': [{ data: 'text', data_base64: 'eyJhIjoxfQ==' }, 'data_base64'],
}

test('the cases of the conformance project: 10 valid events, 25 invalid ones', () => {
  expect([Object.keys(VALID).length, Object.keys(INVALID).length]).toEqual([10, 25])
})

test.each(Object.entries(VALID))('accepted: %s', (_name, changes) => {
  const present = Object.entries({ ...MINIMAL, ...changes }).filter(([, value]) => value !== null)
  expect(decodeEvent(event(changes))).toEqual({ event: Object.fromEntries(present) })
})

test.each(Object.entries(INVALID))('refused: %s', (_name, [changes, member]) => {
  expect(decodeEvent(event(changes)).faults?.map(({ pointer }) => pointer)).toEqual([`/${member}`])
})

test.each([
  ['none', []],
  ['one', [MINIMAL]],
  ['one event twice', [MINIMAL, MINIMAL]],
  ['one with every attribute', [MINIMAL, CORE]],
  ['one with extensions', [MINIMAL, EXTENSIONS]],
])('accepted, a batch of %s', (_name, events) => {
  expect(decodeBatch(JSON.stringify(events))).toEqual({ events })
})

test.each([
  ['two spec versions', [MINIMAL, { ...MINIMAL, specversion: '0.9' }], '/1/specversion'],
  ['an event without an id', [{ ...MINIMAL, id: undefined }], '/0/id'],
  ['a text', ['an event', MINIMAL], '/0'],
])('refused, a batch with %s', (_name, events, pointer) => {
  expect(decodeBatch(JSON.stringify(events)).faults?.map((fault) => fault.pointer)).toEqual([pointer])
})
