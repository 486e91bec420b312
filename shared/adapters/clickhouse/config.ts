// Settings of the connection to ClickHouse.
import * as z from 'zod'
import type { ClickHouseOptions } from './clickhouse.ts'

export const ClickHouseConfig = z.object({
  JTS_CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).describe('ClickHouse over HTTP, http(s)://host:port.'),
  JTS_CLICKHOUSE_USER: z.string().optional().describe("User at ClickHouse. Default: the server's."),
  JTS_CLICKHOUSE_PASSWORD: z.string().optional().meta({ secret: true }).describe('Password of the user.'),
  JTS_CLICKHOUSE_DATABASE: z
    .string()
    .optional()
    .describe('Database at ClickHouse. Default: jts_market_data.'),
})
export type ClickHouseSettings = z.output<typeof ClickHouseConfig>

export const clickHouseOptionsFrom = (settings: ClickHouseSettings): ClickHouseOptions => ({
  url: settings.JTS_CLICKHOUSE_URL,
  ...(settings.JTS_CLICKHOUSE_DATABASE === undefined ? {} : { database: settings.JTS_CLICKHOUSE_DATABASE }),
  ...(settings.JTS_CLICKHOUSE_USER === undefined ? {} : { username: settings.JTS_CLICKHOUSE_USER }),
  ...(settings.JTS_CLICKHOUSE_PASSWORD === undefined ? {} : { password: settings.JTS_CLICKHOUSE_PASSWORD }),
})
