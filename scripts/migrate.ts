// `npm run migrate`: brings the databases of a server up to date. The embedded suite does this by itself at start.
import * as z from 'zod'
import { migrateClickHouse } from '#shared/adapters/clickhouse/migrate.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { loadConfigOrExit } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'

const MigrateConfig = z.object({
  JTS_POSTGRES_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .meta({ secret: true })
    .describe('PostgreSQL to bring up to date. A secret.'),
  JTS_CLICKHOUSE_URL: z
    .string()
    .regex(/^https?:\/\//, 'must be an http(s):// URL')
    .optional()
    .describe('ClickHouse to bring up to date. Default: none.'),
})

const settings = loadConfigOrExit(MigrateConfig, readEnvironment(process.env))
try {
  const postgres = await openPostgres({ url: settings.JTS_POSTGRES_URL, applicationName: 'jts migrate' })
  try {
    await migratePostgres(postgres)
  } finally {
    await postgres.close()
  }
  console.log('PostgreSQL is up to date')
  if (settings.JTS_CLICKHOUSE_URL !== undefined) {
    const clickhouse = await openClickHouse({ url: settings.JTS_CLICKHOUSE_URL })
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
