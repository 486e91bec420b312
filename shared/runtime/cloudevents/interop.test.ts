// Against the CloudEvents SDK, as a peer that others use: whatever we send it reads, whatever it sends rightly we read.
import { CloudEvent as SdkEvent, HTTP } from 'cloudevents'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CloudEvent } from './cloud-event.ts'
import { decodeHttp } from './http-decode.ts'
import { type HttpMessage, batchedMessage, binaryMessage, structuredMessage } from './http-encode.ts'

const rawHeaders = (headers: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
const bytes = (body: unknown): Buffer =>
  Buffer.from(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
const read = ({
  headers,
  body,
}: {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}) => decodeHttp(rawHeaders(headers), bytes(body))
const readOne = (message: HttpMessage): CloudEvent => {
  const decoded = read(message)
  if (decoded.mode === 'binary' || decoded.mode === 'structured') return decoded.event
  throw new Error(JSON.stringify(decoded))
}

const jsonValue = fc.jsonValue({ maxDepth: 3 }).filter((value) => JSON.stringify(value) !== undefined)
/** Any text that may stand in an attribute. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((value) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value))
const asciiText = fc.stringMatching(/^[!#$&-~]{1,20}$/)
const eventOf = (attribute: fc.Arbitrary<string>): fc.Arbitrary<CloudEvent> =>
  fc.record({
    specversion: fc.constant('1.0' as const),
    id: attribute,
    source: fc.constantFrom('/jts/functions/x', 'https://example.com/a?b=c', 'urn:x:y'),
    type: attribute,
    subject: attribute,
    time: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
    datacontenttype: fc.constant('application/json'),
    partitionkey: attribute,
    customext: attribute,
    data: fc.dictionary(fc.string(), jsonValue).map((data) => JSON.parse(JSON.stringify(data)) as unknown),
  })

describe('with ourselves', () => {
  test('whatever we write in binary mode we read again, in every script', () => {
    fc.assert(
      fc.property(eventOf(text), (event) => {
        expect(readOne(binaryMessage(event))).toEqual(event)
      }),
    )
  })

  test('whatever we write in structured mode we read again', () => {
    fc.assert(
      fc.property(eventOf(text), (event) => {
        expect(readOne(structuredMessage(event))).toEqual(event)
      }),
    )
  })

  test('whatever we write as a batch we read again', () => {
    fc.assert(
      fc.property(fc.array(eventOf(text), { maxLength: 5 }), (events) => {
        expect(read(batchedMessage(events))).toEqual({ mode: 'batched', events })
      }),
    )
  })

  test('bytes survive both modes', () => {
    const event: CloudEvent = {
      specversion: '1.0',
      id: '1',
      source: '/x',
      type: 'x',
      datacontenttype: 'application/octet-stream',
      data: Buffer.from([0, 255, 128]),
    }
    expect(readOne(binaryMessage(event))).toEqual(event)
    expect(readOne(structuredMessage(event))).toEqual(event)
  })

  test('an extension may be called as what every object has', () => {
    const event = {
      specversion: '1.0',
      id: '1',
      source: '/x',
      type: 'x',
      constructor: 'a',
      tostring: 'b',
    } as const
    expect(readOne(binaryMessage(event as unknown as CloudEvent))).toEqual(event)
    expect(readOne(structuredMessage(event as unknown as CloudEvent))).toEqual(event)
  })

  test('half of a surrogate pair is not sent as something else', () => {
    const event: CloudEvent = { specversion: '1.0', id: '\uD800', source: '/x', type: 'x' }
    expect(() => binaryMessage(event)).toThrow(TypeError)
  })
})

// The SDK decodes no percent-encoding, so attributes that need it are left to the tests above.
describe('with the SDK', () => {
  const sdkEvent = (event: CloudEvent) => new SdkEvent({ ...event } as Partial<SdkEvent<unknown>>)
  const sdkAttributes = ({ data: _data, ...attributes }: CloudEvent) => attributes

  test.each([
    ['binary', binaryMessage],
    ['structured', structuredMessage],
  ] as const)('it reads what we write: %s', (_mode, write) => {
    fc.assert(
      fc.property(eventOf(asciiText), (event) => {
        const { headers, body } = write(event)
        const sdkHeaders = { ...headers, 'content-type': headers['content-type'] ?? '' }
        const decoded = HTTP.toEvent({ headers: sdkHeaders, body: String(body) }) as SdkEvent
        expect(decoded.validate()).toBe(true)
        expect({ ...(JSON.parse(JSON.stringify(decoded)) as object) }).toMatchObject(sdkAttributes(event))
        expect(JSON.parse(JSON.stringify(decoded.data))).toEqual(event.data)
      }),
    )
  })

  test('it reads our batches', () => {
    fc.assert(
      fc.property(fc.array(eventOf(asciiText), { minLength: 1, maxLength: 4 }), (events) => {
        const { headers, body } = batchedMessage(events)
        const decoded = HTTP.toEvent({ headers: { ...headers }, body: String(body) }) as unknown as SdkEvent[]
        expect(JSON.parse(JSON.stringify(decoded))).toEqual(JSON.parse(JSON.stringify(events)))
      }),
    )
  })

  test.each([
    ['binary', (event: SdkEvent<unknown>) => HTTP.binary(event)],
    ['structured', (event: SdkEvent<unknown>) => HTTP.structured(event)],
  ] as const)('we read what it writes: %s', (_mode, write) => {
    fc.assert(
      fc.property(eventOf(asciiText), (event) => {
        const { headers, body } = write(sdkEvent(event))
        expect(readOne({ headers: headers as Record<string, string>, body: bytes(body) })).toMatchObject({
          ...event,
        })
      }),
    )
  })

  test('we read batches of what it writes', () => {
    fc.assert(
      fc.property(fc.array(eventOf(asciiText), { maxLength: 4 }), (events) => {
        const body = JSON.stringify(events.map((event) => sdkEvent(event)))
        const decoded = read({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body })
        expect(decoded).toMatchObject({ mode: 'batched', events })
      }),
    )
  })
})
