// Encryption and logins, on a broker of its own with listeners that JTS_KAFKA_BROKERS has none of.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KafkaServer, startKafka } from '../../../scripts/services/kafka.ts'
import { freePort } from '../../../scripts/services/server-process.ts'
import { type Certificates, makeCertificates } from './certificates.fixture.ts'
import { KafkaSetupError } from './failures.ts'
import { createTopics, freshSettings, openBus } from './kafka-bench.fixture.ts'
import { ledger, tick, until } from './load.fixture.ts'

let directory: string
let server: KafkaServer
let certificates: Certificates
/** `host:port` by listener. */
let at: { readonly login: string; readonly expired: string; readonly mutual: string }

const PASSWORD = 'only-for-this-test'

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jts-kafka-'))
  certificates = await makeCertificates(directory)
  const [plain, controller, login, expired, mutual] = await Promise.all(Array.from({ length: 5 }, freePort))
  const listener = (name: string, port: number | undefined): string => `${name}://127.0.0.1:${port}`
  const clients = [
    listener('PLAINTEXT', plain),
    listener('LOGIN', login),
    listener('EXPIRED', expired),
    listener('MUTUAL', mutual),
  ]
  server = await startKafka({
    directory,
    ...(plain === undefined ? {} : { port: plain }),
    properties: {
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: [...clients, listener('CONTROLLER', controller)].join(),
      'advertised.listeners': clients.join(),
      'listener.security.protocol.map':
        'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,EXPIRED:SSL,MUTUAL:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.valid,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.truststore,
      'listener.name.expired.ssl.keystore.type': 'PEM',
      'listener.name.expired.ssl.keystore.location': certificates.expired,
      'listener.name.mutual.ssl.client.auth': 'required',
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_jts="${PASSWORD}";`,
    },
  })
  at = { login: `127.0.0.1:${login}`, expired: `127.0.0.1:${expired}`, mutual: `127.0.0.1:${mutual}` }
})

afterAll(async () => {
  await server.kill()
  await rm(directory, { recursive: true, force: true })
})

const withLogin = (more: Readonly<Record<string, string>> = {}) =>
  freshSettings(at.login, {
    JTS_KAFKA_TLS: 'true',
    JTS_KAFKA_TLS_CA: certificates.ca,
    JTS_KAFKA_SASL_MECHANISM: 'plain',
    JTS_KAFKA_SASL_USERNAME: 'jts',
    JTS_KAFKA_SASL_PASSWORD: PASSWORD,
    ...more,
  })

test('events go both ways through TLS and a login', async () => {
  const settings = withLogin()
  await createTopics(settings)
  const bus = await openBus(settings)
  const { handled, member } = ledger()
  await bus.subscribe({ group: 'g', topics: ['market.ticks'] }, member('only'))
  await bus.publish([tick('k/0', 'k')])
  await until(() => expect(handled).toEqual(['k/0']))
  await bus.close()
})

test('a certificate of this client opens a listener that wants one', async () => {
  const trusted = { JTS_KAFKA_TLS: 'true', JTS_KAFKA_TLS_CA: certificates.ca }
  const { cert, key } = certificates.client
  const bus = await openBus(
    freshSettings(at.mutual, { ...trusted, JTS_KAFKA_TLS_CERT: cert, JTS_KAFKA_TLS_KEY: key }),
  )
  await bus.close()
  await expect(openBus(freshSettings(at.mutual, trusted))).rejects.toThrow('JTS_KAFKA_TLS_CERT')
})

test('an expired certificate is called that', async () => {
  const opening = openBus(
    freshSettings(at.expired, { JTS_KAFKA_TLS: 'true', JTS_KAFKA_TLS_CA: certificates.ca }),
  )
  await expect(opening).rejects.toThrow(KafkaSetupError)
  await expect(opening).rejects.toThrow(/certificate has expired/)
})

test.each([
  ['a wrong password', { JTS_KAFKA_SASL_PASSWORD: 'wrong' }, 'JTS_KAFKA_SASL_PASSWORD'],
  [
    'a mechanism that the broker does not know',
    { JTS_KAFKA_SASL_MECHANISM: 'scram-sha-512' },
    'JTS_KAFKA_SASL_MECHANISM',
  ],
])('%s is refused for good, and the setting is named', async (_name, settings, named) => {
  const opening = openBus(withLogin(settings))
  await expect(opening).rejects.toThrow(KafkaSetupError)
  await expect(opening).rejects.toThrow(named)
})

test('a certificate that nobody we trust has signed, and no TLS where it is spoken', async () => {
  const { JTS_KAFKA_TLS_CA: _none, ...untrusting } = withLogin()
  await expect(openBus(untrusting)).rejects.toThrow('JTS_KAFKA_TLS_CA')
  await expect(openBus(freshSettings(at.login))).rejects.toThrow('JTS_KAFKA_TLS')
  const plain = freshSettings(server.broker, { JTS_KAFKA_TLS: 'true' })
  await expect(openBus(plain)).rejects.toThrow('JTS_KAFKA_TLS')
})
