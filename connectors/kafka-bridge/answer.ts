// What a function's reply means for the events that it was sent.
//
// A1. Nothing is taken for done that was not said to be: 200 or 204 for all, or a problem document with an index for those
//     before it.
// A2. What is published was read as strictly as any event that comes in, and is of a type that the function may emit.
// A3. An empty body says nothing, whatever its content type: OpenFaaS repeats the request's there.
// A4. The function is `away` where the reply says nothing of the events: they are not at fault, however long it takes.
import { CONTRACTS, contractOf } from '#shared/events/catalogue.ts'
import type { Event } from '#shared/events/contract.ts'
import type { CloudEvent, Fault } from '#shared/runtime/cloudevents/cloud-event.ts'
import { DECODE_LIMITS } from '#shared/runtime/cloudevents/cloud-event.ts'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { decodeEventValue } from '#shared/runtime/cloudevents/json-format.ts'
import { essenceOf } from '#shared/runtime/cloudevents/media-type.ts'
import { acceptEvent } from '#shared/runtime/completion.ts'
import { type Failure, consequenceOfStatus } from '#shared/runtime/delivery.ts'
import { PROBLEM_TYPE, type Problem } from '#shared/runtime/problem.ts'
import type { HttpAnswer, HttpReply } from './http-client.ts'

export type Verdict =
  /** The first `done` events are done and emitted `outputs`; `failure` is that of the next. */
  | {
      readonly kind: 'handled'
      readonly done: number
      readonly outputs: readonly Event[]
      readonly failure?: Failure
    }
  /** It does not say which of the events it means. `failure` is what it says of one that was sent alone. */
  | { readonly kind: 'unclear'; readonly failure: Failure; readonly why: Unclear }
  | { readonly kind: 'away'; readonly reason: string; readonly afterMs?: number }

/** `large`: fewer bytes would do; `slow`: fewer events; `single`: it takes no batches. */
export type Unclear = 'large' | 'slow' | 'single' | 'other'

/** Types that a function may emit. */
export type Emits = ReadonlySet<string>
export const ALL_TYPES: Emits = new Set(CONTRACTS.map(({ type }) => type))

const OUTPUTS_MAX = 100_000
const LIMITS = { ...DECODE_LIMITS, batchMax: OUTPUTS_MAX }
const RETRY_AFTER_MS_MAX = 60_000
const TEXT_MAX = 300

export function verdictOf(reply: HttpReply, sent: number, emits: Emits): Verdict {
  if (reply.kind === 'unreached') return { kind: 'away', reason: reply.reason }
  if (reply.kind === 'broken') {
    const failure = { outcome: 'retry', reason: reply.reason } as const
    return { kind: 'unclear', failure, why: reply.isTimeout === true ? 'slow' : 'other' }
  }
  return consequenceOfStatus(reply.status) === 'resolve'
    ? accepted(reply, sent, emits)
    : refused(reply, sent, emits)
}

function accepted(answer: HttpAnswer, sent: number, emits: Emits): Verdict {
  if (answer.body.length === 0) return { kind: 'handled', done: sent, outputs: [] }
  const decoded = decodeHttp(answer.rawHeaders, answer.body, LIMITS)
  if (decoded.mode === 'refused') return wrong(faultText(decoded.faults))
  return taken(decoded.mode === 'batched' ? decoded.events : [decoded.event], sent, emits)
}

/** A2. */
function taken(events: readonly CloudEvent[], done: number, emits: Emits, failure?: Failure): Verdict {
  const outputs: Event[] = []
  for (const event of events) {
    const contract = contractOf(event.type)
    if (contract === undefined || !emits.has(event.type)) {
      return wrong(`it may not emit ${event.type.slice(0, TEXT_MAX)}`)
    }
    const { event: output, faults } = acceptEvent(event, contract)
    if (output === undefined) return wrong(`a bad ${contract.name}: ${faultText(faults)}`)
    outputs.push(output)
  }
  return { kind: 'handled', done, outputs, ...(failure === undefined ? {} : { failure }) }
}

const faultText = (faults: readonly Fault[]): string =>
  faults
    .map(({ pointer, detail }) => `${pointer} ${detail}`.trim())
    .join('; ')
    .slice(0, TEXT_MAX)

/** Its effect may stand while nobody knows what it emitted: so it is asked again until it answers rightly. */
const wrong = (detail: string): Verdict => ({
  kind: 'unclear',
  failure: { outcome: 'retry', reason: `wrong answer: ${detail}`, isBlameless: true },
  why: 'other',
})

function refused(answer: HttpAnswer, sent: number, emits: Emits): Verdict {
  const said = problemIn(answer)
  if (said?.index !== undefined) return upToIndex(answer, said, said.index, sent, emits)
  const text = answer.body.toString('utf8', 0, TEXT_MAX)
  const reason = said?.detail ?? `answered ${answer.status}${text === '' ? '' : `: ${text}`}`
  const afterMs = retryAfterMs(answer)
  if (consequenceOfStatus(answer.status) === 'deadLetter') {
    const failure = { outcome: 'poison', reason } as const
    return { kind: 'unclear', failure, why: answer.status === 413 ? 'large' : 'other' }
  }
  if (answer.status === 415 && sent > 1) {
    return { kind: 'unclear', failure: { outcome: 'retry', reason, isBlameless: true }, why: 'single' }
  }
  if (!isOfEvents(answer, said)) return { kind: 'away', reason, ...afterMs }
  const why = answer.status === 504 ? 'slow' : 'other'
  return { kind: 'unclear', failure: { outcome: 'retry', reason, ...afterMs }, why }
}

/** A1. */
function upToIndex(answer: HttpAnswer, said: Problem, index: number, sent: number, emits: Emits): Verdict {
  if (!Number.isInteger(index) || index < 0 || index >= sent) return wrong(`an index of ${index} in ${sent}`)
  const outputs: CloudEvent[] = []
  for (const value of said.outputs ?? []) {
    const { event, faults } = decodeEventValue(value, '/outputs', LIMITS)
    if (event === undefined) return wrong(faultText(faults))
    outputs.push(event)
  }
  if (said.untried === true && index > 0) return taken(outputs, index, emits)
  const isPoison = consequenceOfStatus(answer.status) === 'deadLetter'
  const failure: Failure = isPoison
    ? { outcome: 'poison', reason: said.detail }
    : { outcome: 'retry', reason: said.detail, ...retryAfterMs(answer) }
  return taken(outputs, index, emits, failure)
}

/** A4. Whether a refusal is the function's own word, or that of something between it and us. */
function isOfEvents({ status, headers }: HttpAnswer, said: Problem | undefined): boolean {
  if (status === 408 || status === 409 || status === 504) return true
  if (status < 500) return false
  if (said !== undefined) return true
  return status !== 502 && status !== 503 && headers['x-openfaas-internal'] === undefined
}

function problemIn({ headers, body }: HttpAnswer): Problem | undefined {
  if (essenceOf(headers['content-type'] ?? '') !== PROBLEM_TYPE) return undefined
  try {
    const value = JSON.parse(body.toString('utf8')) as Partial<Problem> | null
    if (typeof value !== 'object' || value === null || typeof value.detail !== 'string') return undefined
    const isRight = value.outputs === undefined || Array.isArray(value.outputs)
    return isRight ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}

/** Seconds only: dates would need a clock, and nobody on this road sends them. */
function retryAfterMs({ headers }: HttpAnswer): { readonly afterMs?: number } {
  const seconds = Number(headers['retry-after'])
  if (!Number.isFinite(seconds) || seconds < 0) return {}
  return { afterMs: Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) }
}
