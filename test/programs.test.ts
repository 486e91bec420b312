// Every deployed program without its settings, and with settings that must never go together.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONFIG_EXIT_CODE } from '#shared/runtime/config.ts'
import { endOf } from './program.ts'

const KIS = ['KIS_TOTAL_ACCOUNTS', 'KIS_PAPER_TRADING']
const LIMITS = [
  'JTS_ORDER_QUANTITY_MAX',
  'JTS_ORDER_NOTIONAL_MAX',
  'MAX_POSITION_SIZE',
  'MAX_POSITION_CONCENTRATION',
  'MAX_PORTFOLIO_VALUE',
  'MAX_DAILY_LOSS',
]

describe('without its settings it names every one that is missing, and does not start:', () => {
  test.concurrent.each([
    ['functions/ingest-tick', ['JTS_POSTGRES_URL', 'JTS_CLICKHOUSE_URL', 'REDIS_URL']],
    ['functions/evaluate-strategy', ['JTS_PAPER_ACCOUNT_ID', 'JTS_POSTGRES_URL', 'JTS_CLICKHOUSE_URL']],
    ['functions/risk-check', [...LIMITS, 'JTS_POSTGRES_URL', 'REDIS_URL']],
    ['functions/place-order', [...KIS, 'JTS_POSTGRES_URL', 'REDIS_URL']],
    ['functions/record-execution', ['JTS_FEE_RATIO', 'JTS_POSTGRES_URL']],
    ['functions/reconcile-account', [...KIS, 'JTS_INSTRUMENTS', 'JTS_POSTGRES_URL', 'REDIS_URL']],
    ['functions/notify', ['JTS_POSTGRES_URL']],
    ['functions/archive-event', ['JTS_CLICKHOUSE_URL']],
    ['connectors/kis-stream', [...KIS, 'JTS_INSTRUMENTS', 'JTS_KAFKA_BROKERS', 'REDIS_URL']],
    ['connectors/scheduler', ['JTS_KAFKA_BROKERS', 'REDIS_URL']],
  ])('%s', async (path, expected) => {
    const { code, said } = await endOf(`${path}/main.ts`, {})
    const named = [...said.matchAll(/^ {2}([A-Z0-9_]+)(?::| is not set)/gm)].map(([, name]) => name)
    expect(new Set(named)).toEqual(new Set(expected))
    expect(code).toBe(CONFIG_EXIT_CODE)
  })
})

describe('with settings that are complete', () => {
  let secrets = ''
  let environment: Readonly<Record<string, string>> = {}
  beforeAll(async () => {
    secrets = await mkdtemp(join(tmpdir(), 'jts-test-secrets-'))
    await writeFile(join(secrets, 'app-secret'), 'secret\n')
    environment = {
      JTS_POSTGRES_URL: 'postgres://127.0.0.1:1/none',
      JTS_KAFKA_BROKERS: '127.0.0.1:1',
      REDIS_URL: 'redis://127.0.0.1:1',
      JTS_INSTRUMENTS: '005930.KRX',
      KIS_TOTAL_ACCOUNTS: '1',
      KIS_PAPER_TRADING: 'true',
      KIS_ACCOUNT_1_APPKEY: 'key',
      KIS_ACCOUNT_1_APPSECRET_FILE: join(secrets, 'app-secret'),
      KIS_ACCOUNT_1_NUMBER: '12345678-01',
    }
  })
  afterAll(() => rm(secrets, { recursive: true }))

  test.each([
    ['functions/place-order', { KIS_PAPER_TRADING: 'false' }, 'KIS_PAPER_TRADING=false'],
    ['functions/reconcile-account', { KIS_PAPER_TRADING: 'false' }, 'KIS_PAPER_TRADING=false'],
    ['functions/place-order', { NODE_ENV: 'production' }, 'NODE_ENV=production'],
    ['connectors/kis-stream', {}, 'must be system here'],
    ['connectors/scheduler', {}, 'must be system here'],
  ])('%s refuses time from events with %o', async (path, over, expected) => {
    const { code, said } = await endOf(`${path}/main.ts`, {
      ...environment,
      ...over,
      JTS_BUSINESS_TIME: 'events',
    })
    expect(said).toContain('JTS_BUSINESS_TIME: ')
    expect(said).toContain(expected)
    expect(code).toBe(CONFIG_EXIT_CODE)
  })

  test('a database that is not there is named by its setting, and the process ends to be started again', async () => {
    const { code, said } = await endOf('functions/place-order/main.ts', environment)
    expect(said).toMatch(/"JTS_POSTGRES_URL: PostgreSQL was not reached .*ECONNREFUSED/)
    expect(code).toBe(1)
  })
})
