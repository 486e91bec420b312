// A simulated broker at noon of the day of test/build.ts, with the settings by which programs reach it.
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type Simulator, startSimulator } from '../apps/kis-simulator/simulator.ts'
import { ACCOUNT, DATE, NOON } from './build.ts'

const NUMBER = ACCOUNT.replace('kis:', '')
const RATE_PER_SECOND = 1_000

export interface SimulatedMarket {
  readonly simulator: Simulator
  /** `KIS_…` as a person would set them. */
  readonly environment: Readonly<Record<string, string>>
}

/** Its session has run from the opening to noon, and stands still. */
export async function marketAtNoon(): Promise<SimulatedMarket> {
  const noon = new AbortController()
  const appKey = 'PSsimulatedsimulatedsimulatedsimulat'
  const appSecret = 'simulated'.repeat(20)
  const simulator = await startSimulator({
    profile: 'paper',
    accounts: [{ appKey, appSecret, accountNumber: NUMBER, htsId: 'trader01' }],
    market: { kind: 'seeded', seed: 7, startDate: DATE, eventsPerSecond: 1 },
    speed: 'max',
    ratePerSecond: RATE_PER_SECOND,
    feeRatio: '0.00015',
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    tokenIntervalMs: 0,
    onTime: (at) => {
      if (at >= NOON) noon.abort()
    },
  })
  await simulator.run(noon.signal)
  return {
    simulator,
    environment: {
      KIS_TOTAL_ACCOUNTS: '1',
      KIS_PAPER_TRADING: 'true',
      KIS_API_BASE_URL: simulator.restUrl,
      KIS_WEBSOCKET_URL: simulator.webSocketUrl,
      KIS_RATE_LIMIT_PER_SECOND: `${RATE_PER_SECOND}`,
      KIS_ACCOUNT_1_APPKEY: appKey,
      KIS_ACCOUNT_1_APPSECRET: appSecret,
      KIS_ACCOUNT_1_NUMBER: NUMBER,
      JTS_KIS_ACCOUNT_1_HTS_ID: 'trader01',
    },
  }
}
