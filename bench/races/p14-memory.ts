// P14: memory and stalls of the embedded suite under market data: frames in, ticks and bars out, everything archived.
//
// M1. No order is made, so nothing that lives on has a reason to grow with the number of events.
// M2. Two points are compared: warm, and 10 N frames later, each after a full collection.
// M3. The ClickHouse engine lives in this process and keeps what memory it likes, so the suite also runs without it.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type RaceResult, type Round, report, standingOf } from '../harness.ts'
import { BASE_PRICE, PRICE_STEP, marketFeed, stocks } from '../market-feed.ts'
import { type OrderPath, SESSION_START, openOrderPath } from '../order-path.ts'

const FRAMES = 4_000
/** After this many the collector's own memory has found its level. */
const WARM_UP_FRAMES = 28_000
const INSTRUMENTS = 40
const FRAMES_AT_ONCE = 50
const TICKS_PER_FRAME = 4
/** Business time between two batches: a minute bar closes every 300 of them. */
const BATCH_MS = 200
const SETTLE_READINGS = 8
const SETTLE_MS = 400
const PACED_SECONDS = 8
const PACED_BATCH_MS = 10
const TICKS_PER_SECOND = 2_000

interface Drive {
  readonly path: OrderPath
  /** Publishes so many frames and waits until everything that follows from them is done. */
  readonly frames: (count: number) => Promise<void>
}

function driveOf(path: OrderPath): Drive {
  const feed = marketFeed()
  const ids = stocks(INSTRUMENTS, SESSION_START).map(({ id }) => id)
  let made = 0
  const frame = () => {
    const id = ids[made % ids.length]
    if (id === undefined) throw new Error('no instruments')
    const at = BASE_PRICE + (made % 7) * PRICE_STEP
    made += 1
    return feed.frame(id, [at, at + PRICE_STEP, at, at - PRICE_STEP], path.clock.now())
  }
  return {
    path,
    async frames(count) {
      await path.bus.publish(Array.from({ length: count }, frame))
      await path.bus.idle()
      path.clock.skip(BATCH_MS)
    },
  }
}

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return collect
}

/** Everything written, everything collected. The lowest of some readings: the engine merges when it likes. */
async function settled({ path }: Drive, collect: () => void): Promise<Round> {
  await path.stores.ticks.flush()
  await path.stores.archive.flush()
  const readings: NodeJS.MemoryUsage[] = []
  for (let times = 0; times < SETTLE_READINGS; times += 1) {
    await systemStopwatch.sleep(SETTLE_MS, new AbortController().signal)
    collect()
    readings.push(process.memoryUsage())
  }
  const lowest = (figure: 'rss' | 'heapUsed' | 'external'): number =>
    Math.min(...readings.map((reading) => reading[figure])) / 1e6
  return { rssMb: lowest('rss'), heapMb: lowest('heapUsed'), externalMb: lowest('external') }
}

async function flatOut(drive: Drive, frames: number): Promise<number> {
  const startMs = systemStopwatch.elapsedMs()
  for (let sent = 0; sent < frames; sent += FRAMES_AT_ONCE) await drive.frames(FRAMES_AT_ONCE)
  return (frames * TICKS_PER_FRAME * 1_000) / (systemStopwatch.elapsedMs() - startMs)
}

/** Longest time that the event loop was not to be had, while ticks come at the rate of a busy feed. */
async function longestStallMs(drive: Drive): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 5 })
  delays.enable()
  const perBatch = (TICKS_PER_SECOND * PACED_BATCH_MS) / 1_000 / TICKS_PER_FRAME
  const startMs = systemStopwatch.elapsedMs()
  const never = new AbortController().signal
  for (let batch = 1; batch * PACED_BATCH_MS <= PACED_SECONDS * 1_000; batch += 1) {
    await drive.frames(perBatch)
    const leftMs = startMs + batch * PACED_BATCH_MS - systemStopwatch.elapsedMs()
    if (leftMs > 0) await systemStopwatch.sleep(leftMs, never)
  }
  delays.disable()
  return delays.max / 1e6
}

interface Course {
  readonly start: Round
  readonly afterN: Round
  readonly end: Round
  readonly ticksPerSecond: number
  readonly stallMs: number
}

async function course(withEngine: boolean, collect: () => void): Promise<Course> {
  const parameters = { interval: '1m', orderNotional: '2000000', fastBars: 100, slowBars: 500 }
  const path = await openOrderPath({
    brokerPort: 9, // nobody listens there: history is not to be had, and no order is made
    instruments: stocks(INSTRUMENTS, SESSION_START),
    strategies: [{ id: 'watches', kind: 'moving-average-cross', parameters }],
    withEngine,
    logLevel: 'silent',
  })
  try {
    const drive = driveOf(path)
    await flatOut(drive, WARM_UP_FRAMES)
    const start = await settled(drive, collect)
    await flatOut(drive, FRAMES)
    const afterN = await settled(drive, collect)
    const ticksPerSecond = await flatOut(drive, 9 * FRAMES)
    const end = await settled(drive, collect)
    return { start, afterN, end, ticksPerSecond, stallMs: await longestStallMs(drive) }
  } finally {
    await path.close()
  }
}

const standingsOf = (name: string, { start, afterN, end }: Course) => [
  standingOf(`${name}, warm`, [start]),
  standingOf(`${name}, ${FRAMES} frames later`, [afterN]),
  standingOf(`${name}, ${10 * FRAMES} frames later`, [end]),
]

async function run(): Promise<RaceResult> {
  const collect = collector()
  // First without: once the engine is loaded, it stays.
  const plain = await course(false, collect)
  const whole = await course(true, collect)
  const growth = ({ start, end }: Course, figure: string): number =>
    (end[figure] ?? 0) / (start[figure] ?? Number.NaN)
  const rate = ({ ticksPerSecond }: Course): string => Math.round(ticksPerSecond).toLocaleString('en-US')
  return {
    title: `embedded suite, ${INSTRUMENTS} instruments, frames of ${TICKS_PER_FRAME} ticks, no orders`,
    standings: [...standingsOf('whole', whole), ...standingsOf('without the ClickHouse engine', plain)],
    targets: [
      { what: 'RSS, end ÷ start', value: growth(whole, 'rssMb'), atMost: 1.05 },
      { what: 'heap, end ÷ start', value: growth(whole, 'heapMb'), atMost: 1.05 },
      { what: 'RSS without the engine, end ÷ start', value: growth(plain, 'rssMb'), atMost: 1.05 },
      { what: `longest stall at ${TICKS_PER_SECOND} ticks/s, ms`, value: whole.stallMs, atMost: 50 },
      { what: 'longest stall without the engine, ms', value: plain.stallMs, atMost: 50 },
    ],
    notes: [`${rate(whole)} ticks/s flat out, ${rate(plain)} without the engine`],
  }
}

report(import.meta.filename, await run())
