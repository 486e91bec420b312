// What a host measures, in Prometheus' terms. One registry for each process, handed in: nothing is global.
//
// Events are counted in plain numbers; what Prometheus reads is made of them when it asks.
import {
  Counter,
  Gauge,
  type Metric,
  type MetricValueWithName,
  Registry,
  collectDefaultMetrics,
} from 'prom-client'
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
  const functions = new Map<string, FunctionTally>()
  const statuses = new Map<number, number>()
  const requestTimes = new Tally()
  let open = 0
  registry.registerMetric(handledCounter(functions))
  registerHistogram(registry, 'jts_event_duration_seconds', 'Time to handle one event, by function.', () =>
    [...functions].map(([name, { times }]) => [{ function: name }, times]),
  )
  registry.registerMetric(requestCounter(statuses))
  registerHistogram(
    registry,
    'jts_http_request_duration_seconds',
    'Time to answer one request for an event.',
    () => [[{}, requestTimes]],
  )
  registry.registerMetric(
    new Gauge({
      name: 'jts_http_requests_in_flight',
      help: 'Requests for events being handled.',
      registers: [],
      collect() {
        this.set(open)
      },
    }),
  )
  return {
    registry,
    handled(functionName: string, outcome: Outcome, elapsedMs: number) {
      let tally = functions.get(functionName)
      if (tally === undefined) {
        tally = { outcomes: new Map(), times: new Tally() }
        functions.set(functionName, tally)
      }
      tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
      tally.times.add(elapsedMs / 1_000)
    },
    answered(status, elapsedMs) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      requestTimes.add(elapsedMs / 1_000)
    },
    inFlight(change) {
      open += change
    },
  }
}

const handledCounter = (functions: ReadonlyMap<string, FunctionTally>) =>
  new Counter({
    name: 'jts_events_handled_total',
    help: 'Events by function and outcome.',
    labelNames: ['function', 'outcome'],
    registers: [],
    collect() {
      this.reset()
      for (const [name, { outcomes }] of functions) {
        for (const [outcome, count] of outcomes) this.inc({ function: name, outcome }, count)
      }
    },
  })

const requestCounter = (statuses: ReadonlyMap<number, number>) =>
  new Counter({
    name: 'jts_http_requests_total',
    help: 'Requests for events by status.',
    labelNames: ['status'],
    registers: [],
    collect() {
      this.reset()
      for (const [status, count] of statuses) this.inc({ status: String(status) }, count)
    },
  })

interface FunctionTally {
  readonly outcomes: Map<Outcome, number>
  readonly times: Tally
}

/** How many durations fell below each bound of `BUCKETS` and above the one before; the last counts those above all. */
class Tally {
  readonly counts: number[] = [...BUCKETS, Infinity].map(() => 0)
  sum = 0

  add(seconds: number): void {
    let bucket = 0
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += seconds
  }
}

type Labels = Readonly<Record<string, string>>

/** prom-client can only observe durations one by one; a registry asks a metric for nothing but `get`. */
function registerHistogram(
  registry: Registry,
  name: string,
  help: string,
  tallies: () => readonly (readonly [Labels, Tally])[],
): void {
  const histogram = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    reset: () => undefined,
    get: () =>
      Promise.resolve({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: tallies().flatMap(([labels, tally]) => valuesOf(name, labels, tally)),
      }),
  }
  registry.registerMetric(histogram as unknown as Metric)
}

/** As Prometheus wants a histogram: each bucket holds all that is not above its bound. */
function valuesOf(name: string, labels: Labels, { counts, sum }: Tally): MetricValueWithName<string>[] {
  let total = 0
  const buckets = counts.map((count, index) => {
    total += count
    const le = BUCKETS[index] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
