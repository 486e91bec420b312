// Where the market and the broker are: the simulator behind real sockets, or KIS.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KisAccount, KisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { type Simulator, startSimulator } from '../kis-simulator/simulator.ts'
import { type MarketTime, marketTime } from './market-time.ts'
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
  /** Resolves when nothing is under way: awaited at every phase change, and after every event at speed `max`. */
  readonly settle: () => Promise<void>
}): Promise<Market> {
  const { run, settings, directory } = options
  if (settings.broker !== undefined) {
    const kind = settings.broker.settings.paperTrading ? 'KIS paper trading' : 'KIS, REAL MONEY'
    return {
      kis: settings.broker,
      clock: systemClock,
      simulator: undefined,
      finish: () => Promise.resolve(),
      isStepped: false,
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
  let time: MarketTime | undefined
  let events = 0
  const ending = new AbortController()
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
    onTime: (at) => {
      events += 1
      if (run.events !== undefined && events > run.events) ending.abort()
      return time?.advance(at)
    },
    ...(speed === 'max' ? { pace: options.settle } : {}),
  })
  const clock = historicalClock(simulator.startsAt)
  time = marketTime(clock, options.settle)
  const { finish } = time
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
    simulator: { ...simulator, run: (signal) => simulator.run(AbortSignal.any([signal, ending.signal])) },
    finish,
    isStepped: speed === 'max',
    instruments: simulator.instruments,
    title: `SIMULATED MARKET ${run.replay === undefined ? 'seeded' : `recorded ${run.replay}`}, speed ${speed === 'max' ? 'max' : `${speed}×`}`,
    stop: () => simulator.stop(),
  }
}
