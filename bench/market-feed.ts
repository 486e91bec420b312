// Instruments and frames for races that drive the suite.
import { type Instrument, type InstrumentId, instrumentId, symbolOf } from '#shared/domain/instrument.ts'
import { type Instant, formatInstant, kstDate } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { FrameReceived } from '#shared/events/market.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { type Print, frameOf } from './kis-frame.ts'

export const BASE_PRICE = 70_000
/** A tick of 70,000 won. */
export const PRICE_STEP = 100

/** `count` stocks of one base price, fixed on the day of `at`. */
export const stocks = (count: number, at: Instant): readonly Instrument[] =>
  Array.from({ length: count }, (_, index) => ({
    id: instrumentId(`${String(100_000 + index * 10)}.KRX`),
    name: `stock ${index}`,
    kind: 'stock',
    market: 'KOSPI',
    currency: 'KRW',
    quantityIncrement: quantity('1'),
    isTradable: true,
    basePrice: price(String(BASE_PRICE)),
    basePriceDate: kstDate(at),
  }))

/** Makes frames, each newer than the last and with a running volume that has no gaps. */
export interface MarketFeed {
  /** A frame of one instrument that traded at these prices, in this order, at `at`. */
  frame(id: InstrumentId, prices: readonly number[], at: Instant): Event
}

export function marketFeed(): MarketFeed {
  const volumes = new Map<InstrumentId, number>()
  let frames = 0
  return {
    frame(id, prices, at) {
      frames += 1
      const kst = new Date(at + 9 * 3_600_000).toISOString()
      const prints = prices.map((won): Print => {
        const volume = (volumes.get(id) ?? 0) + 1
        volumes.set(id, volume)
        return {
          symbol: symbolOf(id),
          time: kst.slice(11, 19).replaceAll(':', ''),
          date: kst.slice(0, 10).replaceAll('-', ''),
          price: won,
          quantity: 1,
          volume,
          side: '1',
        }
      })
      const data = {
        broker: 'kis',
        channel: 'H0STCNT0',
        instrumentId: id,
        frame: frameOf(prints),
        receivedTime: formatInstant(at),
      }
      return finishRoot(FrameReceived, data, { id: `frame-${frames}`, source: '/bench/market', now: at })
    },
  }
}
