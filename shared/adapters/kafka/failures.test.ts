import { expect, test } from 'vitest'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { KafkaSetupError, failureOf } from './failures.ts'

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })
const named = (name: string): Error => Object.assign(new Error('no'), { name })
const typed = (type: string): Error =>
  Object.assign(new Error('the broker says no'), { name: 'KafkaJSProtocolError', type })

test.each([
  ['nobody listens', coded('connect ECONNREFUSED', 'ECONNREFUSED'), RetryableError, 'JTS_KAFKA_BROKERS'],
  ['no such host', coded('getaddrinfo ENOTFOUND kafka', 'ENOTFOUND'), RetryableError, 'no such host'],
  [
    'an expired certificate',
    coded('certificate has expired', 'CERT_HAS_EXPIRED'),
    KafkaSetupError,
    'expired',
  ],
  [
    'a certificate of nobody',
    coded('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'),
    KafkaSetupError,
    'JTS_KAFKA_TLS_CA',
  ],
  ['a login refused', named('KafkaJSSASLAuthenticationError'), KafkaSetupError, 'JTS_KAFKA_SASL_PASSWORD'],
  ['no rights', typed('TOPIC_AUTHORIZATION_FAILED'), KafkaSetupError, 'rights'],
  ['a topic that is missing', typed('UNKNOWN_TOPIC_OR_PARTITION'), RetryableError, 'npm run topics'],
  ['a message too large', typed('MESSAGE_TOO_LARGE'), PoisonError, 'JTS_KAFKA_MESSAGE_BYTES_MAX'],
  ['too few brokers', typed('NOT_ENOUGH_REPLICAS'), RetryableError, 'min.insync.replicas'],
  ['a full disk', typed('KAFKA_STORAGE_ERROR'), RetryableError, 'disk'],
  ['anything else', new Error('strange'), RetryableError, 'strange'],
])('%s: what it means and what mends it', (_name, error, kind, words) => {
  const wrapped = new Error('gave up', { cause: error })
  for (const each of [error, wrapped]) {
    const failure = failureOf(each, 'store events')
    expect(failure).toBeInstanceOf(kind)
    expect(failure.message).toContain('Kafka could not store events')
    expect(failure.message).toContain(words)
  }
})

test('what has been explained is not explained again', () => {
  const explained = new PoisonError('too large')
  expect(failureOf(explained, 'store events')).toBe(explained)
})
