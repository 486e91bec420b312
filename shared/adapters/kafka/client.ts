// One client of kafkajs with our settings. Each consumer gets a client of its own: those of one client share the
// committed positions of their group, which two members must not.
import { Kafka, type KafkaConfig as ClientOptions, type SASLOptions, logLevel } from 'kafkajs'
import type { KafkaSettings } from './config.ts'
import { guardKafkajs } from './guards.ts'

export interface KafkaLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** About three seconds; whoever asks has a longer patience of his own. */
const RETRY = { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 1_000, retries: 5 }
const CONNECT_MS_MAX = 5_000

export function kafkaClient(settings: KafkaSettings, log: KafkaLog): Kafka {
  guardKafkajs()
  return new Kafka({
    brokers: settings.JTS_KAFKA_BROKERS,
    clientId: settings.JTS_KAFKA_CLIENT_ID,
    connectionTimeout: CONNECT_MS_MAX,
    requestTimeout: settings.JTS_KAFKA_REQUEST_TIMEOUT_MS,
    retry: RETRY,
    ...tlsOf(settings),
    ...saslOf(settings),
    logLevel: logLevel.WARN,
    // kafkajs complains of each try. What became of it is said by us.
    logCreator: () => (entry) => {
      const { message, timestamp: _at, stack: _stack, logger: _logger, ...fields } = entry.log
      log.debug(fields, `kafkajs: ${message}`)
    },
  })
}

function tlsOf(settings: KafkaSettings): Pick<ClientOptions, 'ssl'> {
  if (!settings.JTS_KAFKA_TLS) return {}
  const { JTS_KAFKA_TLS_CA: ca, JTS_KAFKA_TLS_CERT: cert, JTS_KAFKA_TLS_KEY: key } = settings
  return {
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    },
  }
}

function saslOf(settings: KafkaSettings): Pick<ClientOptions, 'sasl'> {
  const { JTS_KAFKA_SASL_MECHANISM: mechanism } = settings
  if (mechanism === undefined) return {}
  const username = settings.JTS_KAFKA_SASL_USERNAME ?? ''
  const password = settings.JTS_KAFKA_SASL_PASSWORD ?? ''
  const sasl: SASLOptions = { mechanism, username, password }
  return { sasl }
}
