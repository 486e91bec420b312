import { describe, expect, test } from 'vitest'
import { loadConfig } from '#shared/runtime/config.ts'
import { BridgeConfig } from './config.ts'

const load = (environment: Readonly<Record<string, string>>) =>
  loadConfig(BridgeConfig, environment, { secretDirectories: [] })

describe('settings of the bridge', () => {
  test('functions of plain containers are named with the URLs of their instances', () => {
    const { JTS_BRIDGE_FUNCTIONS: functions } = load({
      JTS_BRIDGE_FUNCTIONS: ' risk-check=http://risk:8080 \n place-order=http://a:8080,https://b/place ',
    })
    expect([...(functions ?? [])]).toEqual([
      ['risk-check', ['http://risk:8080']],
      ['place-order', ['http://a:8080', 'https://b/place']],
    ])
  })

  test.each([
    ['nothing to feed', {}, /JTS_BRIDGE_FUNCTIONS: is required .*or JTS_BRIDGE_GATEWAY_URL must be set/],
    [
      'two truths',
      { JTS_BRIDGE_FUNCTIONS: 'a=http://a', JTS_BRIDGE_GATEWAY_URL: 'http://gateway:8080' },
      /which one is meant/,
    ],
    ['no URL', { JTS_BRIDGE_FUNCTIONS: 'a=risk:8080' }, /must be name=url.*not a=risk:8080/],
    ['no name', { JTS_BRIDGE_FUNCTIONS: 'http://a:8080' }, /must be name=url/],
    ['a function twice', { JTS_BRIDGE_FUNCTIONS: 'a=http://a a=http://b' }, /names a twice/],
    [
      'a gateway that is no URL',
      { JTS_BRIDGE_GATEWAY_URL: 'gateway:8080' },
      /must be a URL of http or https/,
    ],
    [
      'more events than a function takes',
      { JTS_BRIDGE_FUNCTIONS: 'a=http://a', JTS_BRIDGE_BATCH_MAX: '1001' },
      /JTS_BRIDGE_BATCH_MAX/,
    ],
  ])('%s is refused', (_name, environment, message) => {
    expect(() => load(environment)).toThrow(message)
  })
})
