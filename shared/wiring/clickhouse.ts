// For main.ts: ClickHouse as the settings name it.
import { type ClickHouse, openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { type ClickHouseSettings, clickHouseOptionsFrom } from '#shared/adapters/clickhouse/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import type { Log } from '#shared/runtime/log.ts'

export const openMarketData = (settings: ClickHouseSettings, log: Log): Promise<ClickHouse> =>
  openOrExit('JTS_CLICKHOUSE_URL', () => openClickHouse(clickHouseOptionsFrom(settings)), log)
