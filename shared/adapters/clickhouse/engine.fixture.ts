// For tests of programs: ClickHouse's engine behind HTTP, migrated and empty.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouse, openClickHouse } from './clickhouse.ts'
import { migrateClickHouse } from './migrate.ts'
import { serveEngine } from './engine-server.ts'

export interface TestClickHouse {
  readonly url: string
  readonly clickhouse: ClickHouse
  close(): Promise<void>
}

/** One for each process: the engine is bound to its directory. */
export async function testClickHouse(): Promise<TestClickHouse> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-clickhouse-'))
  const { url, server } = await serveEngine(directory)
  const clickhouse = await openClickHouse({ url })
  await migrateClickHouse(clickhouse)
  return {
    url,
    clickhouse,
    async close() {
      await clickhouse.close()
      server.closeAllConnections()
      server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
