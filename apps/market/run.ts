// The market's side of a suite whose functions run elsewhere: simulator, broker stream, scheduler and business time in one
// process, on the servers that the functions use.
//
// M1. The market moves only after the broker stream is live and every function has joined, so that nothing happens unseen.
// M2. At speed `max`, and at every change of session, time waits until every function that may lead to an order is quiet:
//     what follows from an event is complete before the next, as in the embedded suite. The same data give the same events.
//     Before the summary all are waited for.
import { mkdir } from 'node:fs/promises'
import { type ConsumedTopics, haveCaughtUp } from '#shared/adapters/kafka/caught-up.ts'
import { kafkaClient } from '#shared/adapters/kafka/client.ts'
import type { KafkaSettings } from '#shared/adapters/kafka/config.ts'
import type { ClickHouseSettings } from '#shared/adapters/clickhouse/config.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import type { PostgresSettings } from '#shared/adapters/postgres/config.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import type { RedisSettings } from '#shared/adapters/redis/config.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Log } from '#shared/runtime/log.ts'
import { openMarketData } from '#shared/wiring/clickhouse.ts'
import { openBus } from '#shared/wiring/kafka.ts'
import { connectBroker } from '#shared/wiring/kis.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { type Connectors, startConnectors } from '../embedded/connectors.ts'
import { type Screen, runLive } from '../embedded/live.ts'
import type { Market } from '../embedded/market.ts'
import { accountViews } from '../embedded/operator.ts'
import type { Options } from '../embedded/options.ts'
import { prepare } from '../embedded/prepare.ts'
import type { SuiteSettings } from '../embedded/settings.ts'
import { simulatedMarket } from '../embedded/simulated-market.ts'
import { type Summary, summaryOf, writeSummary } from '../embedded/summary.ts'
import { tallyOf } from '../embedded/tally.ts'
import type { MarketSettings } from './config.ts'
import { storeHistory } from './history.ts'
import { historyFrom } from '../../functions/evaluate-strategy/history.ts'
import { allTopics, tradingTopics } from './consumers.ts'
import { settled } from './settled.ts'

const NAME = 'market'

export interface RunDeps {
  readonly options: Options
  readonly settings: SuiteSettings & {
    readonly market: MarketSettings
    readonly kafka: KafkaSettings
    readonly redis: RedisSettings
    readonly postgres: PostgresSettings
    readonly clickhouse: ClickHouseSettings
  }
  /** Where the simulated broker remembers. */
  readonly directory: string
  readonly log: Log
  readonly screen: Screen
}

type Closers = (() => Promise<unknown>)[]

/** Resolves when the market has ended, or the signal aborted, and everything is closed. */
export async function runMarket(deps: RunDeps, signal: AbortSignal): Promise<Summary> {
  await mkdir(deps.directory, { recursive: true })
  const closers: Closers = []
  try {
    const servers = await connect(deps, closers)
    let settleTrading: () => Promise<void> = () => Promise.resolve()
    const market = await marketOf(deps, () => settleTrading())
    closers.push(() => market.stop())
    await prepare(servers, market)
    await collectHistory(servers, market)
    const connectors = startConnectors({ ...deps, ...servers, market })
    closers.push(() => connectors.close())
    const settle = await settling(deps, market, connectors, closers)
    settleTrading = settle.trading
    return await drive(deps, servers, market, connectors, { settle: settle.everything, signal, closers })
  } finally {
    for (const close of closers.toReversed()) {
      await close().catch((error: unknown) => deps.log.error({ error }, 'a part did not close'))
    }
  }
}

type Servers = Awaited<ReturnType<typeof connect>>

async function connect({ settings, log }: RunDeps, closers: Closers) {
  const bus = await openBus(settings.kafka, log)
  closers.push(() => bus.close())
  const database = await openDatabase(settings.postgres, { name: NAME, log })
  closers.push(() => database.close())
  const hotState = connectHotState(settings.redis, { name: NAME, log })
  closers.push(() => hotState.close())
  const clickhouse = await openMarketData(settings.clickhouse, log)
  closers.push(() => clickhouse.close())
  const tickStore = clickhouseTickStore(clickhouse, { stopwatch: systemStopwatch })
  closers.push(() => tickStore.close())
  return {
    bus,
    hotState,
    tickStore,
    orders: postgresOrderStore(database),
    ledger: postgresLedger(database),
    documents: postgresDocuments(database),
    instruments: postgresInstruments(database),
    tally: await tallyOf(bus),
  }
}

/** From the simulated broker, as from a real one. */
async function collectHistory({ hotState, tickStore }: Servers, market: Market): Promise<void> {
  const { clock } = market
  const gateway = connectBroker(market.kis, { clock, hotState })
  try {
    const past = historyFrom({ tickStore: NOTHING_STORED, gateway, signal: new AbortController().signal })
    const ids = market.instruments.map(({ id }) => id)
    await storeHistory(past, tickStore, ids, clock.now())
  } finally {
    await gateway.close()
  }
}

const NOTHING_STORED = { bars: () => Promise.resolve([]) }

const marketOf = ({ options, settings, directory }: RunDeps, settle: () => Promise<void>): Promise<Market> =>
  simulatedMarket({
    run: options,
    settings,
    directory,
    settle,
    listen: {
      host: settings.market.JTS_SIMULATOR_HOST,
      restPort: settings.market.JTS_SIMULATOR_PORT,
      webSocketPort: settings.market.JTS_SIMULATOR_WEBSOCKET_PORT,
    },
  })

interface Settling {
  /** Resolves when nothing is under way that may lead to an order. */
  readonly trading: () => Promise<void>
  /** Resolves when nothing is under way. */
  readonly everything: () => Promise<void>
}

/** M2 */
async function settling(
  { settings, log }: RunDeps,
  { simulator }: Market,
  connectors: Connectors,
  closers: Closers,
): Promise<Settling> {
  const admin = kafkaClient(settings.kafka, log).admin()
  await admin.connect()
  const ending = new AbortController()
  closers.push(() => {
    ending.abort()
    return admin.disconnect()
  })
  const prefix = settings.kafka.JTS_KAFKA_PREFIX
  const waitFor = (consumed: ConsumedTopics) => () =>
    settled(
      {
        sent: () => simulator?.framesSent() ?? 0,
        handled: connectors.framesHandled,
        parts: [connectors.isCaughtUp, () => simulator?.isIdle() ?? true],
        haveCaughtUp: () => haveCaughtUp(admin, consumed),
      },
      ending.signal,
    )
  return { trading: waitFor(tradingTopics(prefix)), everything: waitFor(allTopics(prefix)) }
}

async function drive(
  { options, log, screen }: RunDeps,
  servers: Servers,
  market: Market,
  connectors: Connectors,
  run: { readonly settle: () => Promise<void>; readonly signal: AbortSignal; readonly closers: Closers },
): Promise<Summary> {
  const startedMs = systemStopwatch.elapsedMs()
  const { tally } = servers
  const ending = new AbortController()
  const ended = AbortSignal.any([run.signal, ending.signal])
  const stopped = aborted(ended)
  const accounts = () => accountViews({ stores: servers, clock: market.clock })
  const live = runLive(
    {
      screen,
      tally,
      clock: market.clock,
      stopwatch: systemStopwatch,
      accounts,
      market: market.title,
      trouble: () => connectors.trouble(),
    },
    ended,
  )
  run.closers.push(() => {
    ending.abort()
    return live
  })
  await Promise.race([connectors.live, connectors.ended, stopped])
  await Promise.race([run.settle(), stopped]) // M1
  log.info({ market: market.title }, 'the market is open')
  await Promise.race([market.simulator?.run(ended), connectors.ended, stopped])
  if (!ended.aborted) {
    await market.finish()
    await Promise.race([run.settle(), stopped])
  }
  const summary = await summaryOf({
    tally,
    stores: servers,
    accounts: await accounts(),
    simulator: market.simulator,
    durationMs: systemStopwatch.elapsedMs() - startedMs,
  })
  if (options.summary !== undefined) await writeSummary(options.summary, summary)
  if (!options.exit) await stopped
  return summary
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
