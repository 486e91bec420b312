// What a host measures, in Prometheus' terms. One registry for each process, handed in: nothing is global.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Outcome } from './delivery.ts'
import type { HostMetrics } from './host.ts'

export interface Metrics extends HostMetrics {
  readonly registry: Registry
  /** One HTTP request was answered. */
  answered(status: number, elapsedMs: number): void
  /** Requests in progress: +1 and −1. */
  inFlight(change: 1 | -1): void
}

/** Seconds: from a hot decision to a slow broker. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** With `processMetrics` the registry also tells event loop lag, memory, CPU and garbage collection. */
export function createMetrics({
  processMetrics = true,
}: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (processMetrics) collectDefaultMetrics({ register: registry })
  const events = new Counter({
    name: 'jts_events_handled_total',
    help: 'Events by function and outcome.',
    labelNames: ['function', 'outcome'],
    registers: [registry],
  })
  const eventSeconds = new Histogram({
    name: 'jts_event_duration_seconds',
    help: 'Time to handle one event, by function.',
    labelNames: ['function'],
    buckets: BUCKETS,
    registers: [registry],
  })
  const requests = new Counter({
    name: 'jts_http_requests_total',
    help: 'Requests for events by status.',
    labelNames: ['status'],
    registers: [registry],
  })
  const requestSeconds = new Histogram({
    name: 'jts_http_request_duration_seconds',
    help: 'Time to answer one request for an event.',
    buckets: BUCKETS,
    registers: [registry],
  })
  const open = new Gauge({
    name: 'jts_http_requests_in_flight',
    help: 'Requests for events being handled.',
    registers: [registry],
  })
  const outcomes = remembered((key) => {
    const [name = '', outcome = ''] = key.split(' ')
    return events.labels(name, outcome)
  })
  const durations = remembered((name) => eventSeconds.labels(name))
  const statuses = remembered((status) => requests.labels(status))
  return {
    registry,
    handled(functionName: string, outcome: Outcome, elapsedMs: number) {
      outcomes(`${functionName} ${outcome}`).inc()
      durations(functionName).observe(elapsedMs / 1000)
    },
    answered(status, elapsedMs) {
      statuses(String(status)).inc()
      requestSeconds.observe(elapsedMs / 1000)
    },
    inFlight: (change) => open.inc(change),
  }
}

/** Looking a child up by its labels costs more than counting: keep what was found. */
function remembered<Child>(find: (key: string) => Child): (key: string) => Child {
  const children = new Map<string, Child>()
  return (key) => {
    let child = children.get(key)
    if (child === undefined) {
      child = find(key)
      children.set(key, child)
    }
    return child
  }
}
