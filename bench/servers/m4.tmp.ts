import { isUtf8, isAscii } from 'node:buffer'
import { readPlainHeaders, plainEvent } from '#shared/runtime/cloudevents/http-plain.ts'
import { parseJson } from '#shared/runtime/cloudevents/json-format.ts'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { EVENT_HEADERS, ORDER_BODY, ACCOUNT_BODY } from '../order-event.ts'
const raw = ['Host', '127.0.0.1:8080', ...Object.entries({ ...EVENT_HEADERS, 'content-length': '1024' }).flat()]
const body = Buffer.from(ORDER_BODY), text = body.toString(), b2 = Buffer.from(ACCOUNT_BODY), t2 = ACCOUNT_BODY
const plain = readPlainHeaders(raw)!
const works: Record<string, () => any> = {
  raw: () => JSON.parse(body.toString()), parse2: () => JSON.parse(b2.toString()),
  toString: () => body.toString('utf8'), utf8Slice: () => body.utf8Slice(0, body.length), latin1: () => body.latin1Slice(0, body.length),
  includes: () => text.includes('\uFFFD'), isUtf8: () => isUtf8(body), isAscii: () => isAscii(body),
  headers: () => readPlainHeaders(raw), plainEvent: () => plainEvent(plain, 1), parseJson: () => parseJson(text), JSONp: () => JSON.parse(text),
  decode: () => decodeHttp(raw, body), decode2: () => decodeHttp(raw, b2),
}
for (let r = 0; r < 4; r++) { const l = []; for (const [n, w] of Object.entries(works)) { const s = performance.now(); for (let i = 0; i < 40000; i++) w(); l.push(`${n} ${((performance.now() - s) * 25).toFixed(0)}`) } if (r > 1) console.log(l.join('  ')) }
