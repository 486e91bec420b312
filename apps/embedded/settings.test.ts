import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '#shared/runtime/config.ts'
import { readSettings } from './settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'jts-settings-'))
afterAll(() => rmSync(directory, { recursive: true }))
const secret = join(directory, 'app-secret')
writeFileSync(secret, 'hunter2\n')

const LIMITS = {
  JTS_ORDER_QUANTITY_MAX: '1',
  JTS_ORDER_NOTIONAL_MAX: '1',
  MAX_POSITION_SIZE: '1',
  MAX_POSITION_CONCENTRATION: '0.1',
  MAX_PORTFOLIO_VALUE: '1',
  MAX_DAILY_LOSS: '1',
}
const BROKER = {
  ...LIMITS,
  JTS_INSTRUMENTS: '005930.KRX',
  ENABLE_PAPER_TRADING: 'false',
  KIS_TOTAL_ACCOUNTS: '1',
  KIS_PAPER_TRADING: 'true',
  KIS_ACCOUNT_1_APPKEY: 'key',
  KIS_ACCOUNT_1_APPSECRET_FILE: secret,
  KIS_ACCOUNT_1_NUMBER: '12345678-01',
}

test('without a broker the market is simulated, with small limits', () => {
  expect(readSettings({}, false)).toMatchObject({ broker: undefined, risk: { MAX_DAILY_LOSS: '3000000' } })
})

test("a broker's secrets may stand in files, and nothing is then guarded by default", () => {
  const { broker } = readSettings(BROKER, false)
  expect(broker?.accounts).toMatchObject([{ accountId: 'kis:1234567801', appSecret: 'hunter2' }])
  expect(() => readSettings({ ...BROKER, MAX_DAILY_LOSS: '' }, false)).toThrow(/MAX_DAILY_LOSS: is required/)
})

test('the faults of every part, the broker included, stand in one message', () => {
  const wrong = {
    ...BROKER,
    JTS_PORT: 'x',
    KIS_ACCOUNT_1_APPSECRET_FILE: '/nowhere',
    KIS_ACCOUNT_1_NUMBER: '1',
  }
  let said = ''
  try {
    readSettings(wrong, false)
  } catch (error) {
    if (error instanceof ConfigError) said = error.message
  }
  expect(said).toContain('JTS_PORT')
  expect(said).toContain('KIS_ACCOUNT_1_APPSECRET_FILE names a file that cannot be read')
  expect(said).toContain('KIS_ACCOUNT_1_NUMBER')
})
