// One run of the embedded suite, from opening its stores to closing them.
//
// R1. Stores open before anything can produce; what was in flight when the last run died is published again before the
//     first new event (O1 in outbox-relay.ts).
// R2. The market moves only after the broker stream is live, so that nothing happens unseen.
// R3. Ending goes against the current: the market first, then what follows from it, the stores last.
import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { kisGateway } from '#shared/adapters/broker-kis/gateway.ts'
import { type MemoryBus, memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { krxCalendarWarning } from '#shared/domain/krx-calendar.ts'
import { kstDate } from '#shared/domain/time.ts'
import type { Log } from '#shared/runtime/log.ts'
import { brokerMarket } from './broker-market.ts'
import { closeAll } from './close-all.ts'
import { type Connectors, startConnectors } from './connectors.ts'
import { type DiskFullError, type DiskRoomOptions, lookAtRoom, watchRoom } from './disk-room.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { type Screen, runLive } from './live.ts'
import type { Market } from './market.ts'
import { accountViews } from './operator.ts'
import { startOperator } from './operator-server.ts'
import type { Options } from './options.ts'
import { outboxRelay } from './outbox-relay.ts'
import { prepare } from './prepare.ts'
import { postgresDirectoryOf } from './places.ts'
import { quiet } from './quiet.ts'
import { removeRunFile, writeRunFile } from './run-file.ts'
import { simulatedMarket } from './simulated-market.ts'
import type { SuiteSettings } from './settings.ts'
import { type Stores, openStores } from './stores.ts'
import { startSuite } from './suite.ts'
import { type Summary, summaryOf, writeSummary } from './summary.ts'
import { tallyOf } from './tally.ts'
import { type Troubles, troublesOf } from './troubles.ts'

const DRAIN_MS_MAX = 20_000

export interface RunDeps {
  readonly options: Options
  readonly settings: SuiteSettings
  readonly directory: string
  readonly log: Log
  readonly screen: Screen
}

interface Running extends RunDeps {
  readonly troubles: Troubles
}

/**
 * Resolves when the run has ended and everything is closed; rejects when it had to end for a fault. The directory is
 * there and claimed; it is given back.
 */
export async function runSuite(deps: RunDeps, signal: AbortSignal): Promise<Summary> {
  const { directory, settings, log, options } = deps
  const troubles = troublesOf(log)
  const room: DiskRoomOptions = {
    directories: [directory, postgresDirectoryOf(directory)],
    bytesMin: settings.embedded.JTS_DISK_MIB_MIN * 1024 * 1024,
    stopwatch: systemStopwatch,
    tell: (words) => troubles.tell('disk', words),
  }
  const running: Running = { ...deps, troubles }
  const closers: Closers = [() => removeRunFile(directory)]
  try {
    await lookAtRoom(room)
    const stores = await openStores({
      directory,
      log,
      batchSize: settings.ingest.BATCH_SIZE,
      bufferSize: settings.ingest.BUFFER_SIZE,
      flushIntervalMs: settings.ingest.JTS_TICK_FLUSH_INTERVAL_MS,
      troubles,
    })
    closers.push(() => stores.close())
    let settle: () => Promise<void> = () => Promise.resolve()
    const market =
      settings.broker === undefined
        ? await simulatedMarket({ run: options, settings, directory, settle: () => settle() })
        : brokerMarket(settings.broker, parseInstruments(settings.embedded.JTS_INSTRUMENTS))
    closers.push(() => market.stop())
    warnOfCalendar(deps, market)
    const assembled = await assemble(running, stores, market, closers)
    settle = assembled.settle
    const drive = (until: AbortSignal): Promise<Summary> =>
      run(running, stores, market, assembled, closers, until)
    return await whileThereIsRoom(room, drive, signal)
  } finally {
    const closing = closeAll(closers.splice(0).toReversed())
    await closing.catch((error: unknown) => log.error({ error }, 'a part did not close'))
  }
}

function warnOfCalendar({ log, screen }: RunDeps, { clock }: Market): void {
  const warning = krxCalendarWarning(kstDate(clock.now()))
  if (warning === undefined) return
  log.warn({ warning }, 'calendar')
  screen.write(`${warning}\n`)
}

/** Ends the run as a person would when the disk fills up, and says so whatever else went wrong then. */
async function whileThereIsRoom(
  room: DiskRoomOptions,
  work: (signal: AbortSignal) => Promise<Summary>,
  signal: AbortSignal,
): Promise<Summary> {
  const full = new AbortController()
  const done = new AbortController()
  let fault: DiskFullError | undefined
  const watch = async (): Promise<void> => {
    fault = await watchRoom(room, done.signal)
    if (fault !== undefined) full.abort()
  }
  const watching = watch()
  try {
    const summary = await work(AbortSignal.any([signal, full.signal]))
    if (fault !== undefined) throw fault
    return summary
  } catch (error) {
    throw fault ?? error
  } finally {
    done.abort()
    await watching
  }
}

type Assembled = Awaited<ReturnType<typeof assemble>>
type Closers = (() => Promise<unknown>)[]

async function assemble(deps: Running, stores: Stores, market: Market, closers: Closers) {
  const { settings, directory, log } = deps
  const { clock } = market
  const { bus, relay } = await transport(stores, market, log)
  const tally = await tallyOf(bus)
  const hotState = memoryHotState({ stopwatch: systemStopwatch })
  const gateway = kisGateway({
    ...market.kis,
    hotState,
    clock,
    wallClock: systemClock,
    stopwatch: systemStopwatch,
  })
  closers.push(
    () => gateway.close(),
    () => bus.close(),
  )
  await prepare(stores, market)

  const { JTS_PORT: port } = settings.embedded
  const operator = await startOperator({
    stores,
    market,
    bus,
    directory,
    port,
    clock,
    ids: systemIds,
    trouble: () => deps.troubles.oldest(),
  })
  closers.push(
    () => operator.close(),
    () => writeRunFile(directory, { pid: process.pid }), // nobody answers any more
  )
  const suite = await startSuite({
    settings: market.simulator === undefined ? settings : operator.withMessages(settings),
    stores,
    bus,
    hotState,
    gateway,
    decoder: kisFrameDecoder(),
    clock,
    log,
    isDriven: market.simulator !== undefined,
  })
  closers.push(() => suite.close())
  const republished = await relay.republish()
  if (republished > 0) log.info({ republished }, 'events of the last run handed on')

  const connectors = startConnectors({ settings, market, bus, hotState, log })
  closers.push(() => connectors.close())
  return {
    bus,
    tally,
    relay,
    operator,
    suite,
    connectors,
    settle: settling(market, bus, connectors, closers),
  }
}

/** The bus, and what makes it survive a crash. */
async function transport(stores: Stores, market: Market, log: Log) {
  const bus = memoryBus({
    stopwatch: systemStopwatch,
    // Where the market waits for us there is nothing to gain from partitions, and one has one order.
    ...(market.isStepped ? { partitions: 1 } : {}),
    onRejected: (error, at) => log.warn({ error, ...at }, 'batch rejected'),
  })
  const { outbox, archive } = stores
  return { bus, relay: await outboxRelay({ outbox, archive, bus, stopwatch: systemStopwatch, log }) }
}

function settling(
  market: Market,
  bus: MemoryBus,
  connectors: Connectors,
  closers: Closers,
): () => Promise<void> {
  const { simulator } = market
  const running = new AbortController()
  closers.push(() => {
    running.abort()
    return Promise.resolve()
  })
  const activity = {
    sent: () => simulator?.framesSent() ?? 0,
    handled: connectors.framesHandled,
    parts: [() => bus.isIdle(), connectors.isCaughtUp, () => simulator?.isIdle() ?? true],
  }
  return () => quiet(activity, running.signal)
}

async function run(
  { options, directory, log, screen, troubles }: Running,
  stores: Stores,
  market: Market,
  { tally, relay, operator, suite, connectors, settle }: Assembled,
  closers: Closers,
  signal: AbortSignal,
): Promise<Summary> {
  const startedMs = systemStopwatch.elapsedMs()
  const accounts = () => accountViews({ stores, clock: market.clock })
  const ending = new AbortController()
  const ended = AbortSignal.any([signal, ending.signal])
  const background = [
    relay.run(ending.signal),
    runLive(
      {
        screen,
        tally,
        clock: market.clock,
        stopwatch: systemStopwatch,
        accounts,
        market: market.title,
        trouble: () => troubles.oldest() ?? connectors.trouble(),
      },
      ended,
    ),
  ]
  closers.push(() => {
    ending.abort()
    return Promise.all(background)
  })
  await writeRunFile(directory, { pid: process.pid, url: operator.url })

  const { failed } = market.simulator ?? {}
  const faults = Promise.race([connectors.ended, suite.ended, ...(failed === undefined ? [] : [failed])])
  await Promise.race([connectors.live, faults, aborted(ended)])
  await Promise.race([settle(), aborted(ended)])
  log.info({ url: operator.url }, 'suite is up')
  await Promise.race([marketOf(market, options, ended), faults])
  if (market.simulator !== undefined) await drained(settle, faults)
  await relay.flush()
  await stores.ticks.flush()
  const summary = await summaryOf({
    tally,
    stores,
    accounts: await accounts(),
    simulator: market.simulator,
    durationMs: systemStopwatch.elapsedMs() - startedMs,
  })
  if (options.summary !== undefined) await writeSummary(options.summary, summary)
  return summary
}

/** A store that is away must not keep the process: what is unfinished comes again at the next start. */
async function drained(settle: () => Promise<void>, faults: Promise<void>): Promise<void> {
  const done = new AbortController()
  const limit = systemStopwatch.sleep(DRAIN_MS_MAX, done.signal).catch(() => undefined)
  try {
    await Promise.race([settle(), faults, limit])
  } finally {
    done.abort()
  }
}

/** Resolves when the signal aborts: a broker that is never reached must not keep the process. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Ends with the market data, or with the signal. A market that has ended is kept open unless `--exit` was given. */
async function marketOf(market: Market, options: Options, signal: AbortSignal): Promise<void> {
  await market.simulator?.run(signal)
  if (!signal.aborted) await market.finish()
  if (signal.aborted || (market.simulator !== undefined && options.exit)) return
  const never = systemClock.now() + 100 * 365 * 86_400_000
  await systemClock.sleepUntil(never as ReturnType<typeof systemClock.now>, signal).catch(() => undefined)
}
