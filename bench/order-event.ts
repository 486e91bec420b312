// The event that the HTTP races and the envelope race send: an order request of 1,024 bytes as a binary CloudEvent.

const ORDER = {
  accountId: 'kis:5012345601',
  clientOrderId: 'ma-cross-1m/005930.KRX/4f1c2a90b7e35d68',
  requestedBy: 'ma-cross-1m',
  instrumentId: '005930.KRX',
  side: 'buy',
  orderType: 'limit',
  timeInForce: 'day',
  quantity: '28',
  limitPrice: '70300',
  decidedTime: '2025-09-02T03:00:00.123Z',
  reason: '',
}
const BODY_BYTES = 1_024
const REASON_MAX = 500
const ID_MAX = 200

/** Exactly 1,024 bytes of valid data: a reason as long as the contract allows, and long ids. */
export const ORDER_BODY: string = padded()

function padded(): string {
  const order = { ...ORDER, reason: 'fast average over slow '.repeat(22).slice(0, REASON_MAX) }
  const missing = (): number => BODY_BYTES - Buffer.byteLength(JSON.stringify(order))
  order.clientOrderId = order.clientOrderId.padEnd(
    Math.min(ID_MAX, order.clientOrderId.length + missing()),
    '0',
  )
  order.requestedBy = order.requestedBy.padEnd(Math.min(ID_MAX, order.requestedBy.length + missing()), '0')
  order.reason = order.reason.padEnd(Math.min(REASON_MAX, order.reason.length + Math.max(0, missing())), '.')
  const text = JSON.stringify(order)
  if (text.length !== BODY_BYTES) throw new Error(`the body has ${text.length} bytes`)
  return text
}

/** Eight attributes, as a Kafka trigger sends them. */
export const EVENT_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': '5f0c8f6e3b1d4a7f9c2e6d8b0a1f3e5c',
  'ce-source': '/jts/functions/evaluate-strategy',
  'ce-type': 'jts.order.requested.v1',
  'ce-subject': 'ma-cross-1m/005930.KRX/4f1c2a90b7e35d68',
  'ce-time': '2025-09-02T03:00:00.123Z',
  'ce-correlationid': 'c2e6d8b0a1f3e5c5f0c8f6e3b1d4a7f9',
  'ce-traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}

/** 1,024 bytes again, but of many short members, which cost JSON.parse more: an account with its positions. */
export const ACCOUNT_BODY: string = accountBody()

function accountBody(): string {
  const positions = Array.from({ length: 9 }, (_, index) => ({
    instrumentId: `${String(5_930 + index * 10).padStart(6, '0')}.KRX`,
    quantity: String(28 + index),
    averagePrice: String(70_300 + index * 100),
    realizedPnl: String(index * 1_250),
  }))
  const account = { accountId: 'kis:5012345601', cash: '98031600', positions, note: '' }
  account.note = '.'.repeat(BODY_BYTES - JSON.stringify(account).length)
  return JSON.stringify(account)
}
