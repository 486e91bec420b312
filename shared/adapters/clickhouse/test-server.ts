// Where the tests of this folder find ClickHouse: its engine in this process, in a directory that is removed afterwards;
// and besides, when JTS_TEST_CLICKHOUSE_URL names one, a server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from './clickhouse.ts'
import { migrateClickHouse } from './migrate.ts'

type Place = (database: string) => Promise<ClickHouseOptions>

/** Name of each place, and how to get a migrated, empty database there. */
export function clickHousePlaces(): readonly (readonly [string, () => Promise<ClickHouse>])[] {
  const opened: ClickHouse[] = []
  let directory: Promise<string> | undefined
  const embedded: Place = async (database) => {
    directory ??= mkdtemp(join(tmpdir(), 'jts-clickhouse-'))
    return { directory: await directory, database }
  }
  afterAll(async () => {
    for (const db of opened) {
      await db.command(`DROP DATABASE IF EXISTS ${db.database}`)
      await db.close()
    }
    if (directory !== undefined) await rm(await directory, { recursive: true, force: true })
  })

  const opener = (place: Place) => async () => {
    const database = `jts_test_${process.pid}_${opened.length}`
    const db = await openClickHouse(await place(database))
    opened.push(db)
    await migrateClickHouse(db)
    return db
  }
  const url = process.env['JTS_TEST_CLICKHOUSE_URL']
  const server: Place = async (database) => ({ url: url ?? '', database })
  return [['chdb', opener(embedded)], ...(url === undefined ? [] : ([['server', opener(server)]] as const))]
}
