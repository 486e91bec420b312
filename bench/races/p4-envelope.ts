// P4: a CloudEvent from headers and body, read and checked, against JSON.parse of the body alone.
import { HTTP, CloudEvent } from 'cloudevents'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { type RaceResult, figureOf, interleave, nanosecondsEach, report } from '../harness.ts'
import { ACCOUNT_BODY, EVENT_HEADERS, ORDER_BODY } from '../order-event.ts'

const ROUNDS = 11
const TIMES = 20_000

const PARSE = 'JSON.parse of the body'
const OURS = 'ours, decoded and checked'
const SDK = 'cloudevents SDK, toEvent'
const SDK_CHECKED = 'cloudevents SDK, toEvent + validate'

const HEADERS: Record<string, string> = { ...EVENT_HEADERS, 'content-length': String(ORDER_BODY.length) }
/** As Node hands them over: names, values, names, values. */
const RAW_HEADERS: readonly string[] = ['Host', '127.0.0.1:8080', ...Object.entries(HEADERS).flat()]

function sdkEvent(body: Buffer): CloudEvent<unknown> {
  const event = HTTP.toEvent({ headers: HEADERS, body: body.toString() })
  if (Array.isArray(event)) throw new Error('a batch came of one event')
  return event as CloudEvent<unknown>
}

const WORK: Readonly<Record<string, (body: Buffer) => number>> = {
  [PARSE]: (body) => (JSON.parse(body.toString()) as { accountId: string }).accountId.length,
  [OURS]: (body) => {
    const decoded = decodeHttp(RAW_HEADERS, body)
    if (decoded.mode !== 'binary') throw new Error(`refused: ${JSON.stringify(decoded)}`)
    return decoded.event.id.length
  },
  [SDK]: (body) => sdkEvent(body).id.length,
  [SDK_CHECKED]: (body) => {
    const event = sdkEvent(body)
    event.validate()
    return event.id.length
  },
}

/** H3. */
function checkSame(body: Buffer): void {
  const decoded = decodeHttp(RAW_HEADERS, body)
  const event = sdkEvent(body)
  const data = JSON.stringify(JSON.parse(body.toString()))
  if (decoded.mode !== 'binary' || decoded.event.id !== event.id || decoded.event.type !== event.type) {
    throw new Error('the SDK reads another event')
  }
  if (JSON.stringify(decoded.event.data) !== data || JSON.stringify(event.data) !== data) {
    throw new Error('the data differ')
  }
}

const BODIES: Readonly<Record<string, string>> = {
  'many members': ACCOUNT_BODY,
  'long strings': ORDER_BODY,
}

async function run(): Promise<RaceResult> {
  const bodies = Object.entries(BODIES).map(([kind, text]) => [kind, Buffer.from(text)] as const)
  for (const [, body] of bodies) checkSame(body)
  const contestants = bodies.flatMap(([kind, body]) =>
    Object.entries(WORK).map(([name, work]) => ({
      name: `${kind}: ${name}`,
      measure: () => nanosecondsEach(TIMES, () => work(body)),
    })),
  )
  const standings = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
  const ratio = (kind: string, of: string, to: string): number =>
    figureOf(standings, `${kind}: ${of}`, 'nanoseconds') /
    figureOf(standings, `${kind}: ${to}`, 'nanoseconds')
  return {
    title: `envelope and body of 1,024 bytes from a Buffer, ${ROUNDS} rounds of ${TIMES.toLocaleString('en-US')}`,
    standings,
    targets: Object.keys(BODIES).flatMap((kind) => [
      { what: `${kind}: time, ours ÷ JSON.parse alone`, value: ratio(kind, OURS, PARSE), atMost: 1.15 },
      { what: `${kind}: time, SDK toEvent ÷ ours`, value: ratio(kind, SDK, OURS), atLeast: 5 },
      { what: `${kind}: time, SDK with validate ÷ ours`, value: ratio(kind, SDK_CHECKED, OURS), atLeast: 5 },
    ]),
    notes: ['ours includes the JSON.parse and the check that the body is UTF-8'],
  }
}

report(import.meta.filename, await run())
