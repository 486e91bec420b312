// Errors over HTTP: RFC 9457 problem documents that name every fault.
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Fault } from './cloudevents/cloud-event.ts'

export const PROBLEM_TYPE = 'application/problem+json'

export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly faults?: readonly Fault[]
  /** Of a batch: the event at fault. Those before it are done, those after it were not looked at. */
  readonly index?: number
  /** Of a batch: what the events before `index` emitted, as CloudEvents. Publish them. */
  readonly outputs?: readonly unknown[]
  /** Of a batch: the event at `index` was not tried. */
  readonly untried?: true
}

export const problem = (
  status: number,
  detail: string,
  more: Pick<Problem, 'faults' | 'index' | 'outputs' | 'untried'> = {},
): Problem => ({ status, title: STATUS_CODES[status] ?? 'Error', detail, ...more })

/** Writes a whole answer. Does nothing when the client has gone. */
export function answer(
  outgoing: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  answerList(outgoing, status, Object.entries(headers).flat(), body)
}

/** The same for headers as a list of names and values, which is changed. */
export function answerList(
  outgoing: ServerResponse,
  status: number,
  headers: string[],
  body: string | Uint8Array,
): void {
  if (outgoing.headersSent || outgoing.destroyed) return
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  headers.push('content-length', String(size))
  outgoing.writeHead(status, headers)
  outgoing.end(body)
}

export function answerProblem(
  outgoing: ServerResponse,
  content: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(outgoing, content.status, { ...headers, 'content-type': PROBLEM_TYPE }, JSON.stringify(content))
}
