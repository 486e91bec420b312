// Reads from an OpenFaaS gateway which functions there are and what they consume.
//
// G1. `jts.events` names the event types of a function; without it, `topic` names whole topics. A function whose
//     annotations say neither, or a topic that is not ours (`cron-function`), is none of ours.
// G2. A function that asks for something unknown is left out as a whole, loudly: its group would pass over what nobody
//     here understands.
import * as z from 'zod'
import { CONTRACTS, contractOf } from '#shared/events/catalogue.ts'
import { type EventContract, TOPICS } from '#shared/events/contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Log } from '#shared/runtime/log.ts'
import type { HttpClient } from './http-client.ts'
import { placeOf } from './instances.ts'
import type { Target, TargetSource } from './target.ts'

export const EVENTS_ANNOTATION = 'jts.events'
/** What the function may answer with; without it, any event that there is a contract for. */
export const OUTPUTS_ANNOTATION = 'jts.outputs'
export const TIMEOUT_ANNOTATION = 'jts.timeout-ms'
export const BATCH_ANNOTATION = 'jts.batch-max'
export const TOPIC_ANNOTATION = 'topic'

export interface GatewayOptions {
  readonly url: string
  readonly user: string
  /** Absent: a gateway without basic auth. */
  readonly password?: string | undefined
  /** Absent: the gateway's own default. */
  readonly namespace?: string | undefined
  readonly client: HttpClient
  readonly log: Log
  /** For functions that do not say so themselves. */
  readonly timeoutMs: number
  readonly batchMax: number
}

const READ_MS_MAX = 10_000

export function gatewaySource(options: GatewayOptions): TargetSource {
  const { user, password, namespace, client, log } = options
  const base = options.url.replace(/\/+$/, '')
  const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`
  const place = placeOf(`${base}/system/functions${query}`)
  const credentials = Buffer.from(`${user}:${password ?? ''}`).toString('base64')
  return async (signal) => {
    const reply = await client.send(place, {
      method: 'GET',
      headers: password === undefined ? {} : { authorization: `Basic ${credentials}` },
      body: '',
      timeoutMs: READ_MS_MAX,
      signal,
      leaveMs: 0,
    })
    if (reply.kind !== 'answer') throw new RetryableError(`the gateway does not answer: ${reply.reason}`)
    if (reply.status === 401 || reply.status === 403) {
      throw new RetryableError(
        `the gateway answered ${reply.status}: see JTS_BRIDGE_GATEWAY_USER and JTS_BRIDGE_GATEWAY_PASSWORD`,
      )
    }
    if (reply.status !== 200)
      throw new RetryableError(`the gateway answered ${reply.status} for its functions`)
    return functionsIn(reply.body.toString('utf8')).flatMap((each) => {
      const found = targetFrom(each, base, options)
      if (found.fault !== undefined)
        log.error({ function: each.name, fault: found.fault }, 'function left out')
      return found.target === undefined ? [] : [found.target]
    })
  }
}

const FunctionStatus = z.object({
  name: z.string().min(1),
  namespace: z.string().nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})
type FunctionStatus = z.output<typeof FunctionStatus>

function functionsIn(text: string): readonly FunctionStatus[] {
  try {
    return z.array(FunctionStatus).parse(JSON.parse(text))
  } catch (error) {
    throw new RetryableError('the gateway did not answer with a list of functions', { cause: error })
  }
}

interface Found {
  readonly target?: Target
  readonly fault?: string
}

/** Nothing for a function that is none of ours (G1). */
export function targetFrom(
  { name, namespace, annotations }: FunctionStatus,
  base: string,
  defaults: Pick<GatewayOptions, 'timeoutMs' | 'batchMax'>,
): Found {
  const said = annotations ?? {}
  const consumes = consumedBy(said)
  if (consumes === undefined) return {}
  if (consumes.fault !== undefined) return consumes
  const produces = said[OUTPUTS_ANNOTATION] === undefined ? undefined : ofTypes(said[OUTPUTS_ANNOTATION])
  if (produces?.fault !== undefined) return produces
  const timeoutMs = wholeNumber(said[TIMEOUT_ANNOTATION], defaults.timeoutMs)
  if (timeoutMs === undefined) return { fault: `${TIMEOUT_ANNOTATION} is no number of milliseconds` }
  const batchMax = wholeNumber(said[BATCH_ANNOTATION], defaults.batchMax)
  if (batchMax === undefined) return { fault: `${BATCH_ANNOTATION} is no number of events` }
  const suffix = namespace === undefined || namespace === null || namespace === '' ? '' : `.${namespace}`
  const target = {
    name,
    consumes: consumes.contracts,
    urls: [`${base}/function/${name}${suffix}`],
    timeoutMs,
    batchMax: Math.min(batchMax, defaults.batchMax),
  }
  return { target: produces === undefined ? target : { ...target, produces: produces.contracts } }
}

type Contracts =
  | { readonly contracts: readonly EventContract[]; readonly fault?: never }
  | { readonly contracts?: never; readonly fault: string }

/** `undefined`: nothing of ours. */
function consumedBy(annotations: Readonly<Record<string, string>>): Contracts | undefined {
  const types = annotations[EVENTS_ANNOTATION]
  if (types !== undefined) {
    const found = ofTypes(types)
    return found.contracts?.length === 0 ? { fault: `${EVENTS_ANNOTATION} is empty` } : found
  }
  const topics = wordsOf(annotations[TOPIC_ANNOTATION] ?? '')
  const ours = topics.filter((topic) => topic in TOPICS)
  if (ours.length === 0) return undefined
  const unknown = topics.filter((topic) => !ours.includes(topic))
  if (unknown.length > 0) return { fault: `${TOPIC_ANNOTATION} names ${unknown.join(', ')}` }
  return { contracts: CONTRACTS.filter(({ topic }) => ours.includes(topic)) }
}

function ofTypes(text: string): Contracts {
  const types = wordsOf(text)
  const unknown = types.filter((type) => contractOf(type) === undefined)
  if (unknown.length > 0) return { fault: `there is no event ${unknown.join(', ')} in this version` }
  return { contracts: CONTRACTS.filter(({ type }) => types.includes(type)) }
}

const wordsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '')

/** `undefined` where it is none. */
function wholeNumber(text: string | undefined, preset: number): number | undefined {
  if (text === undefined) return preset
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text) : undefined
}
