// What the bridge measures, in Prometheus' terms.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { Bridge, BridgeMetrics } from './bridge.ts'

const labelNames = ['function'] as const
/** Seconds: from a hot decision to a batch that takes its time. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function bridgeMetrics(registry: Registry): BridgeMetrics {
  const registers = [registry]
  const counter = <Names extends string>(name: string, help: string, labels: readonly Names[]) =>
    new Counter({ name: `jts_bridge_${name}_total`, help, labelNames: labels, registers })
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `jts_bridge_${name}`, help, labelNames, registers })
  const events = counter('events', 'Events that a function has handled.', labelNames)
  const requests = counter('requests', 'Requests to functions, by what they came to.', [
    'function',
    'outcome',
  ])
  const retries = counter('retries', 'Events delivered again.', labelNames)
  const deadLetters = counter('dead_letters', 'Events set aside.', labelNames)
  const inFlight = gauge('requests_in_flight', 'Requests to functions that wait for their answer.')
  const standing = gauge('standing_partitions', 'Partitions that stand still until an event is handled.')
  const durations = new Histogram({
    name: 'jts_bridge_request_duration_seconds',
    help: 'Time until a function answered a request.',
    labelNames,
    buckets: BUCKETS,
    registers,
  })
  return {
    retried: (name) => retries.inc({ function: name }),
    setAside: (name) => deadLetters.inc({ function: name }),
    standing: (name, change) => standing.inc({ function: name }, change),
    inFlight: (name, change) => inFlight.inc({ function: name }, change),
    answered(name, outcome, done, elapsedMs) {
      requests.inc({ function: name, outcome })
      events.inc({ function: name }, done)
      durations.observe({ function: name }, elapsedMs / 1_000)
    },
  }
}

/** What is asked only when somebody looks. */
export function observeBridge(registry: Registry, bridge: Bridge, bus: Pick<EventBus, 'lag'>): void {
  registry.registerMetric(lagGauge(bridge, bus))
  registry.registerMetric(instanceGauge(bridge))
}

const lagGauge = (bridge: Bridge, bus: Pick<EventBus, 'lag'>) =>
  new Gauge({
    name: 'jts_bridge_lag_records',
    help: 'Records that a function has not handled yet; −1 when the bus does not say.',
    labelNames,
    registers: [],
    async collect() {
      const lags = bridge
        .functions()
        .map(async ({ name }) => [name, await bus.lag(name).catch(() => -1)] as const)
      const known = await Promise.all(lags)
      this.reset()
      for (const [name, lag] of known) this.set({ function: name }, lag)
    },
  })

const instanceGauge = (bridge: Bridge) =>
  new Gauge({
    name: 'jts_bridge_instances',
    help: 'Instances of a function, by whether they answer.',
    labelNames: ['function', 'state'],
    registers: [],
    collect() {
      this.reset()
      for (const { name, all, resting } of bridge.functions()) {
        this.set({ function: name, state: 'up' }, all - resting)
        this.set({ function: name, state: 'away' }, resting)
      }
    },
  })
