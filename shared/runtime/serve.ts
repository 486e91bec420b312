// A deployed function: one process, one server, drained on SIGTERM.
import type { AddressInfo } from 'node:net'
import * as z from 'zod'
import type { Instant } from '#shared/domain/time.ts'
import type { EventContract } from '#shared/events/contract.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { hostOnEventTime } from './business-time.ts'
import { ConfigError } from './config.ts'
import type { ConsumeOptions } from './consume.ts'
import type { FunctionDefinition, Handler } from './function.ts'
import { hostFunction } from './host.ts'
import { functionServer } from './http.ts'
import { type Closable, type Lifecycle, type Part, runLifecycle } from './lifecycle.ts'
import { LOG_LEVELS, type Log, createLog } from './log.ts'
import { createMetrics } from './metrics.ts'

/** Settings of every deployed function. */
export const ServeConfig = z.object({
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe(
      'Port a function listens on. Knative sets it; behind the OpenFaaS watchdog it is 3000. 0 picks a free one.',
    ),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least important log line that is written.'),
  JTS_BODY_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1_024)
    .max(67_108_864)
    .default(1_048_576)
    .describe('Largest request body, bytes. Larger ones are answered 413.'),
  JTS_DRAIN_GRACE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe('How long a process that was told to end still takes work, milliseconds: routers notice late.'),
  JTS_CLOSE_MS_MAX: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(20_000)
    .describe(
      'How long work in flight may take to end after the grace, milliseconds. Keep it below what the platform grants.',
    ),
  JTS_CONSUME: z
    .stringbool()
    .optional()
    .describe(
      'Makes the process of a function a member of its consumer group: it takes its events from Kafka itself, and needs no bridge or trigger. Needs JTS_KAFKA_BROKERS.',
    ),
})
export type ServeSettings = z.output<typeof ServeConfig>

export interface ServeOptions {
  readonly config: ServeSettings
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Stopwatch
  /** Told the time of every event before it is handled, where events move the clock. */
  readonly onEventTime?: (at: Instant) => void
  /** Where outputs go; closed at the end. Without it they are the HTTP answer. */
  readonly bus?: EventBus | undefined
  /** Ended after the last request, in reverse order. */
  readonly closes?: readonly Closable[]
  /** Why this process should get no traffic yet; empty when it should. */
  readonly notReady?: () => readonly string[]
  /** Default: JSON lines on standard output. */
  readonly log?: Log
}

export interface Serving extends Lifecycle {
  /** The port it listens on. */
  readonly port: number
}

/** Serves one function until a signal ends it. A defect ends the process with code 1, after its answer. */
export async function serve<Consumes extends EventContract, Produces extends EventContract>(
  definition: FunctionDefinition<Consumes, Produces>,
  handler: Handler<FunctionDefinition<Consumes, Produces>>,
  options: ServeOptions,
): Promise<Serving> {
  const { config, clock, stopwatch, bus, closes = [] } = options
  const log = options.log ?? createLog(definition.name, config.LOG_LEVEL)
  const metrics = createMetrics()
  const hosted = hostFunction(definition, handler, { clock, stopwatch, log, metrics })
  const host = options.onEventTime === undefined ? hosted : hostOnEventTime(hosted, options.onEventTime)
  let isDraining = false
  const onDrain = (): void => {
    isDraining = true
  }
  const onDefect = (error: unknown): void => {
    log.fatal({ error }, 'defect: the process ends and is started again')
    void endDefective(starting)
  }
  const server = functionServer([host], {
    log,
    stopwatch,
    metrics,
    bodyBytesMax: config.JTS_BODY_BYTES_MAX,
    isDraining: () => isDraining,
    onDefect,
    ...(bus === undefined ? {} : { publish: (events) => bus.publish(events) }),
    ...(options.notReady === undefined ? {} : { notReady: options.notReady }),
  })
  const parts = [
    ...dependencyParts(bus === undefined ? closes : [...closes, bus]),
    { name: 'host', start: async () => async () => host.close() },
    serverPart(server, config.PORT, stopwatch),
    ...(config.JTS_CONSUME === true ? [consumingPart(bus, { host, stopwatch, log, onDefect })] : []),
  ]
  const starting = runLifecycle(parts, {
    log,
    stopwatch,
    graceMs: config.JTS_DRAIN_GRACE_MS,
    closeMsMax: config.JTS_CLOSE_MS_MAX,
    onDrain,
  })
  const lifecycle = await starting
  const { port } = server.address() as AddressInfo
  log.info({ port }, 'listening')
  return { ...lifecycle, port }
}

/** Loaded by those who need it only: others are woken by a request that waits for them. */
const consumingPart = (bus: EventBus | undefined, options: Omit<ConsumeOptions, 'bus'>): Part => ({
  name: 'consumer group',
  async start() {
    if (bus === undefined) throw new ConfigError(['JTS_CONSUME: needs JTS_KAFKA_BROKERS'])
    const { consume } = await import('./consume.ts')
    const consumption = await consume({ bus, ...options })
    return () => consumption.close()
  },
})

/** Lets others in flight end, then ends the process for sure: a watchdog starts it again only if its code is not 0. */
async function endDefective(starting: Promise<Lifecycle>): Promise<never> {
  const lifecycle = await starting
  await lifecycle.stop('defect')
  return process.exit(1)
}

export const dependencyParts = (closes: readonly Closable[]): readonly Part[] =>
  closes.map((each, index) => ({
    name: `dependency ${index + 1}`,
    start: async () => () => each.close(),
  }))

export const serverPart = (server: Listener, port: number, stopwatch: Stopwatch): Part => ({
  name: 'server',
  start: async () => {
    await listen(server, port)
    return () => closeServer(server, stopwatch)
  },
})

type Listener = ReturnType<typeof functionServer>

/** On all interfaces: a function lives in a container. @throws when the port is taken. */
const listen = (server: Listener, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, () => {
      server.off('error', reject)
      resolve()
    })
  })

const IDLE_CHECK_MS = 50

/** Resolves when the last request in flight is answered. A connection that was busy is let go as soon as it idles. */
async function closeServer(server: Listener, stopwatch: Stopwatch): Promise<void> {
  const closed = new AbortController()
  server.close(() => closed.abort())
  while (!closed.signal.aborted) {
    server.closeIdleConnections()
    await stopwatch.sleep(IDLE_CHECK_MS, closed.signal).catch(() => undefined)
  }
}
