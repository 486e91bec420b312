// Settings of the connection to PostgreSQL.
import * as z from 'zod'
import type { PostgresOptions } from './database.ts'

export const PostgresConfig = z.object({
  JTS_POSTGRES_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .meta({ secret: true })
    .describe('PostgreSQL, postgres://user:password@host:port/database.'),
})
export type PostgresSettings = z.output<typeof PostgresConfig>

/** @param applicationName shown in pg_stat_activity. */
export const postgresOptionsFrom = (
  settings: PostgresSettings,
  applicationName: string,
): PostgresOptions => ({
  url: settings.JTS_POSTGRES_URL,
  applicationName,
})
