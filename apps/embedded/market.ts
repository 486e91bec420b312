// What the suite needs to know of a market: KIS (broker-market.ts), or the simulator behind real sockets
// (simulated-market.ts).
import type { KisAccount, KisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { Simulator } from '../kis-simulator/simulator.ts'
import type { Options } from './options.ts'
import type { SuiteSettings } from './settings.ts'

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
  /** Where the simulator listens. Default: free ports of loopback. */
  readonly listen?: { readonly host: string; readonly restPort: number; readonly webSocketPort: number }
  /** Resolves when nothing is under way: awaited at every phase change, and after every event at speed `max`. */
  readonly settle: () => Promise<void>
}
