// What Prometheus reads, held against prom-client counting the same one by one.
import { Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

const DURATIONS_MS = [0, 0.4, 0.5, 0.500001, 1, 3, 49, 50, 51, 9_999, 10_000, 10_001, 60_000]
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Lines of one metric, sorted: the order of labels is nobody's business. */
const linesOf = async (registry: Registry, name: string): Promise<readonly string[]> =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(name) || line.startsWith(`# TYPE ${name}`))
    .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => labels.split(',').toSorted().join(',')))
    .toSorted()

test('a duration falls into the bucket that prom-client would put it into', async () => {
  const metrics = createMetrics({ processMetrics: false })
  const registry = new Registry()
  const handled = new Histogram({
    name: 'jts_event_duration_seconds',
    help: 'The same.',
    labelNames: ['function'],
    buckets: BUCKETS,
    registers: [registry],
  })
  const answered = new Histogram({
    name: 'jts_http_request_duration_seconds',
    help: 'The same.',
    buckets: BUCKETS,
    registers: [registry],
  })
  for (const elapsedMs of DURATIONS_MS) {
    metrics.handled('risk-check', 'done', elapsedMs)
    handled.labels('risk-check').observe(elapsedMs / 1_000)
    metrics.answered(200, elapsedMs)
    answered.observe(elapsedMs / 1_000)
  }
  for (const name of ['jts_event_duration_seconds', 'jts_http_request_duration_seconds']) {
    const lines = await linesOf(metrics.registry, name)
    expect(lines).toHaveLength(BUCKETS.length + 4)
    expect(lines).toEqual(await linesOf(registry, name))
  }
})

test('counters do not grow by being read', async () => {
  const metrics = createMetrics({ processMetrics: false })
  metrics.handled('risk-check', 'done', 1)
  metrics.handled('risk-check', 'retry', 1)
  metrics.handled('risk-check', 'done', 1)
  metrics.answered(503, 1)
  metrics.inFlight(1)
  await metrics.registry.metrics()
  const text = await metrics.registry.metrics()
  expect(text).toContain('jts_events_handled_total{function="risk-check",outcome="done"} 2\n')
  expect(text).toContain('jts_events_handled_total{function="risk-check",outcome="retry"} 1\n')
  expect(text).toContain('jts_http_requests_total{status="503"} 1\n')
  expect(text).toContain('jts_http_requests_in_flight 1\n')
})
