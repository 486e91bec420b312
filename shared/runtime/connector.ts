// A deployed connector: work that goes on until a signal ends it, with health, readiness and metrics over HTTP.
import type { AddressInfo } from 'node:net'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { functionServer } from './http.ts'
import { type Closable, type Lifecycle, type Part, runLifecycle } from './lifecycle.ts'
import type { Log } from './log.ts'
import { type Metrics, createMetrics } from './metrics.ts'
import { type ServeSettings, dependencyParts, serverPart } from './serve.ts'

export interface ConnectorOptions {
  readonly config: ServeSettings
  readonly stopwatch: Stopwatch
  readonly log: Log
  /** Ended after the work, in reverse order. */
  readonly closes?: readonly Closable[]
  /** Default: what every process measures, and no more. */
  readonly metrics?: Metrics
  /** Why it does not do its work now; empty when it does. */
  readonly notReady?: () => readonly string[]
}

/**
 * Runs `work` until a signal aborts it. When it ends by itself, by a fault or without one, the process ends with code 1:
 * who started it starts it again.
 */
export async function runConnector(
  work: (signal: AbortSignal) => Promise<void>,
  { config, stopwatch, log, closes = [], metrics = createMetrics(), notReady }: ConnectorOptions,
): Promise<Lifecycle> {
  let isDraining = false
  const server = functionServer([], {
    log,
    stopwatch,
    metrics,
    isDraining: () => isDraining,
    ...(notReady === undefined ? {} : { notReady }),
  })
  const working: Part = {
    name: 'work',
    start: async () => {
      const stopping = new AbortController()
      const ended = work(stopping.signal).then(
        () => undefined,
        (error: unknown) => error,
      )
      void ended.then((fault) => (stopping.signal.aborted ? undefined : endBroken(starting, log, fault)))
      return async () => {
        stopping.abort()
        const fault = await ended
        if (fault !== undefined) log.error({ error: fault }, 'the work ended with a fault')
      }
    },
  }
  const starting = runLifecycle(
    [...dependencyParts(closes), serverPart(server, config.PORT, stopwatch), working],
    {
      log,
      stopwatch,
      graceMs: 0,
      closeMsMax: config.JTS_CLOSE_MS_MAX,
      onDrain: () => {
        isDraining = true
      },
    },
  )
  const lifecycle = await starting
  log.info({ port: (server.address() as AddressInfo).port }, 'listening')
  return lifecycle
}

async function endBroken(starting: Promise<Lifecycle>, log: Log, fault: unknown): Promise<never> {
  const error = fault ?? new Error('it came to its end by itself')
  log.fatal({ error }, 'the work has ended: the process ends and is started again')
  const lifecycle = await starting
  await lifecycle.stop('the work has ended')
  return process.exit(1)
}
