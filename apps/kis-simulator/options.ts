// What a simulator is started with, and what it gives back.
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { BrokerReport } from './broker.ts'
import type { CustomerAccount, RandomBytes } from './customers.ts'
import type { FaultSettings, Faults } from './faults.ts'
import type { Profile } from './rest/reply.ts'
import type { Widths } from './stream/frames.ts'

export type MarketOptions =
  | {
      readonly kind: 'seeded'
      readonly seed: number
      /** First session, or the first one after it. Default 2026-03-02. */
      readonly startDate?: SessionDate
      /** Of the whole market. Default 12. */
      readonly eventsPerSecond?: number
    }
  | {
      readonly kind: 'recorded'
      /** A file or directory of CSV in one of the formats of market/recorded.ts. */
      readonly path: string
      /** Where a tape of daily bars begins; what is earlier is history. */
      readonly from?: SessionDate
    }

export interface SimulatorAccount extends CustomerAccount {
  /** Won, decimal string. Default 100,000,000. Used when the account is new. */
  readonly cash?: string
}

export interface SimulatorOptions {
  readonly profile: Profile
  readonly accounts: readonly SimulatorAccount[]
  readonly market: MarketOptions
  /** Times faster than life, or as fast as `pace` allows. */
  readonly speed: number | 'max'
  /** Requests a second and app key. KIS: 18 real, 1 paper. */
  readonly ratePerSecond: number
  /** Of the notional, decimal string. */
  readonly feeRatio: string
  /** File that the broker remembers in. Without it a restart forgets everything. */
  readonly statePath?: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0, the default, takes any free port. */
  readonly restPort?: number
  readonly webSocketPort?: number
  /** Awaited after every step of the tape. */
  readonly pace?: () => Promise<void>
  /** Told a time, and awaited, before anything of that time happens. */
  readonly onTime?: (at: Instant) => void | Promise<void>
  readonly stopwatch: Stopwatch
  /** For tokens and keys. */
  readonly randomBytes: RandomBytes
  /** What clocks on the wall show, for texts only. Default: business time. */
  readonly clock?: Pick<Clock, 'now'>
  readonly widths?: Partial<Widths>
  readonly faults?: Partial<FaultSettings>
  /** Shortest time between two access tokens of one app key. Default 60,000, as KIS has it. */
  readonly tokenIntervalMs?: number
  /** How long an ended websocket session keeps its app key. Default 0; at KIS tens of seconds. */
  readonly lingerMs?: number
  /** Default 10,000. */
  readonly pingIntervalMs?: number
}

export interface Simulator {
  readonly restUrl: string
  readonly webSocketUrl: string
  /** What trades today, each with its base price. */
  readonly instruments: readonly Instrument[]
  /** Business time now that nothing has happened yet. */
  readonly startsAt: Instant
  readonly faults: Faults
  /** Drives the tape to its end, or until the signal aborts. @throws Error when it is running already. */
  run(signal: AbortSignal): Promise<void>
  /** Rejects when the broker can remember nothing more and so has closed for good; `run` does so too. Never resolves. */
  readonly failed: Promise<never>
  /** Data frames, notices included, handed to sockets that were open. */
  framesSent(): number
  /** No request is in flight. */
  isIdle(): boolean
  /** Ends every websocket session without a close frame; says how many. */
  dropSockets(): number
  report(): BrokerReport
  /** Also ends a run. What was remembered stays. */
  stop(): Promise<void>
}
