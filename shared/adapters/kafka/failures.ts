// What a failure of Kafka means to the caller, and which setting or command mends it.
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'

/** Trying again without a change of settings or rights is of no use. */
export class KafkaSetupError extends Error {
  override name = 'KafkaSetupError'
}

type Kind = 'setup' | 'retry' | 'poison'

/** By code of the socket, type of the protocol or name of kafkajs; the first that fits. */
const MEANINGS: readonly (readonly [pattern: RegExp, kind: Kind, meaning: string])[] = [
  [/CERT_HAS_EXPIRED|certificate has expired/i, 'setup', 'its certificate has expired'],
  [
    /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|self.signed|unable to (?:verify|get)/i,
    'setup',
    'its certificate is signed by nobody we trust: see JTS_KAFKA_TLS_CA',
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|altname/i,
    'setup',
    'its certificate is for another name: see JTS_KAFKA_BROKERS',
  ],
  [
    /certificate required|bad certificate|unknown ca|ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED/i,
    'setup',
    'it wants a certificate of this client: see JTS_KAFKA_TLS_CERT',
  ],
  [
    /EPROTO|wrong version number|ERR_SSL|packet length too long/i,
    'setup',
    'it does not speak TLS there: see JTS_KAFKA_TLS and JTS_KAFKA_BROKERS',
  ],
  [
    /UNSUPPORTED_SASL_MECHANISM|SASL \S+ mechanism is not supported/i,
    'setup',
    'it does not know this way to log in: see JTS_KAFKA_SASL_MECHANISM',
  ],
  [
    /SASLAuthentication|SASL_AUTHENTICATION_FAILED/,
    'setup',
    'it refused the login: see JTS_KAFKA_SASL_USERNAME and JTS_KAFKA_SASL_PASSWORD',
  ],
  [/ILLEGAL_SASL_STATE/, 'setup', 'it wants a login: see JTS_KAFKA_SASL_MECHANISM'],
  [
    /(?:TOPIC|GROUP|CLUSTER)_AUTHORIZATION_FAILED/,
    'setup',
    'this login may not do that: it needs rights on the topic or group',
  ],
  [
    /UNKNOWN_TOPIC_OR_PARTITION|does not host this topic|Producing to topic without metadata/,
    'retry',
    'a topic is missing: create it by `npm run topics -- apply`',
  ],
  [
    /MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/,
    'poison',
    'the message is too large: see JTS_KAFKA_MESSAGE_BYTES_MAX and max.message.bytes of the topic',
  ],
  [
    /NOT_ENOUGH_REPLICAS/,
    'retry',
    'too few brokers hold the partition: see min.insync.replicas of the topic',
  ],
  [/KAFKA_STORAGE_ERROR/, 'retry', 'its disk fails or is full'],
  [/ENOTFOUND|EAI_AGAIN/, 'retry', 'there is no such host: see JTS_KAFKA_BROKERS'],
  [
    /disconnected before secure/,
    'retry',
    'it does not answer in TLS: see JTS_KAFKA_TLS and JTS_KAFKA_BROKERS',
  ],
  [
    /ECONNRESET|KafkaJSConnectionClosed|Closed connection/,
    'retry',
    'it closed the connection: see JTS_KAFKA_BROKERS, JTS_KAFKA_TLS and JTS_KAFKA_SASL_MECHANISM',
  ],
  [
    /ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|KafkaJSConnectionError|Connection timeout/,
    'retry',
    'nobody answers: see JTS_KAFKA_BROKERS',
  ],
]

/** The error and its causes, for patterns. */
function wordsOf(error: unknown): string {
  const words: string[] = []
  for (let each = error, depth = 0; each instanceof Error && depth < 6; each = each.cause, depth += 1) {
    words.push(each.name, each.message)
    for (const name of ['code', 'type']) {
      const value: unknown = Reflect.get(each, name)
      if (typeof value === 'string') words.push(value)
    }
  }
  return words.length === 0 ? String(error) : words.join(' ')
}

/** What stands at the bottom: kafkajs wraps errors in errors that say nothing more. */
function messageOf(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  return at instanceof Error ? at.message : String(at)
}

/**
 * The error to throw: KafkaSetupError, RetryableError or PoisonError. What is not known is retryable: a client library that
 * stumbles has said nothing about the event.
 */
export function failureOf(error: unknown, doing: string): Error {
  if (error instanceof KafkaSetupError || error instanceof RetryableError || error instanceof PoisonError)
    return error
  const words = wordsOf(error)
  const [, kind, meaning] = MEANINGS.find(([pattern]) => pattern.test(words)) ?? [
    undefined,
    'retry',
    undefined,
  ]
  const why = meaning === undefined ? '' : `${meaning} `
  const text = `Kafka could not ${doing}: ${why}(${messageOf(error)})`
  if (kind === 'setup') return new KafkaSetupError(text, { cause: error })
  return kind === 'poison'
    ? new PoisonError(text, { cause: error })
    : new RetryableError(text, { cause: error })
}
