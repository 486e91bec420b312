// Where the tests of this folder find ClickHouse: its engine in this process; the same engine behind HTTP, so that the
// client's own transport carries every byte; and besides, when JTS_TEST_CLICKHOUSE_URL names one, a server.
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type ChdbConnection, createChdbConnection } from 'chdb/connection'
import { afterAll } from 'vitest'
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from './clickhouse.ts'
import { migrateClickHouse } from './migrate.ts'

type NamedPlace = readonly [name: string, open: () => Promise<ClickHouse>]
type Place = (database: string) => Promise<ClickHouseOptions>

/** ClickHouse writes parameters of a URL with the escapes of its tab-separated format. */
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' }
const unescape = (text: string): string =>
  text.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)

/** Settings that the engine itself knows; those of a server's insert queue are not among them. */
const isEngineSetting = (name: string): boolean => name.startsWith('output_format_')

async function answer(
  engine: ChdbConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
  const query = Buffer.concat(chunks).toString('utf8')
  const { searchParams } = new URL(request.url ?? '', 'http://localhost')
  const parameters: Record<string, string> = {}
  const settings: Record<string, string> = {}
  for (const [name, value] of searchParams) {
    if (name.startsWith('param_')) parameters[name.slice('param_'.length)] = unescape(value)
    else if (isEngineSetting(name)) settings[name] = value
  }
  try {
    const { stream } = await engine.query({
      query,
      query_params: parameters,
      clickhouse_settings: settings,
    })
    await pipeline(stream, response)
  } catch (error) {
    const { cause } = error instanceof Error ? error : { cause: undefined }
    response.writeHead(500).end(cause instanceof Error ? cause.message : String(error))
  }
}

/** The engine behind a port of this machine. One directory for each process. */
export async function serveEngine(directory: string): Promise<{ url: string; server: Server }> {
  const engine = createChdbConnection({ path: directory })
  const server = createServer((request, response) => void answer(engine, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.on('close', () => void engine.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server }
}

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
