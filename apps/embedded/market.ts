// Where the market and the broker are: KIS, or the simulator behind real sockets.
import type { KisAccount, KisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { Simulator } from '../kis-simulator/simulator.ts'
import type { Options } from './options.ts'
import type { SuiteSettings } from './settings.ts'
import { simulatedMarket } from './simulated-market.ts'

export interface Market {
  readonly kis: { readonly settings: KisSettings; readonly accounts: readonly KisAccount[] }
  readonly clock: Clock
  /** Present when the market is simulated. */
  readonly simulator: Simulator | undefined
  /** Lets the session of a market that has ended go on to its close. */
  readonly finish: () => Promise<void>
  /** The market goes on only when nothing is under way. */
  readonly isStepped: boolean
  readonly instruments: readonly Instrument[]
  /** One line for the terminal. */
  readonly title: string
  stop(): Promise<void>
}

export interface MarketOptions {
  readonly run: Options
  readonly settings: SuiteSettings
  readonly directory: string
  /** Resolves when nothing is under way: awaited at every phase change, and after every event at speed `max`. */
  readonly settle: () => Promise<void>
}

export function openMarket(options: MarketOptions): Promise<Market> {
  const { broker } = options.settings
  if (broker === undefined) return simulatedMarket(options)
  return Promise.resolve({
    kis: broker,
    clock: systemClock,
    simulator: undefined,
    finish: () => Promise.resolve(),
    isStepped: false,
    instruments: [],
    title: broker.settings.paperTrading ? 'KIS paper trading' : 'KIS, REAL MONEY',
    stop: () => Promise.resolve(),
  })
}
