// Against the CloudEvents SDK, as a peer that others use, and against everything a topic can hold.
import { type CloudEvent, Kafka as Sdk, CloudEvent as SdkEvent } from 'cloudevents'
import * as fc from 'fast-check'
import type { IHeaders } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import { type DecodedRecord, type ReceivedRecord, decodeRecord, encodeRecord } from './binding.ts'
import { decodeDeadLetter, encodeDeadLetter, encodeRawDeadLetter } from './dead-letters.ts'

/** As it comes off the wire. */
const received = ({
  key,
  value,
  headers,
}: {
  readonly key?: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers?: IHeaders | undefined
}): ReceivedRecord => ({
  key: key === undefined || key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, text]) =>
      text === undefined
        ? []
        : [[name, Array.isArray(text) ? text.map((each) => Buffer.from(each)) : Buffer.from(text)]],
    ),
  ),
})

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((value) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value))

const anyEvent: fc.Arbitrary<Event> = fc.record({
  specversion: fc.constant('1.0' as const),
  id: text,
  source: fc.constantFrom('/jts/functions/x', 'https://example.com/a?b=c', 'urn:x:y'),
  type: text,
  subject: text,
  time: fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString()),
  datacontenttype: fc.constant('application/json' as const),
  partitionkey: text,
  correlationid: text,
  causationid: text,
  data: fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    .map((data) => JSON.parse(JSON.stringify(data)) as unknown),
})

const tick: Event = {
  specversion: '1.0',
  id: 'tick-1',
  source: '/jts/functions/ingest-tick',
  type: 'jts.tick.traded.v1',
  subject: '005930.KRX',
  time: '2025-08-28T00:00:00.000Z',
  datacontenttype: 'application/json',
  partitionkey: '005930.KRX',
  correlationid: 'frame-1',
  causationid: 'frame-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: { price: '71000' },
}

/** The headers of a tick with some of them changed; `undefined` takes one away. */
const tickWith = (
  changes: Readonly<Record<string, string | string[] | Buffer | undefined>>,
): DecodedRecord => {
  const { value, headers } = encodeRecord(tick)
  return decodeRecord(received({ value, headers: { ...headers, ...changes } }), 'market.ticks')
}

describe('with ourselves', () => {
  test('whatever we write we read again, in every script', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeRecord(received(encodeRecord(event)), 'market.ticks')).toEqual({ event })
      }),
    )
  })

  test('extensions and the trace come along; the key is the partition key', () => {
    const event = { ...tick, tracestate: 'vendor=1', sampledrate: '3' }
    const record = encodeRecord(event)
    expect(record.key).toBe('005930.KRX')
    expect(decodeRecord(received(record), 'market.ticks')).toEqual({ event })
  })

  test('what a record weighs is never more than was said', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const { key, value, headers, bytes } = encodeRecord(event)
        const parts = [key, ...Object.entries(headers).flat()]
        expect(parts.reduce((sum, part) => sum + Buffer.byteLength(part), value.length)).toBeLessThan(bytes)
      }),
    )
  })

  test('an attribute that is not Unicode is refused, not mangled', () => {
    expect(() => encodeRecord({ ...tick, subject: 'half of a pair: \ud83d' })).toThrow(PoisonError)
  })
})

describe('with the CloudEvents SDK', () => {
  test('it reads what we write', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const { key, value, headers } = encodeRecord(event)
        const message = {
          key,
          value: value.toString('utf8'),
          body: value.toString('utf8'),
          headers,
          timestamp: '',
        }
        const read = Sdk.toEvent<unknown>(message) as CloudEvent<unknown>
        const { data, ...attributes } = event
        for (const [name, attribute] of Object.entries(attributes)) expect(read[name]).toBe(attribute)
        expect(read.data).toEqual(data)
      }),
    )
  })

  test.each(['binary', 'structured'] as const)('we read what it writes in %s mode', (mode) => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const message = Sdk[mode](new SdkEvent(event as unknown as Record<string, unknown>))
        // The SDK leaves the value of a binary message as it is; whoever sends it writes JSON.
        const value = typeof message.value === 'string' ? message.value : JSON.stringify(message.value)
        const headers = message.headers as unknown as IHeaders
        const decoded = decodeRecord(received({ value, headers }), 'market.ticks')
        expect(decoded).toMatchObject({ event })
      }),
    )
  })
})

describe('strictness', () => {
  test.each([
    ['no id', { ce_id: undefined }, 'ce_id is required'],
    ['an empty id', { ce_id: '' }, 'ce_id must not be empty'],
    ['no source', { ce_source: undefined }, 'ce_source is required'],
    ['a source that is no URI', { ce_source: 'not a uri' }, 'ce_source must be a URI-reference'],
    ['no type', { ce_type: undefined }, 'ce_type is required'],
    ['another specversion', { ce_specversion: '2.0' }, 'ce_specversion must be 1.0'],
    ['a header twice', { ce_id: ['a', 'b'] }, 'ce_id stands twice'],
    ['a header in two cases', { CE_ID: 'b' }, 'CE_ID stands twice'],
    ['an id that is not UTF-8', { ce_id: Buffer.from([0xff, 0xfe]) }, 'ce_id stands twice or is not UTF-8'],
    ['a control character', { ce_subject: 'a\u0007b' }, 'ce_subject must not hold control characters'],
    ['a day that is none', { ce_time: '2025-02-30T00:00:00Z' }, 'ce_time must be an RFC 3339 time'],
    ['a value too long', { ce_id: 'x'.repeat(5_000) }, 'ce_id must have at most 4096 characters'],
    ['a name that is none', { ce_data: 'x' }, 'ce_data is no name of an attribute'],
    ['no time', { ce_time: undefined }, 'time is required'],
    ['no key', { ce_partitionkey: undefined }, 'partitionkey is required'],
    ['no correlation', { ce_correlationid: undefined }, 'correlationid is required'],
    ['another content type', { 'content-type': 'text/plain' }, 'content-type must be application/json'],
    ['a known event on a foreign topic', { ce_type: 'jts.order.approved.v1' }, 'belongs on orders'],
  ])('%s is named', (_name, changes, fault) => {
    expect(tickWith(changes).fault).toContain(fault)
  })

  test.each([
    ['no value', null, 'data is required'],
    ['no JSON', 'not json', 'the value'],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0x22]), 'the value must be UTF-8'],
    ['JSON that is too deep', '['.repeat(5_000) + ']'.repeat(5_000), 'the value'],
  ])('%s is named', (_name, value, fault) => {
    const { headers } = encodeRecord(tick)
    expect(decodeRecord(received({ value, headers }), 'market.ticks').fault).toContain(fault)
  })

  test('every fault is named, not the first', () => {
    const { fault } = tickWith({ ce_id: undefined, ce_source: '', ce_specversion: '0.3' })
    for (const header of ['ce_id', 'ce_source', 'ce_specversion']) expect(fault).toContain(header)
  })

  test('a record of somebody else is no event', () => {
    expect(decodeRecord(received({ value: 'hello' }), 'orders').fault).toContain('ce_specversion is required')
  })

  test('an event of a type that nobody knows yet is an event', () => {
    expect(tickWith({ ce_type: 'jts.tick.traded.v2' }).event?.type).toBe('jts.tick.traded.v2')
  })

  test('headers that are not ours do not matter', () => {
    expect(tickWith({ 'x-request-id': '1', traceparent: '00-x' }).event).toEqual(tick)
  })

  test('no bytes make it throw', () => {
    const headers = fc.dictionary(
      fc.oneof(
        fc.constantFrom('ce_id', 'ce_type', 'ce_source', 'ce_specversion', 'content-type'),
        fc.string(),
      ),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(headers, fc.option(fc.uint8Array()), (given, value) => {
        const record = { key: null, value: value === null ? null : Buffer.from(value), headers: given }
        expect(Object.keys(decodeRecord(record, 'orders'))).toHaveLength(1)
      }),
    )
  })
})

describe('dead letters', () => {
  test('an event comes back with who set it aside, why, and after how many tries', () => {
    const letter = { event: tick, consumer: 'risk-check', reason: '값이 없다', attempts: 3 }
    expect(decodeDeadLetter(received(encodeDeadLetter(letter)), 'market.ticks')).toEqual(letter)
  })

  test('what is no event comes back byte for byte, with its place', () => {
    const record = received({ key: 'k', value: Buffer.from([0xff, 0x00]), headers: { a: 'b' } })
    const position = { topic: 'orders', partition: 3, offset: 42n } as const
    const letter = { consumer: 'risk-check', reason: 'ce_id is required', position, record }
    const { key, value, headers } = encodeRawDeadLetter(letter)
    expect(decodeDeadLetter(received({ key: key ?? null, value, headers }), 'orders')).toEqual(letter)
  })
})
