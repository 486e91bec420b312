// For main.ts: PostgreSQL as the settings name it.
import { type PostgresSettings, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { type PostgresDatabase, openPostgres } from '#shared/adapters/postgres/database.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import type { Log } from '#shared/runtime/log.ts'

export const openDatabase = (
  settings: PostgresSettings,
  { name, log }: { readonly name: string; readonly log: Log },
): Promise<PostgresDatabase> =>
  openOrExit('JTS_POSTGRES_URL', () => openPostgres(postgresOptionsFrom(settings, name)), log)
