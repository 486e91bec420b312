// A small world for the tests of this function: a broker of our own, stores that show what they hold.
import { historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type Instrument, type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import type { Bar, QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { type Instant, formatInstant, kstDate, parseInstant } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'
import type { Event, EventContract } from '#shared/events/contract.ts'
import { FrameReceived } from '#shared/events/market.ts'
import { SessionPhaseChanged } from '#shared/events/timers.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { FrameDecoder } from '#shared/ports/frame-decoder.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { StoredTick } from '#shared/ports/tick-store.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { ingestTick } from './function.ts'
import { ingestTickHandler } from './handler.ts'

export const SAMSUNG = instrumentId('005930.KRX')
export const HYNIX = instrumentId('000660.KRX')
export const at = (time: string): Instant => parseInstant(`2025-09-02T${time}+09:00`)

/** Frames of a broker of our own: one record a line, `trade id time price quantity volume` or `quote id time bid ask`. */
const lineDecoder: FrameDecoder = {
  broker: 'lines',
  decode(frame) {
    const trades: TradeTick[] = []
    const quotes: QuoteTick[] = []
    for (const line of frame.split('\n')) {
      const [kind = '', id = '', time = '', third = '', fourth = '', fifth = '0'] = line.split(' ')
      if (kind === 'trade') {
        trades.push({
          instrumentId: instrumentId(id),
          eventTime: at(time),
          price: price(third),
          quantity: quantity(fourth),
          aggressor: 'buy',
          sessionVolume: quantity(fifth),
          bidPrice: price('0'),
          askPrice: price('0'),
        })
      } else if (kind === 'quote') {
        quotes.push({
          instrumentId: instrumentId(id),
          eventTime: at(time),
          bidPrice: price(third),
          bidQuantity: quantity('1'),
          askPrice: price(fourth),
          askQuantity: quantity('1'),
        })
      } else throw new PoisonError(`record 0: kind ${JSON.stringify(kind)}`)
    }
    return { trades, quotes }
  },
}

let eventCount = 0
function eventOf(contract: EventContract, data: Record<string, unknown>): Event {
  eventCount += 1
  const id = `in-${eventCount}`
  return {
    specversion: '1.0',
    id,
    source: '/test',
    type: contract.type,
    subject: contract.subject(data),
    time: formatInstant(at('10:00:00')),
    datacontenttype: 'application/json',
    partitionkey: contract.key(data),
    correlationid: id,
    causationid: id,
    data,
  }
}

export const frame = (text: string, receivedAt = '16:00:00', id: InstrumentId = SAMSUNG): Event =>
  eventOf(FrameReceived, {
    broker: 'lines',
    channel: 'test',
    instrumentId: id,
    frame: text,
    receivedTime: formatInstant(at(receivedAt)),
  })
export const phase = (name: string, time: string, venue = 'KRX'): Event =>
  eventOf(SessionPhaseChanged, {
    venue,
    sessionDate: kstDate(at(time)),
    phase: name,
    changedTime: formatInstant(at(time)),
  })

export const samsung: Instrument = {
  id: SAMSUNG,
  name: 'Samsung Electronics',
  kind: 'stock',
  market: 'KOSPI',
  currency: 'KRW',
  quantityIncrement: quantity('1'),
  isTradable: true,
}

export function bench(
  over: { hotState?: HotState; phaseGraceMs?: number; instruments?: readonly Instrument[] } = {},
) {
  const stopwatch = systemStopwatch
  const clock = historicalClock(at('08:00:00'))
  const hotState = over.hotState ?? memoryHotState({ stopwatch })
  const ticks = new Map<string, StoredTick>()
  const bars: Bar[] = []
  const counts: string[] = []
  const handler = ingestTickHandler({
    decoder: lineDecoder,
    hotState,
    tickStore: {
      appendTicks: async (rows) => {
        for (const row of rows) ticks.set(row.tickId, row)
      },
      appendBars: async (rows) => {
        bars.push(...rows)
      },
    },
    instruments: { get: async () => undefined, list: async () => over.instruments ?? [] },
    clock,
    stopwatch,
    phaseGraceMs: over.phaseGraceMs ?? 0,
    copyIntervalMs: 0,
    count: (what) => counts.push(what),
  })
  const host = hostFunction(ingestTick, handler, { clock, stopwatch, log: silentLog })
  const send = async (event: Event): Promise<readonly Event[]> => {
    const delivery = await host.handle(event)
    if (delivery.outcome === 'defect') throw delivery.error
    return delivery.outcome === 'done' ? delivery.outputs : []
  }
  return { host, send, handler, clock, hotState, ticks, bars, counts }
}
