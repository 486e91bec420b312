// KIS itself as the market: real time, and the instruments that a person named.
import { systemClock } from '#shared/adapters/system/clock.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Market } from './market.ts'
import type { Broker } from './settings.ts'

export const brokerMarket = (broker: Broker, instruments: readonly Instrument[]): Market => ({
  kis: broker,
  clock: systemClock,
  simulator: undefined,
  finish: () => Promise.resolve(),
  isStepped: false,
  instruments,
  title: broker.settings.paperTrading ? 'KIS paper trading' : 'KIS, REAL MONEY',
  stop: () => Promise.resolve(),
})
