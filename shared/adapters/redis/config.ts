// Settings of the connection to Redis.
import * as z from 'zod'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { RedisHotStateOptions } from './hot-state.ts'

export const RedisConfig = z.object({
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .meta({ secret: true })
    .describe('Redis, redis://user:password@host:port/database; with TLS rediss://.'),
  JTS_REDIS_CA: z
    .string()
    .optional()
    .describe(
      "Certificates of who signed the server's, PEM, where the system does not know them; best as JTS_REDIS_CA_FILE.",
    ),
  JTS_REDIS_KEY_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9:._/-]{0,100}$/, 'must be letters, digits, : . _ / or -')
    .default('jts:')
    .meta({ secret: false })
    .describe('Stands before every key, so that several systems can share a server.'),
})
export type RedisSettings = z.output<typeof RedisConfig>

type Say = (fields: Readonly<Record<string, unknown>>, message: string) => void

export const redisOptionsFrom = (
  settings: RedisSettings,
  process: {
    /** Shown in CLIENT LIST. */
    readonly name: string
    readonly stopwatch: Stopwatch
    readonly log: { readonly error: Say; readonly info: Say }
  },
): RedisHotStateOptions => ({
  url: settings.REDIS_URL,
  setting: 'REDIS_URL',
  keyPrefix: settings.JTS_REDIS_KEY_PREFIX,
  connectionName: process.name,
  stopwatch: process.stopwatch,
  onFault: (fault) => process.log.error({ fault }, 'the hot state is out of reach'),
  onReady: () => process.log.info({}, 'the hot state is there'),
  ...(settings.JTS_REDIS_CA === undefined ? {} : { ca: settings.JTS_REDIS_CA }),
})
