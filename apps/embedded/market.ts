// Where the market and the broker are: the simulator behind real sockets, or KIS.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KisAccount, KisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { type Simulator, startSimulator } from '../kis-simulator/simulator.ts'
import type { Options } from './options.ts'
import type { SuiteSettings } from './settings.ts'

export interface Market {
  readonly kis: { readonly settings: KisSettings; readonly accounts: readonly KisAccount[] }
  readonly clock: Clock
  /** Present when the market is simulated. */
  readonly simulator: Simulator | undefined
  readonly instruments: readonly Instrument[]
  /** One line for the terminal. */
  readonly title: string
  stop(): Promise<void>
}

/** The simulator's only customer. These are not secrets: nothing but the simulator knows them. */
const PLAY_ACCOUNT = {
  appKey: 'PSsimulatorsimulatorsimulatorsimulat',
  appSecret: 'simulated'.repeat(20),
  accountNumber: '5012345601',
  htsId: 'trader01',
  cash: '100000000',
} as const
/** Requests a second of the real server; an accelerated market is given as much more as it is faster. */
const RATE_PER_SECOND = 18
const RATE_PER_SECOND_MAX = 100_000

export async function openMarket(options: {
  readonly run: Options
  readonly settings: SuiteSettings
  readonly directory: string
  /** Awaited between market events when the speed is `max`. */
  readonly pace: () => Promise<void>
}): Promise<Market> {
  const { run, settings, directory } = options
  if (settings.broker !== undefined) {
    const kind = settings.broker.settings.paperTrading ? 'KIS paper trading' : 'KIS, REAL MONEY'
    return {
      kis: settings.broker,
      clock: systemClock,
      simulator: undefined,
      instruments: [],
      title: kind,
      stop: () => Promise.resolve(),
    }
  }
  const speed = run.speed ?? (run.replay === undefined ? settings.embedded.JTS_SIMULATOR_SPEED : 'max')
  const ratePerSecond =
    speed === 'max' ? RATE_PER_SECOND_MAX : Math.max(RATE_PER_SECOND, Math.ceil(RATE_PER_SECOND * speed))
  const state = join(directory, 'simulator')
  await mkdir(state, { recursive: true })
  let advance: (at: Instant) => void = () => undefined
  const simulator = await startSimulator({
    profile: 'paper',
    accounts: [PLAY_ACCOUNT],
    market:
      run.replay === undefined
        ? { kind: 'seeded', seed: run.seed ?? settings.embedded.JTS_SIMULATOR_SEED }
        : { kind: 'recorded', path: run.replay },
    speed,
    ratePerSecond,
    feeRatio: settings.risk.JTS_FEE_RATIO,
    statePath: join(state, 'journal'),
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    onTime: (at) => advance(at),
    ...(speed === 'max' ? { pace: options.pace } : {}),
  })
  const clock = historicalClock(simulator.startsAt)
  advance = (at) => clock.advanceTo(at)
  return {
    kis: {
      settings: {
        paperTrading: true,
        apiBaseUrl: simulator.restUrl,
        websocketUrl: simulator.webSocketUrl,
        ratePerSecond: Math.min(ratePerSecond, RATE_PER_SECOND_MAX),
      },
      accounts: [
        {
          accountId: `kis:${PLAY_ACCOUNT.accountNumber}`,
          appKey: PLAY_ACCOUNT.appKey,
          appSecret: PLAY_ACCOUNT.appSecret,
          number: PLAY_ACCOUNT.accountNumber.slice(0, 8),
          product: PLAY_ACCOUNT.accountNumber.slice(8),
          htsId: PLAY_ACCOUNT.htsId,
        },
      ],
    },
    clock,
    simulator,
    instruments: simulator.instruments,
    title: `SIMULATED MARKET ${run.replay === undefined ? 'seeded' : `recorded ${run.replay}`}, speed ${speed === 'max' ? 'max' : `${speed}×`}`,
    stop: () => simulator.stop(),
  }
}
