// What must be accepted and what must be refused, request by request. Run over real sockets in http.test.ts.
//
// The event is an order request, so that every acceptance went through the whole host. `expect` holds attributes as the
// handler must see them.
export interface Vector {
  readonly name: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | Uint8Array
  readonly status: 204 | 400 | 415 | 422
  readonly expect?: Readonly<Record<string, unknown>>
  /** A fault must point here. */
  readonly pointer?: string
}

export const ORDER = {
  accountId: 'A-1',
  clientOrderId: 'o-1',
  requestedBy: '홍길동',
  instrumentId: '005930.KRX',
  side: 'buy',
  orderType: 'limit',
  timeInForce: 'day',
  quantity: '10',
  limitPrice: '71000',
  decidedTime: '2026-11-23T00:00:00.000Z',
  reason: '삼성전자 "breakout" 100%',
}
export const BODY = JSON.stringify(ORDER)
export const TYPE = 'jts.order.requested.v1'
export const TIME = '2026-11-23T00:00:00.000Z'

export const ATTRIBUTES = {
  specversion: '1.0',
  id: 'e-1',
  source: '/test/vectors',
  type: TYPE,
  time: TIME,
}
export type Changes = Readonly<Record<string, string | undefined>>

export function binary(
  changes: Changes = {},
  contentType: string | undefined = 'application/json',
): [string, string][] {
  const headers: [string, string][] = contentType === undefined ? [] : [['content-type', contentType]]
  for (const [name, value] of Object.entries({ ...ATTRIBUTES, ...changes })) {
    if (value !== undefined) headers.push([`ce-${name}`, value])
  }
  return headers
}

export const STRUCTURED_TYPE = 'application/cloudevents+json'
export const structured = (type = STRUCTURED_TYPE): [string, string][] => [['content-type', type]]
export const json = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ ...ATTRIBUTES, datacontenttype: 'application/json', data: ORDER, ...changes })

export const good = (
  name: string,
  headers: Vector['headers'],
  body: Vector['body'],
  expect: Readonly<Record<string, unknown>> = {},
): Vector => ({ name, headers, body, status: 204, expect })
export const bad = (
  name: string,
  headers: Vector['headers'],
  body: Vector['body'],
  pointer: string,
  status: 400 | 415 | 422 = 400,
): Vector => ({ name, headers, body, status, pointer })
