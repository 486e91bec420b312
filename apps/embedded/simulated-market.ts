// The simulator as the market: started, driven along with business time, and described as a broker's settings would be.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type Simulator, startSimulator } from '../kis-simulator/simulator.ts'
import type { Market, MarketOptions } from './market.ts'
import { type MarketTime, marketTime } from './market-time.ts'

/** The simulator's only customer. These are not secrets: nothing but the simulator knows them. */
export const PLAY_ACCOUNT = {
  appKey: 'PSsimulatorsimulatorsimulatorsimulat',
  appSecret: 'simulated'.repeat(20),
  accountNumber: '5012345601',
  htsId: 'trader01',
  cash: '100000000',
} as const
/** Requests a second of the real server; an accelerated market is given as much more as it is faster. */
const RATE_PER_SECOND = 18
const RATE_PER_SECOND_MAX = 100_000

export async function simulatedMarket({
  run,
  settings,
  directory,
  settle,
  listen,
}: MarketOptions): Promise<Market> {
  const speed = run.speed ?? (run.replay === undefined ? settings.embedded.JTS_SIMULATOR_SPEED : 'max')
  const ratePerSecond = rateAt(speed)
  const state = join(directory, 'simulator')
  await mkdir(state, { recursive: true })
  let moving: MarketTime | undefined
  let events = 0
  const ending = new AbortController()
  const simulator = await startSimulator({
    ...listen,
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
      return moving?.advance(at)
    },
    ...(speed === 'max' ? { pace: settle } : {}),
  })
  const clock = historicalClock(simulator.startsAt)
  const time = marketTime(clock, settle, speed === 'max')
  moving = time
  const source = run.replay === undefined ? 'seeded' : `recorded ${run.replay}`
  return {
    kis: customerOf(simulator, ratePerSecond),
    clock,
    simulator: { ...simulator, run: (signal) => simulator.run(AbortSignal.any([signal, ending.signal])) },
    finish: () => time.finish(),
    isStepped: speed === 'max',
    instruments: simulator.instruments,
    title: `SIMULATED MARKET ${source}, speed ${speed === 'max' ? 'max' : `${speed}×`}`,
    stop: () => simulator.stop(),
  }
}

const rateAt = (speed: number | 'max'): number =>
  speed === 'max'
    ? RATE_PER_SECOND_MAX
    : Math.min(RATE_PER_SECOND_MAX, Math.max(RATE_PER_SECOND, Math.ceil(RATE_PER_SECOND * speed)))

const customerOf = (simulator: Simulator, ratePerSecond: number): Market['kis'] => ({
  settings: {
    paperTrading: true,
    apiBaseUrl: simulator.restUrl,
    websocketUrl: simulator.webSocketUrl,
    ratePerSecond,
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
})
