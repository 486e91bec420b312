// `npm run seed:dev` as a process of its own against a real database.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { price } from '#shared/domain/values.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'

let store: TestDatabase
beforeEach(async () => {
  store = await testDatabase()
})
afterEach(() => store.close())

const SAMSUNG = instrumentId('005930.KRX')
const OWN_ACCOUNT = {
  KIS_TOTAL_ACCOUNTS: '1',
  KIS_PAPER_TRADING: 'true',
  KIS_ACCOUNT_1_APPKEY: 'key',
  KIS_ACCOUNT_1_APPSECRET: 'secret',
  KIS_ACCOUNT_1_NUMBER: '12345678-01',
}

function seed(environment: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync('node', [join(import.meta.dirname, '../../scripts/seed.ts')], {
    // Away from the repository, whose .env.local is a person's own.
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'] ?? '', JTS_POSTGRES_URL: store.url, ...environment },
    encoding: 'utf8',
  })
  return `${status} ${stdout}${stderr}`
}
const strategies = () => postgresDocuments(store.database).list('strategy')

test('an empty database gets what the simulator trades, its account and the strategies of the demonstration', async () => {
  expect(seed()).toBe('0 added: 1 accounts, 20 instruments, 4 strategies\n')
  expect(await postgresLedger(store.database).accountIds()).toEqual(['kis:5012345601'])
  expect((await postgresInstruments(store.database).get(SAMSUNG))?.name).toBe('삼성전자')
  expect((await strategies()).length).toBe(4)
})

test('what is there stays as it is', async () => {
  seed()
  const instruments = postgresInstruments(store.database)
  const known = await instruments.get(SAMSUNG)
  if (known === undefined) throw new Error('not seeded')
  await instruments.put([{ ...known, basePrice: price('71500') }])
  expect(seed()).toBe('0 added: 0 accounts, 0 instruments, 0 strategies\n')
  expect((await instruments.get(SAMSUNG))?.basePrice).toBe(price('71500'))
})

test('an account at KIS gets no strategy, and only the instruments that its owner named', async () => {
  expect(seed({ ...OWN_ACCOUNT, JTS_INSTRUMENTS: '035420.KRX' })).toBe(
    '0 added: 1 accounts, 1 instruments, 0 strategies\n',
  )
  expect(await strategies()).toEqual([])
})

test('settings of a broker that are not complete are not completed with those of the simulator', async () => {
  const said = seed({ KIS_PAPER_TRADING: 'true' })
  expect(said).toMatch(/^2 Settings are wrong:/)
  expect(said).toContain('KIS_TOTAL_ACCOUNTS')
  expect(await postgresLedger(store.database).accountIds()).toEqual([])
})
