// `npm run market`: a simulated or recorded market for a suite on servers, whose functions run elsewhere. Options are those
// of `npm start`.
import { resolve } from 'node:path'
import { ClickHouseConfig } from '#shared/adapters/clickhouse/config.ts'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { CONFIG_EXIT_CODE, ConfigError, loadSettings } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'
import { createLog } from '#shared/runtime/log.ts'
import { OptionsError, USAGE, parseOptions } from '../embedded/options.ts'
import { readSettings } from '../embedded/settings.ts'
import { MarketConfig } from './config.ts'
import { type RunDeps, runMarket } from './run.ts'

function exit(code: number, message: string): never {
  console.error(message)
  process.exit(code)
}

function read(): Pick<RunDeps, 'options' | 'settings'> {
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options.isHelp) exit(0, USAGE)
    const environment = readEnvironment(process.env)
    const servers = loadSettings(
      [MarketConfig, KafkaConfig, RedisConfig, PostgresConfig, ClickHouseConfig],
      environment,
    )
    // The market is simulated whatever broker the functions are told of: that is this simulator.
    const suite = readSettings(environment, true)
    return {
      options,
      settings: {
        ...suite,
        market: servers,
        kafka: servers,
        redis: servers,
        postgres: servers,
        clickhouse: servers,
      },
    }
  } catch (error) {
    if (error instanceof OptionsError) return exit(CONFIG_EXIT_CODE, `${error.message}\n\n${USAGE}`)
    if (error instanceof ConfigError) return exit(CONFIG_EXIT_CODE, error.message)
    throw error
  }
}

const { options, settings } = read()
const directory = resolve(options.data ?? settings.embedded.JTS_DATA_DIRECTORY)
const log = createLog('market', settings.embedded.LOG_LEVEL, process.stderr)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const screen = {
  isTerminal: process.stdout.isTTY,
  columns: () => process.stdout.columns ?? 120,
  write: (text: string) => void process.stdout.write(text),
}
try {
  const summary = await runMarket({ options, settings, directory, log, screen }, stop.signal)
  console.log(JSON.stringify({ ...summary, positions: summary.positions.length, brokerPositions: undefined }))
} catch (error) {
  log.fatal({ error }, 'ended by a fault')
  exit(1, error instanceof Error ? error.message : String(error))
}
