// Where the tests of this folder find ClickHouse: its engine in this process; the same engine behind HTTP, so that the
// client's own transport carries every byte; and besides, when JTS_TEST_CLICKHOUSE_URL names one, a server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from './clickhouse.ts'
import { serveEngine } from './engine-server.ts'
import { migrateClickHouse } from './migrate.ts'

type NamedPlace = readonly [name: string, open: () => Promise<ClickHouse>]
type Place = (database: string) => Promise<ClickHouseOptions>

/** Name of each place, and how to get a migrated, empty database there. */
export function clickHousePlaces(): readonly [NamedPlace, ...NamedPlace[]] {
  const opened: ClickHouse[] = []
  let directory: Promise<string> | undefined
  let served: ReturnType<typeof serveEngine> | undefined
  const ownDirectory = (): Promise<string> => (directory ??= mkdtemp(join(tmpdir(), 'jts-clickhouse-')))

  afterAll(async () => {
    for (const db of opened) {
      await db.command(`DROP DATABASE IF EXISTS ${db.database}`)
      await db.close()
    }
    const server = (await served)?.server
    server?.closeAllConnections()
    server?.close()
    if (directory !== undefined) await rm(await directory, { recursive: true, force: true })
  })

  const opener = (place: Place) => async () => {
    const database = `jts_test_${process.pid}_${opened.length}`
    const db = await openClickHouse(await place(database))
    opened.push(db)
    await migrateClickHouse(db)
    return db
  }
  const embedded = opener(async (database) => ({ directory: await ownDirectory(), database }))
  const overHttp = opener(async (database) => {
    served ??= serveEngine(await ownDirectory())
    return { url: (await served).url, database }
  })
  const url = process.env['JTS_TEST_CLICKHOUSE_URL']
  return [
    ['the engine in this process', embedded],
    ['the engine over HTTP', overHttp],
    ...(url === undefined ? [] : ([['a server', opener(async (database) => ({ url, database }))]] as const)),
  ]
}
