// P4: a CloudEvent from headers and body, read and checked, against JSON.parse of the body alone.
import { HTTP, CloudEvent } from 'cloudevents'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { type RaceResult, figureOf, interleave, nanosecondsEach, report } from '../harness.ts'
import { EVENT_HEADERS, ORDER_BODY } from '../order-event.ts'

const ROUNDS = 11
const TIMES = 20_000

const PARSE = 'JSON.parse of the body'
const OURS = 'ours, decoded and checked'
const SDK = 'cloudevents SDK, toEvent'
const SDK_CHECKED = 'cloudevents SDK, toEvent + validate'

const BODY = Buffer.from(ORDER_BODY)
/** As Node hands them over: names, values, names, values. */
const RAW_HEADERS: readonly string[] = Object.entries({
  Host: '127.0.0.1:8080',
  ...EVENT_HEADERS,
  'Content-Length': String(BODY.length),
}).flat()
/** As Node hands them to an SDK: in lower case. */
const HEADERS: Record<string, string> = {
  host: '127.0.0.1:8080',
  ...EVENT_HEADERS,
  'content-length': String(BODY.length),
}

const parse = (): number => Object.keys(JSON.parse(BODY.toString()) as object).length

function ours(): number {
  const decoded = decodeHttp(RAW_HEADERS, BODY)
  if (decoded.mode !== 'binary') throw new Error(`refused: ${JSON.stringify(decoded)}`)
  return decoded.event.id.length
}

function sdkEvent(): CloudEvent<unknown> {
  const event = HTTP.toEvent({ headers: HEADERS, body: BODY.toString() })
  if (Array.isArray(event)) throw new Error('a batch came of one event')
  return event as CloudEvent<unknown>
}

/** H3. */
function checkSame(): void {
  const decoded = decodeHttp(RAW_HEADERS, BODY)
  const event = sdkEvent()
  const data = JSON.stringify(JSON.parse(ORDER_BODY))
  if (decoded.mode !== 'binary' || decoded.event.id !== event.id || decoded.event.type !== event.type) {
    throw new Error('the SDK reads another event')
  }
  if (JSON.stringify(decoded.event.data) !== data || JSON.stringify(event.data) !== data) {
    throw new Error('the data differ')
  }
}

async function run(): Promise<RaceResult> {
  checkSame()
  const work: Readonly<Record<string, () => number>> = {
    [PARSE]: parse,
    [OURS]: ours,
    [SDK]: () => sdkEvent().id.length,
    [SDK_CHECKED]: () => {
      const event = sdkEvent()
      event.validate()
      return event.id.length
    },
  }
  const contestants = Object.entries(work).map(([name, each]) => ({
    name,
    measure: () => nanosecondsEach(TIMES, each),
  }))
  const standings = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
  const ratio = (of: string, to: string): number =>
    figureOf(standings, of, 'nanoseconds') / figureOf(standings, to, 'nanoseconds')
  return {
    title: `envelope and body of 1,024 bytes from a Buffer, ${ROUNDS} rounds of ${TIMES.toLocaleString('en-US')}`,
    standings,
    targets: [
      { what: 'time, ours ÷ JSON.parse alone', value: ratio(OURS, PARSE), atMost: 1.15 },
      { what: 'time, SDK toEvent ÷ ours', value: ratio(SDK, OURS), atLeast: 5 },
      { what: 'time, SDK with validate ÷ ours', value: ratio(SDK_CHECKED, OURS), atLeast: 5 },
    ],
    notes: ['ours includes the JSON.parse and the check that the body is UTF-8'],
  }
}

report(import.meta.filename, await run())
