// The connectors of the embedded suite: one broker stream for each account, and the scheduler.
import { kisStream } from '#shared/adapters/broker-kis/stream.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemRandom } from '#shared/adapters/system/random.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { backoffOf } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'
import { runStream } from '../../connectors/kis-stream/stream.ts'
import { timersFrom } from '../../connectors/scheduler/config.ts'
import { runScheduler } from '../../connectors/scheduler/scheduler.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import type { Market } from './market.ts'
import type { SuiteSettings } from './settings.ts'

export interface Connectors {
  /** Resolves once every stream is live for the first time. */
  readonly live: Promise<void>
  /** Rejects when a broker refuses us for good. */
  readonly ended: Promise<void>
  /** Why a stream is down, for a person; undefined while all are live. */
  readonly trouble: () => string | undefined
  /** Data frames that have been handed on to the bus. */
  readonly framesHandled: () => number
  /** The scheduler has published everything that is due. */
  readonly isCaughtUp: () => boolean
  close(): Promise<void>
}

/** KIS allows 41 registrations a session; its own samples stop at 40, and one is the notice channel. */
const REGISTRATIONS_MAX = 40

export function startConnectors(deps: {
  readonly settings: SuiteSettings
  readonly market: Market
  readonly bus: EventBus
  readonly hotState: HotState
  readonly log: Log
}): Connectors {
  const { settings, market, bus, hotState, log } = deps
  const closing = new AbortController()
  const ids = followed(settings, market)
  const withOrderBook = settings.embedded.JTS_ORDER_BOOK === 'true' && ids.length * 2 <= REGISTRATIONS_MAX
  const live: Promise<void>[] = []
  const troubles = new Map<string, string>()
  const streams = market.kis.accounts.map((account, index) => {
    const stream = kisStream({
      ...market.kis,
      account,
      hotState,
      clock: market.clock,
      wallClock: systemClock,
      stopwatch: systemStopwatch,
    })
    const first = Promise.withResolvers<void>()
    live.push(first.promise)
    const ended = runStream(
      {
        accountId: account.accountId,
        stream,
        instrumentIds: index === 0 ? ids : [],
        withOrderBook,
        bus,
        clock: market.clock,
        stopwatch: systemStopwatch,
        backoff: backoffOf({ baseMs: 500, maxMs: 60_000 }, systemRandom),
        ids: systemIds,
        log,
        onLive: () => {
          troubles.delete(account.accountId)
          first.resolve()
        },
        onLost: (reason) =>
          void troubles.set(account.accountId, `${account.accountId} is not connected: ${reason}`),
      },
      closing.signal,
    )
    return { stream, ended }
  })
  const timers = runScheduler(
    {
      clock: market.clock,
      stopwatch: systemStopwatch,
      bus,
      hotState,
      ids: systemIds,
      venues: ['KRX'],
      timers: timersFrom(settings.scheduler),
      log,
    },
    closing.signal,
  )
  const ended = [timers.ended, ...streams.map((stream) => stream.ended)]
  return {
    live: Promise.all(live).then(() => undefined),
    ended: Promise.all(ended).then(() => undefined),
    trouble: () => [...troubles.values()][0],
    framesHandled: () => streams.reduce((sum, { stream }) => sum + stream.framesReceived(), 0),
    isCaughtUp: () => timers.isCaughtUp(),
    async close() {
      closing.abort()
      await Promise.allSettled(ended)
    },
  }
}

function followed(settings: SuiteSettings, market: Market): readonly InstrumentId[] {
  const named = parseInstruments(settings.embedded.JTS_INSTRUMENTS)
  return (named.length > 0 ? named : market.instruments).map(({ id }) => id).slice(0, REGISTRATIONS_MAX)
}
