import { lookup } from 'node:dns/promises'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { systemRandom } from '#shared/adapters/system/random.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { ConfigError, loadSettings, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { runConnector } from '#shared/runtime/connector.ts'
import { createLog } from '#shared/runtime/log.ts'
import { createMetrics } from '#shared/runtime/metrics.ts'
import { ServeConfig } from '#shared/runtime/serve.ts'
import { DEFINITIONS } from '../../apps/definitions.ts'
import { type Bridge, startBridge } from './bridge.ts'
import { BridgeConfig } from './config.ts'
import { gatewaySource } from './gateway.ts'
import { httpClient } from './http-client.ts'
import { bridgeMetrics, observeBridge } from './metrics.ts'
import { type TargetSource, targetsAt } from './target.ts'

/** Short at first: an execution notice often overtakes the acknowledgement of its order by a few milliseconds. */
const RETRY_BASE_MS = 20
const RETRY_MAX_MS = 10_000

const config = orExit(() => loadSettings([ServeConfig, BridgeConfig, KafkaConfig], process.env))
const log = createLog('kafka-bridge', config.LOG_LEVEL)
const client = httpClient({
  stopwatch: systemStopwatch,
  connectMsMax: config.JTS_BRIDGE_CONNECT_MS_MAX,
  answerBytesMax: config.JTS_BRIDGE_ANSWER_BYTES_MAX,
})
const source = orExit((): TargetSource => {
  const { JTS_BRIDGE_GATEWAY_URL: url, JTS_BRIDGE_FUNCTIONS: places = new Map() } = config
  if (url !== undefined) {
    return gatewaySource({
      url,
      user: config.JTS_BRIDGE_GATEWAY_USER,
      password: config.JTS_BRIDGE_GATEWAY_PASSWORD,
      namespace: config.JTS_BRIDGE_NAMESPACE,
      client,
      log,
      timeoutMs: config.JTS_BRIDGE_TIMEOUT_MS,
      batchMax: config.JTS_BRIDGE_BATCH_MAX,
    })
  }
  const names = DEFINITIONS.map(({ name }) => name)
  const unknown = [...places.keys()].filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new ConfigError([
      `JTS_BRIDGE_FUNCTIONS: there is no ${unknown.join(', ')}; there are ${names.join(', ')}`,
    ])
  }
  const targets = targetsAt(places, DEFINITIONS, config.JTS_BRIDGE_BATCH_MAX)
  return () => Promise.resolve(targets)
})

const crash = Promise.withResolvers<never>()
crash.promise.catch(() => undefined) // whoever works is told; before that there is nobody
const bus = await openOrExit(
  'JTS_KAFKA_BROKERS',
  () => kafkaBus({ settings: config, stopwatch: systemStopwatch, log, onCrash: crash.reject }),
  log,
)

const metrics = createMetrics()
let bridge: Bridge | undefined

async function work(signal: AbortSignal): Promise<void> {
  bridge = startBridge({
    bus,
    source,
    client,
    stopwatch: systemStopwatch,
    random: systemRandom,
    log,
    metrics: bridgeMetrics(metrics.registry),
    retry: { attemptsMax: config.JTS_BRIDGE_ATTEMPTS_MAX, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS },
    pollMs: config.JTS_BRIDGE_POLL_MS,
    bytesMax: config.JTS_BODY_BYTES_MAX,
    inFlightMax: config.JTS_BRIDGE_IN_FLIGHT_MAX,
    marginMs: config.JTS_BRIDGE_TIMEOUT_MARGIN_MS,
    leaveMs: config.JTS_BRIDGE_LEAVE_MS,
    ...(config.JTS_BRIDGE_RESOLVE ? { lookup: (name) => lookup(name, { all: true }) } : {}),
  })
  observeBridge(metrics.registry, bridge, bus)
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  try {
    await Promise.race([stopped, bridge.ended, crash.promise])
  } finally {
    await bridge.close()
  }
}

await runConnector(work, {
  config,
  stopwatch: systemStopwatch,
  log,
  metrics,
  closes: [{ close: async () => client.close() }, bus],
  notReady: () => bridge?.notReady() ?? ['starting'],
})
