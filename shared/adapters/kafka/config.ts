// Settings of the connection to Kafka.
import * as z from 'zod'

const BROKER = /^[A-Za-z0-9._-]+:\d{1,5}$/
const PREFIX = /^[A-Za-z0-9._-]*$/

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

const brokers = z
  .string()
  .transform((text) => text.split(',').map((broker) => broker.trim()))
  .refine((list) => list.every((broker) => BROKER.test(broker)), 'must be host:port, comma-separated')

/** Without the rules that span settings: see `loginRules`. */
export const KAFKA_CONNECTION = z.object({
  JTS_KAFKA_BROKERS: brokers.describe('Kafka brokers to begin with, comma-separated host:port.'),
  JTS_KAFKA_CLIENT_ID: z
    .string()
    .default('jts')
    .describe('Name of this client in the logs and quotas of the brokers.'),
  JTS_KAFKA_PREFIX: z
    .string()
    .regex(PREFIX, 'must be letters, digits, dots, dashes or underscores')
    .default('')
    .describe(
      'Stands before the name of every topic and consumer group, so that suites can share a cluster.',
    ),
  JTS_KAFKA_TLS: z.stringbool().default(false).describe('Encrypts the connection to Kafka.'),
  JTS_KAFKA_TLS_CA: z
    .string()
    .optional()
    .describe('Certificates to trust instead of the system’s, PEM. Needs JTS_KAFKA_TLS.'),
  JTS_KAFKA_TLS_CERT: z
    .string()
    .optional()
    .describe('Certificate of this client, PEM, where the brokers ask for one.'),
  JTS_KAFKA_TLS_KEY: z.string().optional().describe('Key of JTS_KAFKA_TLS_CERT, PEM. A secret.'),
  JTS_KAFKA_SASL_MECHANISM: z
    .enum(SASL_MECHANISMS)
    .optional()
    .describe('How this client logs in. Default: not at all.'),
  JTS_KAFKA_SASL_USERNAME: z.string().optional().describe('Name to log in with.'),
  JTS_KAFKA_SASL_PASSWORD: z.string().optional().describe('Password to log in with. A secret.'),
  JTS_KAFKA_MESSAGE_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1_024)
    .max(100_000_000)
    .default(1_000_000)
    .describe(
      'Bytes of one message, and of all that is sent together; below message.max.bytes of the brokers and max.message.bytes of the topics.',
    ),
  JTS_KAFKA_SESSION_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(6_000)
    .max(300_000)
    .default(10_000)
    .describe('Silence after which a consumer counts as dead and others take its partitions, milliseconds.'),
  JTS_KAFKA_REQUEST_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(120_000)
    .default(10_000)
    .describe('Longest wait for one answer of a broker, milliseconds.'),
})
type Login = Omit<z.output<typeof KAFKA_CONNECTION>, 'JTS_KAFKA_BROKERS'>

/** What must go together. */
export function loginRules(settings: Login, context: z.RefinementCtx): void {
  const fault = (name: keyof Login, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message })
  for (const name of ['JTS_KAFKA_TLS_CA', 'JTS_KAFKA_TLS_CERT', 'JTS_KAFKA_TLS_KEY'] as const) {
    if (settings[name] !== undefined && !settings.JTS_KAFKA_TLS) fault(name, 'needs JTS_KAFKA_TLS=true')
  }
  if ((settings.JTS_KAFKA_TLS_CERT === undefined) !== (settings.JTS_KAFKA_TLS_KEY === undefined))
    fault('JTS_KAFKA_TLS_CERT', 'and JTS_KAFKA_TLS_KEY must be set together')
  for (const name of ['JTS_KAFKA_SASL_USERNAME', 'JTS_KAFKA_SASL_PASSWORD'] as const) {
    const isSet = settings[name] !== undefined
    if (settings.JTS_KAFKA_SASL_MECHANISM !== undefined && !isSet)
      fault(name, 'is required with JTS_KAFKA_SASL_MECHANISM')
    if (settings.JTS_KAFKA_SASL_MECHANISM === undefined && isSet)
      fault(name, 'needs JTS_KAFKA_SASL_MECHANISM')
  }
}

export const KafkaConfig = KAFKA_CONNECTION.superRefine(loginRules)

export type KafkaSettings = z.output<typeof KafkaConfig>
