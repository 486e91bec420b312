// From the broker's stream to topics: frames as they are, reports in house terms.
//
// An event's id is made of what was received, so that a frame heard twice is one event.
import { formatInstant, kstDate } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { reportToWire } from '#shared/events/execution-codec.ts'
import { ExecutionReported, StreamConnected, StreamLost } from '#shared/events/executions.ts'
import { FrameReceived } from '#shared/events/market.ts'
import { NotificationRequested } from '#shared/events/notifications.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { BrokerStream, ConnectionOutcome, StreamMessage } from '#shared/ports/broker-stream.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { IdSource } from '#shared/ports/id-source.ts'
import { contentId, finishRoot } from '#shared/runtime/root-event.ts'
import type { Log } from '#shared/runtime/log.ts'
import { supervise } from './supervisor.ts'

const SOURCE = '/jts/connectors/kis-stream'

export interface StreamDeps {
  readonly accountId: string
  readonly stream: BrokerStream
  readonly instrumentIds: readonly InstrumentId[]
  readonly withOrderBook: boolean
  readonly bus: Pick<EventBus, 'publish'>
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly backoff: { nextMs(): number; reset(): void }
  readonly ids: IdSource
  readonly log: Log
  readonly onLive?: () => void
  /** A connection ended for this reason; another is dialed. */
  readonly onLost?: (reason: string) => void
}

/** Resolves once `signal` aborts; rejects when the broker refuses us for good. */
export async function runStream(deps: StreamDeps, signal: AbortSignal): Promise<void> {
  const { stream, bus, log } = deps
  const publish = (event: Event): Promise<void> => bus.publish([event])

  const connect = async (connection: number): Promise<ConnectionOutcome> => {
    const outcome = await stream.connect(
      {
        instrumentIds: deps.instrumentIds,
        withOrderBook: deps.withOrderBook,
        onLive: async () => {
          await publish(connected(deps, connection))
          log.info({ connection, instruments: deps.instrumentIds.length }, 'stream live')
          deps.onLive?.()
        },
        onMessage: (message) => publish(eventOf(deps, message)),
      },
      signal,
    )
    if (outcome.kind === 'dropped') await publish(lost(deps, outcome.reason))
    return outcome
  }

  await supervise(
    {
      connect,
      backoff: deps.backoff,
      stopwatch: deps.stopwatch,
      onEnd: (outcome, pauseMs) => {
        log.warn({ outcome, pauseMs }, 'stream ended; dialing again')
        if ('reason' in outcome) deps.onLost?.(outcome.reason)
      },
    },
    signal,
  )
}

function eventOf(deps: StreamDeps, message: StreamMessage): Event {
  const { accountId, clock, stream } = deps
  const now = clock.now()
  const root = { source: SOURCE, now }
  switch (message.kind) {
    case 'market': {
      const { channel, instrumentId, frame } = message
      const id = contentId('frame', kstDate(now), frame)
      return finishRoot(
        FrameReceived,
        { broker: stream.broker, channel, instrumentId, frame, receivedTime: formatInstant(now) },
        { ...root, id },
      )
    }
    case 'execution': {
      const data = reportToWire({ ...message.report, origin: 'stream' })
      return finishRoot(ExecutionReported, data, {
        ...root,
        id: contentId('execution', kstDate(now), data.executionId),
      })
    }
    case 'unreadable': {
      log(deps, message)
      const data = {
        recipient: 'operator',
        severity: 'error',
        title: 'A frame of the broker stream could not be read',
        body: `account ${accountId}: ${message.reason}`.slice(0, 10_000),
      } as const
      return finishRoot(NotificationRequested, data, {
        ...root,
        id: contentId('unreadable', kstDate(now), message.frame),
      })
    }
  }
}

const log = (deps: StreamDeps, message: { readonly reason: string }): void =>
  deps.log.error({ reason: message.reason }, 'unreadable frame')

const connected = ({ accountId, clock, ids, stream }: StreamDeps, connection: number): Event =>
  finishRoot(
    StreamConnected,
    { accountId, broker: stream.broker, connection, connectedTime: formatInstant(clock.now()) },
    { source: SOURCE, now: clock.now(), id: ids.next() },
  )

const lost = ({ accountId, clock, ids, stream }: StreamDeps, reason: string): Event =>
  finishRoot(
    StreamLost,
    { accountId, broker: stream.broker, reason: reason.slice(0, 500), lostTime: formatInstant(clock.now()) },
    { source: SOURCE, now: clock.now(), id: ids.next() },
  )
