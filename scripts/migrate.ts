// `npm run migrate`: brings the databases of a server up to date. The embedded suite does this by itself at start.
// `npm run migrate:dev` does it to those of docker/compose.dev.yml.
import { ClickHouseConfig, clickHouseOptionsFrom } from '#shared/adapters/clickhouse/config.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '#shared/adapters/clickhouse/migrate.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { loadSettings, orExit } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'
import { developmentEnvironment } from './development.ts'

/** Without JTS_CLICKHOUSE_URL only PostgreSQL is brought up to date. */
const MigrateConfig = PostgresConfig.extend(ClickHouseConfig.partial().shape)

const read = process.argv.includes('--dev') ? developmentEnvironment : readEnvironment
const settings = orExit(() => loadSettings([MigrateConfig], read(process.env)))
try {
  const postgres = await openPostgres(postgresOptionsFrom(settings, 'jts migrate'))
  try {
    await migratePostgres(postgres)
  } finally {
    await postgres.close()
  }
  console.log('PostgreSQL is up to date')
  const { JTS_CLICKHOUSE_URL: url } = settings
  if (url !== undefined) {
    const clickhouse = await openClickHouse(clickHouseOptionsFrom({ ...settings, JTS_CLICKHOUSE_URL: url }))
    try {
      await migrateClickHouse(clickhouse)
    } finally {
      await clickhouse.close()
    }
    console.log('ClickHouse is up to date')
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
