// `npm run simulator`: KIS on this machine, for people without an account. Settings come from arguments or the environment.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { formatInstant, kstDate, sessionDate } from '#shared/domain/time.ts'
import { DEFAULT_CASH, type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'

const Port = z.coerce.number().int().min(0).max(65_535)

const Settings = z.strictObject({
  profile: z.enum(['real', 'paper']).default('paper'),
  /** Times faster than life, or `max`. */
  speed: z.union([z.literal('max'), z.coerce.number().positive().max(100_000)]).default(1),
  seed: z.coerce.number().int().min(0).default(1),
  /** First session of the seeded market, YYYY-MM-DD. Default today. */
  date: z.string().optional(),
  /** A recording to play instead of the seeded market. */
  recording: z.string().optional(),
  /** File to remember orders and holdings in. */
  state: z.string().optional(),
  host: z.string().default('127.0.0.1'),
  port: Port.default(9443),
  'websocket-port': Port.default(21_000),
  rate: z.coerce.number().positive().optional(),
  'fee-ratio': z.string().default('0.00014'),
  cash: z.string().default(DEFAULT_CASH),
})
type Settings = z.infer<typeof Settings>
const NAMES = Object.keys(Settings.shape)

const USAGE = `npm run simulator -- [--${NAMES.join(' …] [--')} …]
Each can be set as JTS_SIMULATOR_<NAME> too.`

/** Not secrets: nothing but a simulator knows them. */
const CREDENTIALS = {
  appKey: 'PSsimulatorsimulatorsimulatorsimulat',
  appSecret: 'simulated'.repeat(20),
  accountNumber: '5012345601',
  htsId: 'trader01',
} as const

/** @throws Error that names every setting at fault. */
function settingsFrom(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const options = Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArgs({ args: [...args], options, strict: true })
  const given = NAMES.flatMap((name) => {
    const variable = `JTS_SIMULATOR_${name.toUpperCase().replaceAll('-', '_')}`
    const value = values[name] ?? environment[variable]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  const parsed = Settings.safeParse(Object.fromEntries(given))
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  return parsed.data
}

function optionsFrom(settings: Settings): SimulatorOptions {
  const { profile, recording, seed, state } = settings
  const startDate = settings.date === undefined ? kstDate(systemClock.now()) : sessionDate(settings.date)
  return {
    profile,
    accounts: [{ ...CREDENTIALS, cash: settings.cash }],
    market:
      recording === undefined ? { kind: 'seeded', seed, startDate } : { kind: 'recorded', path: recording },
    speed: settings.speed,
    ratePerSecond: settings.rate ?? (profile === 'real' ? 18 : 1),
    feeRatio: settings['fee-ratio'],
    ...(state === undefined ? {} : { statePath: state }),
    host: settings.host,
    restPort: settings.port,
    webSocketPort: settings['websocket-port'],
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    clock: systemClock,
  }
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(USAGE)
    return
  }
  const stopping = new AbortController()
  const simulator = await startSimulator(optionsFrom(settingsFrom(process.argv.slice(2), process.env)))
  process.once('SIGINT', () => stopping.abort())
  process.once('SIGTERM', () => stopping.abort())
  console.log(
    [
      `KIS simulator. The market begins at ${formatInstant(simulator.startsAt)} with ${simulator.instruments.length} instruments.`,
      `  KIS_API_BASE_URL=${simulator.restUrl}`,
      `  KIS_WEBSOCKET_URL=${simulator.webSocketUrl}`,
      `  KIS_ACCOUNT_1_APPKEY=${CREDENTIALS.appKey}`,
      `  KIS_ACCOUNT_1_APPSECRET=${CREDENTIALS.appSecret}`,
      `  KIS_ACCOUNT_1_NUMBER=${CREDENTIALS.accountNumber}`,
      `  JTS_KIS_ACCOUNT_1_HTS_ID=${CREDENTIALS.htsId}`,
      `  Faults and report: ${simulator.restUrl}/simulator/report. Ctrl-C stops.`,
    ].join('\n'),
  )
  try {
    await played(simulator, stopping.signal)
  } finally {
    await simulator.stop()
    const { brokerOrders, brokerFills } = simulator.report()
    console.log(`Stopped. Orders ${brokerOrders}, fills ${brokerFills}.`)
  }
}

/** Resolves once a person asks; the broker outlives its tape. */
async function played(simulator: Simulator, signal: AbortSignal): Promise<void> {
  await simulator.run(signal)
  if (signal.aborted) return
  console.log('The tape has ended; the broker stays open. Ctrl-C stops.')
  const asked = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([asked, simulator.failed])
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
