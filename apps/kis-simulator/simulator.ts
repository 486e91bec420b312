// KIS as a server of its own: the parts put together.
import { type AddressInfo, type Server } from 'node:net'
import { money, ratio } from '#shared/domain/values.ts'
import { Broker } from './broker.ts'
import { Customers, RateLimit } from './customers.ts'
import { drive } from './driver.ts'
import { Faults } from './faults.ts'
import { recordedMarket } from './market/recorded.ts'
import { seededMarket } from './market/seeded.ts'
import type { MarketSource } from './market/source.ts'
import type { MarketOptions, Simulator, SimulatorOptions } from './options.ts'
import type { Desk } from './rest/reply.ts'
import { restServer } from './rest/server.ts'
import { StreamDesk } from './stream/desk.ts'
import { DEFAULT_WIDTHS } from './stream/frames.ts'
import { Publisher } from './stream/publisher.ts'
import { type StreamServer, streamServer } from './stream/server.ts'

export const DEFAULT_CASH = '100000000'
const TOKEN_INTERVAL_MS = 60_000
const PING_INTERVAL_MS = 10_000
/** Of the ledger behind inquire-balance, over all customers. */
const LEDGER_PER_SECOND = 120

const sourceOf = (market: MarketOptions): MarketSource =>
  market.kind === 'seeded' ? seededMarket(market) : recordedMarket(market.path, market.from)

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function assemble(options: SimulatorOptions) {
  const { profile, stopwatch, randomBytes, accounts } = options
  const broker = new Broker({
    accounts: accounts.map(({ accountNumber, cash = DEFAULT_CASH }) => ({
      accountNumber,
      cash: money(cash),
    })),
    feeRatio: ratio(options.feeRatio),
    // The real host leaves prices to the venue; the paper host is its own venue.
    venueRejects: profile === 'real',
    source: sourceOf(options.market),
    elapsedMs: () => stopwatch.elapsedMs(),
    ...(options.statePath === undefined ? {} : { statePath: options.statePath }),
  })
  const tokenIntervalMs = options.tokenIntervalMs ?? TOKEN_INTERVAL_MS
  const customers = new Customers(accounts, { stopwatch, randomBytes, tokenIntervalMs })
  const faults = new Faults(options.faults)
  const elapsedMs = (): number => stopwatch.elapsedMs()
  const lingerMs = options.lingerMs ?? 0
  const stream = new StreamDesk({ profile, customers, accounts, randomBytes, elapsedMs, lingerMs })
  const widths = { ...DEFAULT_WIDTHS, ...options.widths }
  const publisher = new Publisher({ profile, broker, customers, faults, stream, widths })
  const wallNow = (): ReturnType<Broker['now']> => options.clock?.now() ?? broker.now()
  const announce: Desk['announce'] = (notices) => publisher.announce(notices)
  const ended = new AbortController()
  const wait: Desk['wait'] = (ms) => stopwatch.sleep(ms, ended.signal).catch(() => undefined)
  const desk: Desk = { profile, broker, customers, faults, elapsedMs, wait, wallNow, announce }
  const gate = {
    profile,
    customers,
    rate: new RateLimit(stopwatch, options.ratePerSecond),
    ledgerRate: new RateLimit(stopwatch, LEDGER_PER_SECOND),
  }
  return { broker, faults, stream, publisher, desk, gate, wallNow, ended }
}

/** Listens at once; the tape waits for `run`. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { stopwatch, host = '127.0.0.1' } = options
  const { broker, faults, stream, publisher, desk, gate, wallNow, ended } = assemble(options)
  const sockets = await streamServer({ host, port: options.webSocketPort ?? 0, desk: stream, wallNow })
  const rest = restServer(desk, gate, { dropSockets: () => sockets.dropSockets() })
  const restPort = await listen(rest.server, options.restPort ?? 0, host)
  const pinging = keepPinging(options, sockets, ended.signal)
  let running: Promise<void> | undefined
  const runTape = async (signal: AbortSignal): Promise<void> => {
    const { speed, pace, onTime = () => undefined } = options
    const isBacklogged = (): boolean => sockets.isBacklogged()
    await drive({ broker, publisher, speed, stopwatch, onTime, pace, isBacklogged }, signal)
  }
  const failed = broker.failed().then((error): never => {
    throw error
  })
  failed.catch(() => undefined)
  return {
    restUrl: `http://${host}:${restPort}`,
    webSocketUrl: `ws://${host}:${sockets.port}`,
    instruments: [...broker.tape.days()].map((day) => day.instrument),
    startsAt: broker.now(),
    faults,
    async run(signal) {
      if (running !== undefined) throw new Error('the tape is running already')
      running = runTape(AbortSignal.any([signal, ended.signal])).finally(() => {
        running = undefined
      })
      await Promise.race([running, failed])
    },
    failed,
    framesSent: () => stream.framesSent(),
    isIdle: () => rest.inFlight() === 0,
    dropSockets: () => sockets.dropSockets(),
    report: () => broker.report(),
    async stop() {
      ended.abort()
      // A caller that holds the tape may never let go; the tape ends when it does.
      if (options.pace === undefined) await running?.catch(() => undefined) // `run` has told
      await pinging
      await sockets.stop()
      rest.server.closeAllConnections()
      await new Promise<void>((resolve) => {
        rest.server.close(() => resolve())
      })
      broker.close()
    },
  }
}

async function keepPinging(
  options: SimulatorOptions,
  sockets: StreamServer,
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = options.pingIntervalMs ?? PING_INTERVAL_MS
  try {
    for (;;) {
      await options.stopwatch.sleep(intervalMs, signal)
      sockets.ping()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export type { MarketOptions, Simulator, SimulatorAccount, SimulatorOptions } from './options.ts'
