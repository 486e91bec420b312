import { expect, test } from 'vitest'
import { KafkaConfig } from './config.ts'

const faultsOf = (settings: Readonly<Record<string, string>>): readonly string[] =>
  (KafkaConfig.safeParse(settings).error?.issues ?? []).map(
    ({ path, message }) => `${path.join()}: ${message}`,
  )

const BROKERS = { JTS_KAFKA_BROKERS: 'one:9092, two.example:9093' }

test('brokers are enough', () => {
  expect(KafkaConfig.parse(BROKERS)).toMatchObject({
    JTS_KAFKA_BROKERS: ['one:9092', 'two.example:9093'],
    JTS_KAFKA_TLS: false,
    JTS_KAFKA_PREFIX: '',
  })
})

test.each([
  [
    'a broker without port',
    { JTS_KAFKA_BROKERS: 'one' },
    'JTS_KAFKA_BROKERS: must be host:port, comma-separated',
  ],
  ['no broker', { JTS_KAFKA_BROKERS: '' }, 'JTS_KAFKA_BROKERS: must be host:port, comma-separated'],
  ['a CA without TLS', { ...BROKERS, JTS_KAFKA_TLS_CA: 'PEM' }, 'JTS_KAFKA_TLS_CA: needs JTS_KAFKA_TLS=true'],
  [
    'half a client certificate',
    { ...BROKERS, JTS_KAFKA_TLS: 'true', JTS_KAFKA_TLS_KEY: 'PEM' },
    'JTS_KAFKA_TLS_CERT: and JTS_KAFKA_TLS_KEY must be set together',
  ],
  [
    'a mechanism without password',
    { ...BROKERS, JTS_KAFKA_SASL_MECHANISM: 'plain', JTS_KAFKA_SASL_USERNAME: 'jts' },
    'JTS_KAFKA_SASL_PASSWORD: is required with JTS_KAFKA_SASL_MECHANISM',
  ],
  [
    'a password without mechanism',
    { ...BROKERS, JTS_KAFKA_SASL_PASSWORD: 'x' },
    'JTS_KAFKA_SASL_PASSWORD: needs JTS_KAFKA_SASL_MECHANISM',
  ],
])('%s is refused by name', (_name, settings, fault) => {
  expect(faultsOf(settings)).toContain(fault)
})
