// Settings of the connection to PostgreSQL.
import * as z from 'zod'
import type { PostgresOptions } from './database.ts'

export const PostgresConfig = z.object({
  JTS_POSTGRES_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .meta({ secret: true })
    .describe(
      'PostgreSQL, postgres://user:password@host:port/database; with ?sslmode=verify-full over TLS. Through PgBouncer in session mode, or in transaction mode with max_prepared_statements above 0 and ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout.',
    ),
  JTS_POSTGRES_CA: z
    .string()
    .optional()
    .describe(
      'Certificate authority that the server must be signed by, PEM text (JTS_POSTGRES_CA_FILE: a file). Connections are over TLS then, whatever the address says.',
    ),
  JTS_POSTGRES_CONNECTIONS_MAX: z.coerce
    .number()
    .int()
    .min(2)
    .max(1_000)
    .default(10)
    .describe('Connections of one process to PostgreSQL.'),
  JTS_POSTGRES_STATEMENT_TIMEOUT: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('Longest a statement may take, locks included, milliseconds.'),
})
export type PostgresSettings = z.output<typeof PostgresConfig>

/** @param applicationName shown in pg_stat_activity. */
export const postgresOptionsFrom = (
  settings: PostgresSettings,
  applicationName: string,
): PostgresOptions => ({
  url: settings.JTS_POSTGRES_URL,
  ...(settings.JTS_POSTGRES_CA === undefined ? {} : { certificateAuthority: settings.JTS_POSTGRES_CA }),
  connectionsMax: settings.JTS_POSTGRES_CONNECTIONS_MAX,
  statementTimeoutMs: settings.JTS_POSTGRES_STATEMENT_TIMEOUT,
  applicationName,
})
