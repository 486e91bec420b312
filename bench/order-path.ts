// The embedded suite as `npm start` wires it, with a broker that answers at once and a clock in the middle of a session.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { kisGateway } from '#shared/adapters/broker-kis/gateway.ts'
import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '#shared/adapters/clickhouse/migrate.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { type PostgresDatabase, openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { embeddedPostgres } from '#shared/adapters/postgres/embedded.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { postgresOutbox } from '#shared/adapters/postgres/outbox.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import { type Instant, addMs, kstDate, parseInstant } from '#shared/domain/time.ts'
import { money } from '#shared/domain/values.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { type Log, type LogLevel, createLog } from '#shared/runtime/log.ts'
import { outboxRelay } from '../apps/embedded/outbox-relay.ts'
import { readSettings } from '../apps/embedded/settings.ts'
import type { Stores } from '../apps/embedded/stores.ts'
import { startSuite } from '../apps/embedded/suite.ts'
import type { StrategyDocument } from '../functions/evaluate-strategy/roster.ts'

export const ACCOUNT_ID = 'kis:5012345601'
/** A Tuesday with a session, just after its opening. */
export const SESSION_START: Instant = parseInstant('2025-09-02T09:05:00+09:00')
const CASH = '1000000000000'

/** The settings of a real account, with limits that the race never meets. */
const settingsFor = ({ brokerPort, instruments }: OrderPathOptions): Record<string, string> => ({
  LOG_LEVEL: 'warn',
  JTS_INSTRUMENTS: instruments.map(({ id }) => id).join(),
  KIS_TOTAL_ACCOUNTS: '1',
  KIS_PAPER_TRADING: 'false',
  KIS_API_BASE_URL: `http://127.0.0.1:${brokerPort}`,
  KIS_RATE_LIMIT_PER_SECOND: '1000',
  KIS_ACCOUNT_1_APPKEY: 'key-of-the-race',
  KIS_ACCOUNT_1_APPSECRET: 'secret-of-the-race',
  KIS_ACCOUNT_1_NUMBER: '50123456-01',
  ENABLE_PAPER_TRADING: 'false',
  STRATEGY_EXECUTION_INTERVAL: '0',
  JTS_ORDER_QUANTITY_MAX: '100000',
  JTS_ORDER_NOTIONAL_MAX: '100000000',
  MAX_POSITION_SIZE: '100000000000',
  MAX_POSITION_CONCENTRATION: '1',
  MAX_PORTFOLIO_VALUE: '1000000000000',
  MAX_DAILY_LOSS: '1000000000',
  JTS_ORDERS_PER_SECOND_MAX: '1000',
  ENABLE_TRADE_ALERTS: 'false',
})

/** Business time of the session, which the race may move on. */
export interface SessionClock extends Clock {
  skip(ms: number): void
}

function sessionClock(): SessionClock {
  const startMs = systemStopwatch.elapsedMs()
  let skippedMs = 0
  const now = (): Instant =>
    addMs(SESSION_START, Math.floor(systemStopwatch.elapsedMs() - startMs) + skippedMs)
  return {
    now,
    sleepUntil: (due, signal) => systemStopwatch.sleep(Math.max(0, due - now()), signal),
    skip(ms) {
      skippedMs += ms
    },
  }
}

export interface OrderPathOptions {
  readonly brokerPort: number
  readonly instruments: readonly Instrument[]
  readonly strategies: readonly Pick<StrategyDocument, 'id' | 'kind' | 'parameters'>[]
  /** ClickHouse in this process. Default: true. */
  readonly withEngine?: boolean
  /** Default `warn`. */
  readonly logLevel?: LogLevel
}

export type OrderPath = Awaited<ReturnType<typeof openOrderPath>>

type Closers = (() => Promise<unknown>)[]

/** Opens everything. `close` closes it and removes the data. */
export async function openOrderPath(options: OrderPathOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'jts-bench-'))
  await chmod(directory, 0o755) // started by root, PostgreSQL runs as another user
  const closers: Closers = [() => rm(directory, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each()
  }
  try {
    const { database, stores } = await openStores(directory, options.withEngine ?? true, closers)
    return { database, stores, close, ...(await openSuite(options, stores, closers)) }
  } catch (error) {
    await close()
    throw error
  }
}

/** As apps/embedded/stores.ts, with the database at hand for the bound of the race. */
async function openStores(
  directory: string,
  withEngine: boolean,
  closers: Closers,
): Promise<{ database: PostgresDatabase; stores: Stores }> {
  const log = createLog('bench', 'warn')
  const server = await embeddedPostgres({
    directory: join(directory, 'postgres'),
    log,
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
  })
  closers.push(() => server.stop())
  const database = await openPostgres({ url: server.url, applicationName: 'bench' })
  closers.push(() => database.close())
  await migratePostgres(database)
  const { ticks, archive } = withEngine ? await clickhouseStores(directory, log, closers) : NOWHERE
  const stores: Stores = {
    orders: postgresOrderStore(database),
    ledger: postgresLedger(database),
    outbox: postgresOutbox(database),
    documents: postgresDocuments(database),
    instruments: postgresInstruments(database),
    notifications: postgresNotificationLog(database),
    ticks,
    archive,
    close: () => Promise.resolve(),
  }
  return { database, stores }
}

type MarketStores = Pick<Stores, 'ticks' | 'archive'>

async function clickhouseStores(directory: string, log: Log, closers: Closers): Promise<MarketStores> {
  const clickhouse = await openClickHouse({ directory: join(directory, 'clickhouse') })
  closers.push(() => clickhouse.close())
  await migrateClickHouse(clickhouse)
  const buffering = {
    batchSize: 1_000,
    bufferSize: 10_000,
    flushIntervalMs: 1_000,
    stopwatch: systemStopwatch,
    onFault: (error: unknown) => log.warn({ error }, 'ClickHouse cannot be written now'),
  }
  const ticks = clickhouseTickStore(clickhouse, buffering)
  const archive = clickhouseArchive(clickhouse, buffering)
  closers.push(
    () => archive.close(),
    () => ticks.close(),
  )
  return { ticks, archive }
}

const nothing = (): Promise<void> => Promise.resolve()

/** Keeps no market data and no archive: what the suite costs without the engine. */
const NOWHERE: MarketStores = {
  ticks: {
    appendTicks: nothing,
    appendBars: nothing,
    flush: nothing,
    bars: () => Promise.resolve([]),
    ticks: () => Promise.resolve([]),
    close: nothing,
  },
  archive: {
    append: nothing,
    flush: nothing,
    byCorrelation: () => Promise.resolve([]),
    byId: () => Promise.resolve(undefined),
    verify: () => Promise.resolve(undefined),
    count: () => Promise.resolve(0),
    close: nothing,
  },
}

async function openSuite(options: OrderPathOptions, stores: Stores, closers: Closers) {
  const clock = sessionClock()
  const log = createLog('bench', options.logLevel ?? 'warn')
  const settings = readSettings(settingsFor(options), false)
  const kis = settings.broker
  if (kis === undefined) throw new Error('the race has no broker')
  await seed(stores, options, clock)

  const hotState = memoryHotState({ stopwatch: systemStopwatch })
  const bus = memoryBus({ stopwatch: systemStopwatch })
  const { outbox, archive } = stores
  const relay = await outboxRelay({ outbox, archive, bus, stopwatch: systemStopwatch, log })
  const gateway = kisGateway({ ...kis, hotState, clock, stopwatch: systemStopwatch })
  closers.push(
    () => gateway.close(),
    () => bus.close(),
  )
  const suite = await startSuite({
    settings,
    stores,
    bus,
    hotState,
    gateway,
    decoder: kisFrameDecoder(),
    clock,
    log,
    isDriven: true,
  })
  const ending = new AbortController()
  const relaying = relay.run(ending.signal)
  closers.push(
    () => suite.close(),
    () => {
      ending.abort()
      return relaying
    },
  )
  return { bus, clock, hotState }
}

async function seed(
  stores: Stores,
  { instruments, strategies }: OrderPathOptions,
  clock: Clock,
): Promise<void> {
  const { ledger, documents } = stores
  await ledger.openAccount({ accountId: ACCOUNT_ID, broker: 'kis', currency: 'KRW' })
  await ledger.adopt(ACCOUNT_ID, { cash: money(CASH), positions: [] })
  await ledger.openSession(ACCOUNT_ID, kstDate(clock.now()), money(CASH))
  await ledger.setTradingState(
    { accountId: ACCOUNT_ID, to: 'active', changedBy: 'bench', reason: 'race', at: clock.now() },
    () => [],
  )
  await stores.instruments.put(instruments)
  for (const { id, kind, parameters } of strategies) {
    const body: StrategyDocument = {
      id,
      kind,
      enabled: true,
      accountId: ACCOUNT_ID,
      instrumentIds: 'all',
      parameters,
    }
    await documents.put({ kind: 'strategy', id, after: 0, body, changedBy: 'bench' })
  }
}
