// The connectors of the embedded suite: one broker stream for each account, and the scheduler.
import { kisStream } from '#shared/adapters/broker-kis/stream.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemRandom } from '#shared/adapters/system/random.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { Log } from '#shared/runtime/log.ts'
import { runStreams } from '../../connectors/kis-stream/streams.ts'
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

export function startConnectors(deps: {
  readonly settings: SuiteSettings
  readonly market: Market
  readonly bus: EventBus
  readonly hotState: HotState
  readonly log: Log
}): Connectors {
  const { settings, market, bus, hotState, log } = deps
  const closing = new AbortController()
  const accounts = market.kis.accounts.map((account) => ({
    accountId: account.accountId,
    stream: kisStream({
      ...market.kis,
      account,
      hotState,
      clock: market.clock,
      wallClock: systemClock,
      stopwatch: systemStopwatch,
    }),
  }))
  const streams = runStreams(
    {
      accounts,
      instrumentIds: followed(settings, market),
      withOrderBook: settings.embedded.JTS_ORDER_BOOK === 'true',
      random: systemRandom,
      bus,
      clock: market.clock,
      stopwatch: systemStopwatch,
      ids: systemIds,
      log,
    },
    closing.signal,
  )
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
  const ended = [timers.ended, streams.ended]
  return {
    live: streams.live,
    ended: Promise.all(ended).then(() => undefined),
    trouble: () => streams.troubles()[0],
    framesHandled: () => accounts.reduce((sum, { stream }) => sum + stream.framesReceived(), 0),
    isCaughtUp: () => timers.isCaughtUp(),
    async close() {
      closing.abort()
      await Promise.allSettled(ended)
    },
  }
}

function followed(settings: SuiteSettings, market: Market): readonly InstrumentId[] {
  const named = parseInstruments(settings.embedded.JTS_INSTRUMENTS)
  return (named.length > 0 ? named : market.instruments).map(({ id }) => id)
}
