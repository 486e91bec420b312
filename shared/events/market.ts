// Market data on the wire.
import * as z from 'zod'
import { AGGRESSORS, BAR_INTERVALS } from '#shared/domain/market-data.ts'
import { defineEvent } from './contract.ts'
import {
  CountString,
  Id,
  InstrumentIdString,
  PriceString,
  QuantityString,
  Time,
  UnsignedDecimal,
} from './wire.ts'

/** A frame exactly as the broker sent it; decoding is ingest-tick's work, so a frame can be decoded again. */
export const FrameReceived = defineEvent({
  name: 'FrameReceived',
  type: 'jts.frame.received.v1',
  topic: 'market.frames',
  summary: 'A broker sent a market data frame.',
  key: (frame) => frame.instrumentId,
  schema: z.strictObject({
    broker: Id,
    /** The broker's channel, in the broker's words. */
    channel: z.string().min(1).max(40),
    /** Of the first record, where a frame holds several. */
    instrumentId: InstrumentIdString,
    frame: z.string().min(1).max(262_144),
    receivedTime: Time,
  }),
})

export const TickTraded = defineEvent({
  name: 'TickTraded',
  type: 'jts.tick.traded.v1',
  topic: 'market.ticks',
  summary: 'A public trade printed.',
  key: (tick) => tick.instrumentId,
  schema: z.strictObject({
    instrumentId: InstrumentIdString,
    eventTime: Time,
    receivedTime: Time,
    price: PriceString,
    quantity: QuantityString,
    aggressor: z.enum(AGGRESSORS),
    sessionVolume: CountString,
    /** `0` where there is none. */
    bidPrice: UnsignedDecimal,
    askPrice: UnsignedDecimal,
  }),
})

export const QuoteChanged = defineEvent({
  name: 'QuoteChanged',
  type: 'jts.quote.changed.v1',
  topic: 'market.ticks',
  summary: 'The best bid or ask changed.',
  key: (quote) => quote.instrumentId,
  schema: z.strictObject({
    instrumentId: InstrumentIdString,
    eventTime: Time,
    receivedTime: Time,
    /** `0` where there is none, with quantity `0`. */
    bidPrice: UnsignedDecimal,
    bidQuantity: CountString,
    askPrice: UnsignedDecimal,
    askQuantity: CountString,
  }),
})

export const BarClosed = defineEvent({
  name: 'BarClosed',
  type: 'jts.bar.closed.v1',
  topic: 'market.bars',
  summary: 'A bar is complete and will not change.',
  key: (bar) => bar.instrumentId,
  schema: z.strictObject({
    instrumentId: InstrumentIdString,
    interval: z.enum(BAR_INTERVALS),
    openTime: Time,
    closeTime: Time,
    open: PriceString,
    high: PriceString,
    low: PriceString,
    close: PriceString,
    volume: CountString,
    notional: UnsignedDecimal,
    trades: z.int().min(0),
  }),
})

export const SignalRaised = defineEvent({
  name: 'SignalRaised',
  type: 'jts.signal.raised.v1',
  topic: 'strategy.signals',
  summary: 'A strategy formed an opinion.',
  key: (signal) => `${signal.strategyId}/${signal.instrumentId}`,
  schema: z.strictObject({
    strategyId: Id,
    /** Version of the parameters document that it ran with. */
    parametersVersion: z.int().min(1),
    instrumentId: InstrumentIdString,
    direction: z.enum(['long', 'flat', 'short']),
    /** 0 to 1. */
    strength: z.number().min(0).max(1),
    /** What the strategy looked at, for a person and for `jts why`: indicator name → value. */
    evidence: z.record(z.string(), z.union([z.number(), z.string()])),
    price: PriceString,
    decidedTime: Time,
  }),
})
