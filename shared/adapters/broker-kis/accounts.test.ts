import { describe, expect, test } from 'vitest'
import { readKisSettings } from './accounts.ts'

const COMPLETE = {
  KIS_TOTAL_ACCOUNTS: '1',
  KIS_PAPER_TRADING: 'false',
  KIS_ACCOUNT_1_APPKEY: 'PSkey',
  KIS_ACCOUNT_1_APPSECRET: 'hush-hush',
  KIS_ACCOUNT_1_NUMBER: '50123456-01',
  JTS_KIS_ACCOUNT_1_HTS_ID: 'trader01',
}
const faultsOf = (changes: Record<string, string | undefined>): readonly string[] => {
  const result = readKisSettings({ ...COMPLETE, ...changes })
  return result.outcome === 'faulty' ? result.faults : []
}

describe('settings of KIS accounts', () => {
  test('are read once, with the hosts and limits that belong to real money', () => {
    expect(readKisSettings(COMPLETE)).toEqual({
      outcome: 'read',
      settings: {
        paperTrading: false,
        apiBaseUrl: 'https://openapi.koreainvestment.com:9443',
        websocketUrl: 'ws://ops.koreainvestment.com:21000',
        ratePerSecond: 18,
      },
      accounts: [
        {
          accountId: 'kis:5012345601',
          appKey: 'PSkey',
          appSecret: 'hush-hush',
          number: '50123456',
          product: '01',
          htsId: 'trader01',
        },
      ],
    })
  })

  test('paper trading brings its own hosts and its own limit', () => {
    const result = readKisSettings({ ...COMPLETE, KIS_PAPER_TRADING: 'true' })
    expect(result).toMatchObject({
      settings: {
        apiBaseUrl: 'https://openapivts.koreainvestment.com:29443',
        websocketUrl: 'ws://ops.koreainvestment.com:31000',
        ratePerSecond: 1,
      },
    })
  })

  test('what is set explicitly is taken', () => {
    const result = readKisSettings({
      ...COMPLETE,
      KIS_API_BASE_URL: 'http://127.0.0.1:9443/',
      KIS_WEBSOCKET_URL: 'ws://127.0.0.1:21000',
      KIS_RATE_LIMIT_PER_SECOND: '20',
      KIS_RATE_LIMIT_PER_MINUTE: '200',
    })
    expect(result).toMatchObject({
      settings: {
        apiBaseUrl: 'http://127.0.0.1:9443',
        websocketUrl: 'ws://127.0.0.1:21000',
        ratePerSecond: 20,
        ratePerMinute: 200,
      },
    })
  })

  test.each([
    ['real or paper is never guessed', { KIS_PAPER_TRADING: undefined }, 'KIS_PAPER_TRADING'],
    ['"yes" is not true', { KIS_PAPER_TRADING: 'yes' }, 'KIS_PAPER_TRADING'],
    ['no accounts', { KIS_TOTAL_ACCOUNTS: '0' }, 'KIS_TOTAL_ACCOUNTS'],
    ['an empty key counts as unset', { KIS_ACCOUNT_1_APPKEY: ' ' }, 'KIS_ACCOUNT_1_APPKEY is not set'],
    ['an account number without product', { KIS_ACCOUNT_1_NUMBER: '50123456' }, 'KIS_ACCOUNT_1_NUMBER'],
    ['a second account that is missing', { KIS_TOTAL_ACCOUNTS: '2' }, 'KIS_ACCOUNT_2_APPKEY is not set'],
    ['an account beyond the total', { KIS_ACCOUNT_2_APPKEY: 'x' }, 'KIS_ACCOUNT_2_APPKEY is set'],
    ['a rate of zero', { KIS_RATE_LIMIT_PER_SECOND: '0' }, 'KIS_RATE_LIMIT_PER_SECOND'],
    ['a websocket URL for REST', { KIS_API_BASE_URL: 'ws://127.0.0.1' }, 'KIS_API_BASE_URL'],
    [
      'pitfall 15: the paper host with real money',
      { KIS_API_BASE_URL: 'https://openapivts.koreainvestment.com:29443' },
      'KIS_API_BASE_URL is not the real host',
    ],
  ])('%s is a fault that names the setting', (_name, changes, text) => {
    expect(faultsOf(changes).join('\n')).toContain(text)
  })

  test('every fault is told at once', () => {
    const faults = faultsOf({ KIS_PAPER_TRADING: '', KIS_ACCOUNT_1_NUMBER: '1', KIS_ACCOUNT_1_APPSECRET: '' })
    expect(faults).toHaveLength(3)
  })

  test('pitfalls 3 and 27: two accounts on one key are refused, and no fault quotes a secret', () => {
    const faults = faultsOf({
      KIS_TOTAL_ACCOUNTS: '2',
      KIS_ACCOUNT_2_APPKEY: 'PSkey',
      KIS_ACCOUNT_2_APPSECRET: 'with blank',
      KIS_ACCOUNT_2_NUMBER: '50123457-01',
    })
    expect(faults.join()).not.toContain('with blank')
    const shared = faultsOf({
      KIS_TOTAL_ACCOUNTS: '2',
      KIS_ACCOUNT_2_APPKEY: 'PSkey',
      KIS_ACCOUNT_2_APPSECRET: 'other',
      KIS_ACCOUNT_2_NUMBER: '50123457-01',
    })
    expect(shared.join()).toContain('APPKEY: two accounts share one value')
  })
})
