// The servers of JTS on one machine, without containers: what can be started is, and what cannot is named with the reason.
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import topics from '../../infra/kafka/topics.json' with { type: 'json' }
import { kafkaClient } from '#shared/adapters/kafka/client.ts'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { applyTopics, brokerCount, declaredTopics } from '#shared/adapters/kafka/topic-admin.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { embeddedPostgres } from '#shared/adapters/postgres/embedded.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { UnavailableError } from './kafka-jars.ts'
import { startKafka } from './kafka.ts'
import { startRedis } from './redis.ts'
import { SERVICES, type Service } from './services.ts'

export interface SuiteOptions {
  readonly services: readonly Service[]
  /** Kept after the end. Default: a temporary one, which is not. */
  readonly directory?: string
  /** 9092, 6379 and 5432 instead of free ports. */
  readonly standardPorts: boolean
  readonly environment: NodeJS.ProcessEnv
  readonly say: (line: string) => void
}

export interface Suite {
  /** Of everything that can be reached. */
  readonly settings: Readonly<Record<string, string>>
  /** What is not there, and why. */
  readonly missing: ReadonlyMap<Service, string>
  stop(): Promise<void>
}

interface Started {
  readonly setting: string
  stop(): Promise<void>
}

type Start = (directory: string, options: SuiteOptions) => Promise<Started>

const PREFIX = 'jts-services-'

/** A service whose setting is in the environment is used as it is, not started. */
export async function startSuite(options: SuiteOptions): Promise<Suite> {
  await sweep()
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`)))
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o755) // PostgreSQL has a user of its own where a superuser starts it
  const settings: Record<string, string> = {}
  const missing = new Map<Service, string>()
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    await Promise.allSettled(stops.splice(0).map((each) => each()))
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  const start = async (service: Service): Promise<void> => {
    const given = options.environment[SERVICES[service]] ?? ''
    if (given !== '') {
      settings[SERVICES[service]] = given
      options.say(`${service}: as ${SERVICES[service]} says`)
      return
    }
    try {
      const started = await STARTS[service](join(directory, service), options)
      stops.push(() => started.stop())
      settings[SERVICES[service]] = started.setting
      options.say(`${service}: ready`)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      missing.set(service, error.message)
      options.say(`${service}: NOT THERE: ${error.message}`)
    }
  }
  const results = await Promise.allSettled(options.services.map(start))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { settings, missing, stop }
}

const STARTS: Readonly<Record<Service, Start>> = {
  async kafka(directory, { standardPorts, environment, say }) {
    const server = await startKafka({
      directory,
      environment,
      say,
      ...(standardPorts ? { port: 9092 } : {}),
    })
    try {
      await createTopics(server.broker)
    } catch (error) {
      await server.kill()
      throw error
    }
    return { setting: server.broker, stop: () => server.stop() }
  },
  async redis(directory, { standardPorts }) {
    const server = await startRedis(directory, standardPorts ? 6379 : undefined)
    return { setting: server.url, stop: () => server.stop() }
  },
  async postgres(directory, { standardPorts, say }) {
    const server = await embeddedPostgres({
      directory,
      log: { info: () => undefined, error: (fields, message) => say(`${message} ${JSON.stringify(fields)}`) },
      stopwatch: systemStopwatch,
      randomBytes: systemRandomBytes,
      settings: {
        max_connections: '200',
        ...(standardPorts ? { listen_addresses: '127.0.0.1', port: '5432' } : {}),
      },
    })
    try {
      const database = await openPostgres({ url: server.url, applicationName: 'jts services' })
      try {
        await migratePostgres(database)
      } finally {
        await database.close()
      }
    } catch (error) {
      await server.stop()
      throw error
    }
    return { setting: server.url, stop: () => server.stop() }
  },
}

async function createTopics(broker: string): Promise<void> {
  const quiet = (): void => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const admin = kafkaClient(KafkaConfig.parse({ JTS_KAFKA_BROKERS: broker }), log).admin()
  await admin.connect()
  try {
    await applyTopics(admin, declaredTopics(topics, '', await brokerCount(admin)))
  } finally {
    await admin.disconnect()
  }
}

/** Ends what runs that were killed have left behind. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    if (!Number.isInteger(owner) || isAlive(owner)) continue
    const directory = join(tmpdir(), name)
    for (const file of ['kafka/kafka.pid', 'redis/redis.pid', 'postgres/data/postmaster.pid']) {
      const text = await readFile(join(directory, file), 'utf8').catch(() => '')
      const pid = Number(text.split(/\s/)[0])
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const mark = text.trim().split(' ').slice(1).join(' ')
      if (words.includes(directory) || (mark !== '' && words.includes(mark))) process.kill(pid, 'SIGKILL')
    }
    await rm(directory, { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
