// P1 and P2: events through the HTTP host of a function, everything checked on the way in and out.
//
// W1. All take the same POST: a JSON body of 1,024 bytes and eight attributes as headers.
// W2. All handlers do the same: two members of the data go into one event that is the answer. What is raced is the host,
//     not what a function decides.
// W3. Bare answers with as many attributes as ours, a fresh id and the time among them, and with a content length, as
//     ours does: an answer in chunks would slow it down, fewer attributes would make it another answer. It checks nothing.
import { type Contestant, type RaceResult, type Round, figureOf, interleave, report } from '../harness.ts'
import { type Load, generatorNote, loadOf } from '../load.ts'
import { EVENT_HEADERS, ORDER_BODY } from '../order-event.ts'
import { type ServerCommand, cpuSecondsOf, pinningNote, startServer } from '../processes.ts'

const ROUNDS = 5
const SECONDS = 2
const CONNECTIONS = 32

const BARE = 'bare node:http + JSON.parse'
const OURS = 'ours, all checked'
const FAAS = 'faas-js-runtime'
const GOOGLE_HTTP = 'functions-framework, http + SDK'
const GOOGLE_EVENT = 'functions-framework, cloudEvent (204)'

const SERVERS: Readonly<Record<string, ServerCommand & { readonly answersEvent: boolean }>> = {
  [BARE]: { file: 'bench/servers/bare.ts', answersEvent: true },
  [OURS]: { file: 'bench/servers/ours.ts', answersEvent: true },
  [FAAS]: { file: 'bench/peers/faas-js-runtime.mjs', answersEvent: true },
  [GOOGLE_HTTP]: {
    file: 'bench/peers/functions-framework.mjs',
    environment: { SIGNATURE: 'http' },
    answersEvent: true,
  },
  [GOOGLE_EVENT]: {
    file: 'bench/peers/functions-framework.mjs',
    environment: { SIGNATURE: 'cloudevent' },
    answersEvent: false,
  },
}

/** H3: every server says the same of the same order. */
async function checkAnswer(name: string, port: number, answersEvent: boolean): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: EVENT_HEADERS,
    body: ORDER_BODY,
  })
  const text = await response.text()
  if (!answersEvent && response.status === 204) return
  const isDenial =
    response.headers.get('ce-type') === 'jts.order.denied.v1' && text.includes('TRADING_HALTED')
  if (response.status !== 200 || !isDenial) throw new Error(`${name}: ${response.status} ${text}`)
}

/** With the time on its core that the server needed for a request: what busy neighbours on the machine hardly change. */
async function measured(load: Omit<Load, 'seconds'>, pid: number): Promise<Round> {
  const before = cpuSecondsOf(pid)
  const figures = await loadOf({ ...load, seconds: SECONDS })
  const after = cpuSecondsOf(pid)
  if (before === undefined || after === undefined) return figures
  return { ...figures, cpuUsEach: ((after - before) * 1e6) / (figures.requestsPerSecond * SECONDS) }
}

async function run(): Promise<RaceResult> {
  const contestants: Contestant[] = []
  const stops: (() => Promise<void>)[] = []
  try {
    for (const [name, command] of Object.entries(SERVERS)) {
      const server = await startServer(command)
      stops.push(() => server.stop())
      await checkAnswer(name, server.port, command.answersEvent)
      const load = { port: server.port, headers: EVENT_HEADERS, body: ORDER_BODY, connections: CONNECTIONS }
      contestants.push({ name, measure: () => measured(load, server.pid) })
    }
    const standings = await interleave(contestants, { rounds: ROUNDS })
    const ratio = (figure: string, of: string, to: string): number =>
      figureOf(standings, of, figure) / figureOf(standings, to, figure)
    const rate = 'requestsPerSecond'
    return {
      title: `a binary CloudEvent of 1,024 bytes, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s`,
      standings,
      targets: [
        { what: 'requests, ours ÷ bare', value: ratio(rate, OURS, BARE), atLeast: 0.75 },
        { what: 'requests, ours ÷ faas-js-runtime', value: ratio(rate, OURS, FAAS), atLeast: 3.5 },
        {
          what: 'requests, ours ÷ functions-framework (http)',
          value: ratio(rate, OURS, GOOGLE_HTTP),
          atLeast: 4.5,
        },
        { what: 'p99, ours ÷ bare', value: ratio('p99Ms', OURS, BARE), atMost: 1.4 },
        { what: 'p99, ours ÷ faas-js-runtime', value: ratio('p99Ms', OURS, FAAS), atMost: 0.25 },
      ],
      notes: [
        `${generatorNote}; ${pinningNote}`,
        'bare checks nothing; the cloudEvent signature cannot answer',
        `server CPU a request, bare ÷ ours ${(1 / ratio('cpuUsEach', OURS, BARE)).toFixed(2)}, faas-js-runtime ÷ ours ${ratio('cpuUsEach', FAAS, OURS).toFixed(2)}`,
      ],
    }
  } finally {
    for (const stop of stops) await stop()
  }
}

report(import.meta.filename, await run())
