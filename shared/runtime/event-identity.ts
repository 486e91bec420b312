// Ids and traces of caused events: a pure function of their cause, so that a redelivery makes the same events again.
import { hash } from 'node:crypto'

export interface Identity {
  /** 32 hexadecimal digits: 128 bits of SHA-256. */
  readonly id: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
}

/** Identity of the output at `index` of a function that was given event `inputId`. */
export const outputIdentity = (inputId: string, functionName: string, index: number): Identity =>
  identityOf(`${inputId}\n${functionName}\n${index}`)

/** 32 hexadecimal digits for a list of parts; no two lists share their text, wherever parts hold separators. */
export const contentIdentity = (parts: readonly string[]): string => identityOf(JSON.stringify(parts)).id

function identityOf(text: string): Identity {
  const digest = hash('sha256', text, 'hex')
  return { id: digest.slice(0, 32), spanId: digest.slice(32, 48) }
}

const TRACEPARENT = /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/
/** Where the trace id begins and ends in it, and where the flags begin. */
const TRACE_AT = 3
const TRACE_END = 35
const FLAGS_AT = 53
const NO_TRACE = '0'.repeat(32)

/** The same trace with the span of the output; a new trace where the parent has none that can be read. */
export function childTrace(parent: string | undefined, cause: string, spanId: string): string {
  if (parent !== undefined && TRACEPARENT.test(parent)) {
    const traceId = parent.slice(TRACE_AT, TRACE_END)
    if (traceId !== NO_TRACE) return `00-${traceId}-${spanId}-${parent.slice(FLAGS_AT)}`
  }
  return `00-${traceIdOf(cause)}-${spanId}-01`
}

/** The trace of an event that begins a chain. */
export function rootTrace(id: string): string {
  const { spanId } = identityOf(id)
  return `00-${traceIdOf(id)}-${spanId}-01`
}

const traceIdOf = (id: string): string => hash('sha256', `trace\n${id}`, 'hex').slice(0, 32)
