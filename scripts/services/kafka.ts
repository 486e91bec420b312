// One broker of Apache Kafka in KRaft mode: it is its own controller, as there is no ZooKeeper any more since Kafka 4.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { UnavailableError, kafkaJars } from './kafka-jars.ts'
import { type ServerProcess, freePort, startServer } from './server-process.ts'

export interface KafkaServer extends ServerProcess {
  /** `host:port` of the listener without encryption. */
  readonly broker: string
}

export interface KafkaServerOptions {
  /** Holds data, log and configuration. What is there is used again. */
  readonly directory: string
  /** Default: a free one. */
  readonly port?: number
  /** Of the broker, over those below. */
  readonly properties?: Readonly<Record<string, string>>
  /** Default: of this process. Names the cache and the repository of Kafka's programs. */
  readonly environment?: NodeJS.ProcessEnv
  readonly say?: (line: string) => void
}

const JAVA_MAJOR_MIN = 17
const CLUSTER_ID = 'anRzLWRldmVsb3BtZW50MQ'
const READY = /Kafka Server started/

const LOGGING = `rootLogger.level=INFO
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
`

/** @throws UnavailableError without Java, or without Kafka's programs and a network to fetch them. */
export async function startKafka(options: KafkaServerOptions): Promise<KafkaServer> {
  await assertJava()
  const jars = await kafkaJars(options.environment ?? process.env, options.say ?? (() => undefined))
  const { directory } = options
  await mkdir(join(directory, 'data'), { recursive: true })
  const port = options.port ?? (await freePort())
  const properties = { ...(await brokerProperties(directory, port)), ...options.properties }
  const configuration = join(directory, 'server.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
  await writeFile(configuration, `${lines.join('\n')}\n`)
  await writeFile(join(directory, 'log4j2.properties'), LOGGING)

  const java = [
    '-Xms256m',
    '-Xmx512m',
    `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`,
    '-cp',
    jars.join(delimiter),
  ]
  await run('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    '--cluster-id',
    CLUSTER_ID,
    '--config',
    configuration,
  ])
  const server = await startServer({
    name: 'Kafka',
    command: 'java',
    args: [...java, 'kafka.Kafka', configuration],
    files: join(directory, 'kafka'),
    mark: directory,
    ready: READY,
  })
  return { ...server, broker: `127.0.0.1:${port}` }
}

/** For one machine. Topics are declared, never made by whoever asks for them first. */
async function brokerProperties(directory: string, port: number): Promise<Record<string, string>> {
  const controller = await freePort()
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
    'log.dirs': join(directory, 'data').replaceAll('\\', '/'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  }
}

const run = promisify(execFile)

async function assertJava(): Promise<void> {
  const { stderr } = await run('java', ['-version']).catch(() => ({ stderr: '' }))
  const major = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (major >= JAVA_MAJOR_MIN) return
  const found = Number.isNaN(major) ? 'none is on the PATH' : `found ${major}`
  throw new UnavailableError(`Java ${JAVA_MAJOR_MIN} or newer is needed, ${found}`)
}
