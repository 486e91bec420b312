// The suite as it runs on servers: each function a process behind the bridge, on the servers of JTS_KAFKA_BROKERS,
// REDIS_URL and a database of its own. The market is simulated.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testClickHouse } from '#shared/adapters/clickhouse/engine.fixture.ts'
import { kafkaClient } from '#shared/adapters/kafka/client.ts'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { applyTopics, declaredTopics } from '#shared/adapters/kafka/topic-admin.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import { createLog } from '#shared/runtime/log.ts'
import { DEFINITIONS } from '../../apps/definitions.ts'
import { SIMULATED_DEFAULTS } from '../../apps/embedded/config.ts'
import { PLAY_ACCOUNT } from '../../apps/embedded/simulated-market.ts'
import type { Summary } from '../../apps/embedded/summary.ts'
import { SEEDED_INSTRUMENTS } from '../../apps/kis-simulator/market/listed-instruments.ts'
import topics from '../../infra/kafka/topics.json' with { type: 'json' }
import { freePort } from '../../scripts/services/server-process.ts'
import { testDatabase } from '../postgres.ts'
import { type Program, endOf, startProgram } from '../program.ts'

const BRIDGE = 'connectors/kafka-bridge/main.ts'

export interface ServerSuite {
  /** Runs the market to its end. */
  market(args: readonly string[]): Promise<Summary>
  orders(): Promise<readonly StoredOrder[]>
  /** `kill -9`, and a new process at the same place. A function's name, or `kafka-bridge`. */
  killAndStart(name: string): Promise<void>
  close(): Promise<void>
}

type Closers = (() => Promise<unknown>)[]

const server = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

/** Topics and keys that no other run uses. */
async function serverSettings(prefix: string): Promise<Record<string, string>> {
  const settings = {
    JTS_KAFKA_BROKERS: server('JTS_KAFKA_BROKERS'),
    JTS_KAFKA_PREFIX: `${prefix}.`,
    REDIS_URL: server('REDIS_URL'),
    JTS_REDIS_KEY_PREFIX: `${prefix}:`,
  }
  const { JTS_KAFKA_BROKERS, JTS_KAFKA_PREFIX } = settings
  const admin = kafkaClient(KafkaConfig.parse({ JTS_KAFKA_BROKERS }), createLog('test', 'error')).admin()
  await admin.connect()
  await applyTopics(admin, declaredTopics(topics, JTS_KAFKA_PREFIX, 1))
  await admin.disconnect()
  return settings
}

async function brokerSettings(): Promise<Record<string, string>> {
  const [rest, websocket] = [await freePort(), await freePort()]
  return {
    JTS_SIMULATOR_PORT: `${rest}`,
    JTS_SIMULATOR_WEBSOCKET_PORT: `${websocket}`,
    KIS_TOTAL_ACCOUNTS: '1',
    KIS_PAPER_TRADING: 'true',
    KIS_API_BASE_URL: `http://127.0.0.1:${rest}`,
    KIS_WEBSOCKET_URL: `ws://127.0.0.1:${websocket}`,
    KIS_RATE_LIMIT_PER_SECOND: '1000',
    KIS_ACCOUNT_1_APPKEY: PLAY_ACCOUNT.appKey,
    KIS_ACCOUNT_1_APPSECRET: PLAY_ACCOUNT.appSecret,
    KIS_ACCOUNT_1_NUMBER: PLAY_ACCOUNT.accountNumber,
    JTS_KIS_ACCOUNT_1_HTS_ID: PLAY_ACCOUNT.htsId,
    JTS_INSTRUMENTS: SEEDED_INSTRUMENTS.map(({ symbol }) => `${symbol}.KRX`).join(),
  }
}

/** @param prefix letters and digits, of this run only. */
export async function startOnServers(prefix: string): Promise<ServerSuite> {
  const closers: Closers = []
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each()
  }
  try {
    return { ...(await start(prefix, closers)), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function start(prefix: string, closers: Closers): Promise<Omit<ServerSuite, 'close'>> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-loop-'))
  closers.push(() => rm(directory, { recursive: true, force: true }))
  const { url, database, close: dropDatabase } = await testDatabase()
  closers.push(dropDatabase)
  const clickhouse = await testClickHouse()
  closers.push(() => clickhouse.close())
  const servers = await serverSettings(prefix)
  const suite = {
    ...SIMULATED_DEFAULTS,
    ...(await brokerSettings()),
    JTS_FEE_RATIO: '0.00015',
    LOG_LEVEL: 'info',
    JTS_POSTGRES_URL: url,
    JTS_CLICKHOUSE_URL: clickhouse.url,
  }
  const { JTS_KAFKA_BROKERS: _none, ...withoutKafka } = servers
  const ofFunction = { ...suite, ...withoutKafka, JTS_BUSINESS_TIME: 'events', JTS_PHASE_GRACE_MS: '0' }

  const running = new Map<string, Program>()
  closers.push(async () => {
    for (const program of running.values()) await program.stop()
  })
  const places = new Map<string, { readonly path: string; readonly environment: Record<string, string> }>()
  const startAt = async (name: string): Promise<void> => {
    const place = places.get(name)
    if (place === undefined) throw new Error(`there is no ${name}`)
    running.set(name, await startProgram(place.path, place.environment))
  }
  const urls: string[] = []
  for (const { name } of DEFINITIONS) {
    const PORT = `${await freePort()}`
    urls.push(`${name}=http://127.0.0.1:${PORT}`)
    places.set(name, { path: `functions/${name}/main.ts`, environment: { ...ofFunction, PORT } })
  }
  const bridge = { ...servers, LOG_LEVEL: 'info', JTS_BRIDGE_FUNCTIONS: urls.join(' ') }
  places.set('kafka-bridge', { path: BRIDGE, environment: bridge })
  for (const name of places.keys()) await startAt(name)

  return {
    async market(args) {
      const file = join(directory, 'summary.json')
      const words = ['--data', directory, '--speed', 'max', '--exit', '--summary', file, ...args]
      const { code, said } = await endOf('apps/market/main.ts', { ...suite, ...servers }, words)
      if (code !== 0) throw new Error(`the market ended with ${code}:\n${said.slice(-4_000)}`)
      return JSON.parse(await readFile(file, 'utf8')) as Summary
    },
    orders: () => postgresOrderStore(database).orders({ limit: 1_000 }),
    async killAndStart(name) {
      running.get(name)?.kill()
      await startAt(name)
    },
  }
}
