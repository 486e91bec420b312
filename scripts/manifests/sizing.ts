// How much of a machine a workload gets, and how long it may take: the numbers that both platforms are given.
import type { FunctionDefinition } from '#shared/runtime/function.ts'

export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string }
  readonly limits: { readonly cpu: string; readonly memory: string }
}

/** A Node process with its connections; its event loop can use one core and no more. */
const USUAL: Resources = {
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '1', memory: '384Mi' },
}
/** Those who see every tick, and keep market state in the process. */
const BUSY: Resources = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1', memory: '768Mi' },
}
const BUSY_WORKLOADS: ReadonlySet<string> = new Set([
  'archive-event',
  'evaluate-strategy',
  'ingest-tick',
  'kafka-bridge',
  'kis-stream',
])

export const resourcesOf = (name: string): Resources => (BUSY_WORKLOADS.has(name) ? BUSY : USUAL)

/** Beyond the deadline of an event: publishing what it emitted, and the answer. */
const PUBLISHING_MS = 5_000

/** What an HTTP request to the function may take, milliseconds. */
export const requestMsOf = ({ timeoutMs }: Pick<FunctionDefinition, 'timeoutMs'>): number =>
  timeoutMs + PUBLISHING_MS

export const secondsOf = (ms: number): number => Math.ceil(ms / 1_000)
