// What became of an event, and what each ending means to whoever delivered it. The table stands here and nowhere else:
// the HTTP host answers by it, the Kafka bridge and the in-process bus act by it.
import type { Event } from '#shared/events/contract.ts'
import type { Fault } from './cloudevents/cloud-event.ts'

export type Delivery =
  /** Handled, now or before. `outputs` are finished and not yet published. */
  | { readonly outcome: 'done'; readonly outputs: readonly Event[] }
  /** Of a type that this function does not consume. */
  | { readonly outcome: 'ignored' }
  /** The world was not ready: deliver it again. */
  | {
      readonly outcome: 'retry'
      readonly reason: string
      /** It says nothing of the event, which is never set aside for it. Default: false. */
      readonly isBlameless?: boolean
      /** Not sooner than this many milliseconds from now. */
      readonly afterMs?: number
    }
  /** It can never be handled: dead-letter it. `faults` say where its data is wrong. */
  | { readonly outcome: 'poison'; readonly reason: string; readonly faults?: readonly Fault[] }
  /** Our own mistake: the process ends, and the event comes again. */
  | { readonly outcome: 'defect'; readonly error: unknown }

export type Outcome = Delivery['outcome']
export type Failure = Exclude<Delivery, { outcome: 'done' | 'ignored' }>

export interface Consequence {
  /** What the HTTP host answers. */
  readonly status: number
  /** What a consumer does with the record. */
  readonly action: 'resolve' | 'redeliver' | 'deadLetter' | 'stop'
}

// Knative delivers again for 5xx, 404, 408, 409 and 429 and for nothing else (`isRetryableStatusCode` of its Kafka
// broker), so poison is never one of these.
export const CONSEQUENCES: Readonly<Record<Outcome, Consequence>> = {
  done: { status: 200, action: 'resolve' },
  ignored: { status: 204, action: 'resolve' },
  retry: { status: 503, action: 'redeliver' },
  poison: { status: 422, action: 'deadLetter' },
  defect: { status: 500, action: 'stop' },
}

const RETRYABLE = new Set([404, 408, 409, 429])

/** Whether a trigger delivers again after this answer. No answer at all is delivered again too. */
export const isRetryableStatus = (status: number): boolean => status >= 500 || RETRYABLE.has(status)

/** An answer that refuses the event itself. */
const REFUSALS = new Set([400, 413, 422])

/**
 * What a consumer does after this answer of a function that it called over HTTP. An answer that is neither done nor a word
 * about the event (a redirect, 401, 404, the 202 of a queue) is a wrong door: the event waits for somebody to mend it.
 */
export function consequenceOfStatus(status: number): 'resolve' | 'redeliver' | 'deadLetter' {
  if (status === 200 || status === 204) return 'resolve'
  return REFUSALS.has(status) ? 'deadLetter' : 'redeliver'
}
