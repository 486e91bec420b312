// Events in, events out, over HTTP.
//
// E1. An answer is 204 (nothing to say), 200 with exactly one CloudEvent in binary mode, or a problem document. This is
//     what a Knative Trigger takes; any other body with a 2xx is a failure there.
// E2. A batch is answered with a batch: only a sender that speaks batches gets one, or one that accepts
//     `application/cloudevents-batch+json`. A batch is handled in order and stops at the first event that is not done;
//     the answer then carries the index of that event and what those before it emitted. It also stops between two events
//     when it has taken as long as one event may take, or when its sender has gone. An event sent by hand is answered
//     with a batch too: a person sees whole events, and not the data of one.
// E3. Where a bus is given, outputs are published before the answer, and the answer is empty.
// E4. Several outputs, no bus, no batch accepted: 406. The handler's effect stands and its outputs are a function of the
//     event, so nothing is lost by delivering it again to a function that is set up rightly.
// E5. Plain JSON without CloudEvents attributes is refused with 400, naming what is missing. An id made up here, from a
//     hash or at random, would make two orders one or one order two. By hand: `faas-cli invoke risk-check < event.json`.
// E6. No input can cause a 5xx: 500 is our defect, 503 is the world around us.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Event } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { CloudEvent } from './cloudevents/cloud-event.ts'
import { type DecodedHttp, decodeHttp } from './cloudevents/http-decode.ts'
import { batchedMessage, binaryHeaders, bodyOf } from './cloudevents/http-encode.ts'
import { CONSEQUENCES, type Delivery, type Failure } from './delivery.ts'
import type { FunctionHost } from './host.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { type Problem, answer, answerList, answerProblem, problem } from './problem.ts'
import { readBody } from './request-body.ts'

export interface EndpointDeps {
  readonly log: Log
  readonly stopwatch: Stopwatch
  readonly metrics?: Metrics
  /** Makes outputs durable before the answer (E3). */
  readonly publish?: (events: readonly Event[]) => Promise<void>
  /** Default 1 MiB. */
  readonly bodyBytesMax?: number
  /** Requests at once; more are answered 429. Default 1,000. */
  readonly inFlightMax?: number
  /** Told of every defect, after its answer. Default: nothing; the process goes on. */
  readonly onDefect?: (error: unknown) => void
  /** True while draining: answers ask their clients to connect elsewhere. */
  readonly isDraining?: () => boolean
}

/** Handles one request for events. Never throws; calls `done` when it is answered or its client has gone. */
export type EventEndpoint = (incoming: IncomingMessage, outgoing: ServerResponse, done?: () => void) => void

const BODY_BYTES_MAX = 1_048_576
const IN_FLIGHT_MAX = 1_000
const TOO_MANY = problem(429, 'too many requests at once')

/** Callbacks, not promises, between Node and the host: each promise would cost a turn of the microtask queue. */
export function eventEndpoint(hosts: readonly FunctionHost[], deps: EndpointDeps): EventEndpoint {
  const { stopwatch, metrics, inFlightMax = IN_FLIGHT_MAX } = deps
  let inFlight = 0

  return (incoming, outgoing, done) => {
    const startMs = stopwatch.elapsedMs()
    if (deps.isDraining?.() === true) outgoing.shouldKeepAlive = false
    const end = (): void => {
      metrics?.answered(outgoing.statusCode, stopwatch.elapsedMs() - startMs)
      done?.()
    }
    const answered = (error?: unknown): void => {
      inFlight -= 1
      metrics?.inFlight(-1)
      if (error !== undefined) answerDefect(deps, outgoing, error)
      end()
    }
    // A body that trickles in is not in flight yet: a thousand slow clients do not shut out the others.
    readEvents(deps, incoming, outgoing, (decoded) => {
      if (decoded === undefined) return end()
      if (inFlight >= inFlightMax) {
        answerProblem(outgoing, TOO_MANY, { 'retry-after': '1' })
        return end()
      }
      inFlight += 1
      metrics?.inFlight(1)
      answerEvents(hosts, deps, decoded, incoming, outgoing, answered)
    })
  }
}

const DEFECT = 'a defect of this function; its log says more'

function answerDefect({ log }: EndpointDeps, outgoing: ServerResponse, error: unknown): void {
  log.error({ error }, 'request handling is defective')
  answerProblem(outgoing, problem(500, DEFECT))
}

type Events = Exclude<DecodedHttp, { mode: 'refused' }>

/** Gives `undefined` when the request was refused, and answered, or its client has gone. */
function readEvents(
  deps: EndpointDeps,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  done: (events: Events | undefined) => void,
): void {
  const encoding = incoming.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    refuse(incoming, outgoing, problem(415, `content-encoding must be identity, is ${encoding.slice(0, 40)}`))
    return done(undefined)
  }
  const bytesMax = deps.bodyBytesMax ?? BODY_BYTES_MAX
  readBody(incoming, bytesMax, (body) => {
    if (body.outcome === 'read') return done(decodedOrRefused(deps, incoming, outgoing, body.bytes))
    if (body.outcome === 'tooLarge') {
      refuse(incoming, outgoing, problem(413, `the body must have at most ${bytesMax} bytes`))
    }
    done(undefined)
  })
}

function decodedOrRefused(
  deps: EndpointDeps,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
): Events | undefined {
  try {
    const decoded = decodeHttp(incoming.rawHeaders, body)
    if (decoded.mode !== 'refused') return decoded
    const detail = decoded.faults.map((fault) => `${fault.pointer} ${fault.detail}`.trim()).join('; ')
    const faults = decoded.faults.slice(0, 100)
    answerProblem(outgoing, problem(decoded.status, detail.slice(0, 2000), { faults }))
  } catch (error) {
    answerDefect(deps, outgoing, error)
  }
  return undefined
}

/** The rest of the body is not read, so the connection cannot be used again. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, content: Problem): void {
  outgoing.shouldKeepAlive = false
  outgoing.once('finish', () => incoming.destroy())
  answerProblem(outgoing, content)
}

/** Calls `done` once, with an error where this module itself is at fault. */
function answerEvents(
  hosts: readonly FunctionHost[],
  deps: EndpointDeps,
  decoded: Events,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  done: (error?: unknown) => void,
): void {
  const [only] = hosts
  if (only === undefined || hosts.length > 1 || deps.publish !== undefined || decoded.mode === 'batched') {
    void answerInTurn(hosts, deps, decoded, incoming, outgoing, done)
    return
  }
  only.start(decoded.event, (delivery) => {
    let fault: unknown
    try {
      if (delivery.outcome === 'done')
        answerOutputs(outgoing, delivery.outputs, takesBatch(decoded, incoming))
      else if (delivery.outcome === 'ignored') answerOutputs(outgoing, [], false)
      else answerFailure(deps, outgoing, delivery, {})
    } catch (error) {
      fault = error
    }
    done(fault)
  })
}

/** Batches, several functions, and outputs that are to be published. */
async function answerInTurn(
  hosts: readonly FunctionHost[],
  deps: EndpointDeps,
  decoded: Events,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  done: (error?: unknown) => void,
): Promise<void> {
  let fault: unknown
  try {
    await deliverInTurn(hosts, deps, decoded, incoming, outgoing)
  } catch (error) {
    fault = error
  }
  done(fault)
}

async function deliverInTurn(
  hosts: readonly FunctionHost[],
  deps: EndpointDeps,
  decoded: Events,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const isBatch = decoded.mode === 'batched'
  const events = isBatch ? decoded.events : [decoded.event]
  const outputs: Event[] = []
  const endMs = deps.stopwatch.elapsedMs() + Math.max(...hosts.map(({ definition }) => definition.timeoutMs))
  for (const [index, event] of events.entries()) {
    if (outgoing.destroyed) return
    if (index > 0 && deps.stopwatch.elapsedMs() >= endMs) {
      const emitted = await publishOrKeep(deps, outputs)
      const rest = { index, outputs: emitted ?? [], untried: true } as const
      answerProblem(outgoing, emitted === undefined ? UNPUBLISHED : problem(503, OUT_OF_TIME, rest))
      return
    }
    const delivery = await deliver(hosts, event)
    if (delivery.outcome === 'done') {
      outputs.push(...delivery.outputs)
    } else if (delivery.outcome !== 'ignored') {
      const emitted = await publishOrKeep(deps, outputs)
      const batch = isBatch ? { index, outputs: emitted ?? [] } : {}
      answerFailure(deps, outgoing, delivery, batch, emitted !== undefined)
      return
    }
  }
  const emitted = await publishOrKeep(deps, outputs)
  if (emitted === undefined) answerProblem(outgoing, UNPUBLISHED)
  else answerOutputs(outgoing, emitted, takesBatch(decoded, incoming))
}

function answerFailure(
  deps: EndpointDeps,
  outgoing: ServerResponse,
  delivery: Failure,
  batch: Pick<Problem, 'index' | 'outputs'>,
  isPublished = true,
): void {
  answerProblem(outgoing, isPublished ? problemOf(delivery, batch) : UNPUBLISHED)
  if (delivery.outcome === 'defect') deps.onDefect?.(delivery.error)
}

const OUT_OF_TIME = 'out of time for the rest of this batch: deliver it again from here'
const UNPUBLISHED = problem(503, 'handled, but what it emitted could not be published: deliver it again')

/** E3. What is left to answer with; `undefined` when publishing failed. */
async function publishOrKeep(
  { publish, log }: EndpointDeps,
  outputs: readonly Event[],
): Promise<readonly Event[] | undefined> {
  if (publish === undefined || outputs.length === 0) return outputs
  try {
    await publish(outputs)
    return []
  } catch (error) {
    log.error({ error, outputs: outputs.length }, 'outputs not published')
    return undefined
  }
}

/** Every function of this process that consumes the event, one after another. */
function deliver(hosts: readonly FunctionHost[], event: CloudEvent): Promise<Delivery> {
  const [only] = hosts
  return hosts.length === 1 && only !== undefined ? only.handle(event) : deliverToAll(hosts, event)
}

async function deliverToAll(hosts: readonly FunctionHost[], event: CloudEvent): Promise<Delivery> {
  const outputs: Event[] = []
  let isConsumed = false
  for (const host of hosts) {
    const delivery = await host.handle(event)
    if (delivery.outcome === 'ignored') continue
    if (delivery.outcome !== 'done') return delivery
    isConsumed = true
    outputs.push(...delivery.outputs)
  }
  return isConsumed ? { outcome: 'done', outputs } : { outcome: 'ignored' }
}

function answerOutputs(outgoing: ServerResponse, outputs: readonly Event[], batch: boolean): void {
  const [first] = outputs
  if (first === undefined) {
    outgoing.writeHead(204)
    outgoing.end()
    return
  }
  if (!batch && outputs.length > 1) {
    const detail = `${outputs.length} events to answer with: accept application/cloudevents-batch+json, or give this function a bus to publish to`
    answerProblem(outgoing, problem(406, detail))
    return
  }
  if (batch) {
    const { headers, body } = batchedMessage(outputs)
    answer(outgoing, CONSEQUENCES.done.status, headers, body)
  } else {
    answerList(outgoing, CONSEQUENCES.done.status, binaryHeaders(first), bodyOf(first))
  }
}

/** E2 */
const takesBatch = ({ mode }: Events, incoming: IncomingMessage): boolean =>
  mode === 'batched' ||
  mode === 'byHand' ||
  (incoming.headers.accept?.toLowerCase().includes('application/cloudevents-batch+json') ?? false)

function problemOf(delivery: Failure, batch: Pick<Problem, 'index' | 'outputs'>): Problem {
  const { status } = CONSEQUENCES[delivery.outcome]
  switch (delivery.outcome) {
    case 'retry':
      return problem(status, delivery.reason, batch)
    case 'poison':
      return problem(
        status,
        delivery.reason,
        delivery.faults === undefined ? batch : { ...batch, faults: delivery.faults.slice(0, 100) },
      )
    case 'defect':
      return problem(status, DEFECT, batch)
  }
}
