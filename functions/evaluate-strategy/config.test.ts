import { expect, test } from 'vitest'
import { loadConfig } from '#shared/runtime/config.ts'
import { EvaluateStrategyConfig, evaluateSettingsFrom } from './config.ts'

const read = (environment: Record<string, string>) =>
  evaluateSettingsFrom(loadConfig(EvaluateStrategyConfig, environment, { secretDirectories: [] }))

test('paper trading is on unless it is turned off', () => {
  expect(read({ JTS_PAPER_ACCOUNT_ID: 'paper-1' })).toMatchObject({
    paperAccountId: 'paper-1',
    executionIntervalMs: 1_000,
  })
  expect(read({ ENABLE_PAPER_TRADING: 'false', JTS_PAPER_ACCOUNT_ID: 'paper-1' })).not.toHaveProperty(
    'paperAccountId',
  )
})

test('paper trading without a paper account does not fall back to a real one', () => {
  expect(() => read({})).toThrow('JTS_PAPER_ACCOUNT_ID')
  const unchecked = EvaluateStrategyConfig.parse({ ENABLE_PAPER_TRADING: 'false' })
  expect(() => evaluateSettingsFrom({ ...unchecked, ENABLE_PAPER_TRADING: true })).toThrow(
    'JTS_PAPER_ACCOUNT_ID',
  )
})

test.each([['maybe'], ['TRUE'], ['1']])('ENABLE_PAPER_TRADING=%s is refused, not guessed', (text) => {
  expect(() => read({ ENABLE_PAPER_TRADING: text, JTS_PAPER_ACCOUNT_ID: 'paper-1' })).toThrow(
    'ENABLE_PAPER_TRADING',
  )
})
