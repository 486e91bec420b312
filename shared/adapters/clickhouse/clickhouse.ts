// One connection to ClickHouse: a server over HTTP, or the engine inside this process on a data directory.
//
// C1. Rows travel as one whole string inside the statement. The adapter between chdb and the client turns streamed
//     chunks into text one by one, which destroys a character that lies across two chunks.
//     Binary rows therefore reach the engine through a file, and a server as the body of the request: never as text.
// C2. The engine binds one data directory to one process, and one process to one data directory.
// C3. On a server every insert waits until its rows are stored: small batches are merged by the server, never forgotten.
import { access, constants, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  type ClickHouseClientConfigOptions,
  createClient,
} from '@clickhouse/client'
import { failureOf } from './failures.ts'

export type ClickHouseOptions =
  | {
      /** `http(s)://host:port`. */
      readonly url: string
      readonly database?: string
      readonly username?: string
      readonly password?: string
      /** Deadline of one request, milliseconds. Default 30,000. */
      readonly requestTimeoutMs?: number
    }
  /** The engine in this process, with its files here. */
  | { readonly directory: string; readonly database?: string }

/** The data directory is taken, by another process or for another directory of this one (C2). */
export class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError'
}

export type Row = Readonly<Record<string, string>>

/**
 * Everything but `close` rejects with `StatementError` when ClickHouse will never take it, and with `RetryableError` when
 * it did not succeed this time; an insert may have happened then.
 */
export interface ClickHouse {
  readonly database: string
  readonly isEmbedded: boolean
  /** Runs a statement that returns nothing. */
  command(sql: string): Promise<void>
  /** `rows` are JSON arrays, already written as text, values in the order of `columns`. */
  insert(table: string, columns: readonly string[], rows: readonly string[]): Promise<void>
  /** `rows` are whole rows in ClickHouse's RowBinary, values in the order of `columns`; see row-binary.ts. */
  insertBinary(table: string, columns: readonly string[], rows: Uint8Array): Promise<void>
  /** Selected columns must come as text: `toString(…)`. `params` fill `{name:Type}`. */
  select(sql: string, params?: Readonly<Record<string, unknown>>): Promise<readonly Row[]>
  close(): Promise<void>
}

/** @throws TypeError for a column that the query did not select. */
export function field(row: Row, name: string): string {
  const value = row[name]
  if (value === undefined) throw new TypeError(`the query returned no ${name}`)
  return value
}

export const DEFAULT_DATABASE = 'jts_market_data'
const DATABASE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Numbers beyond 2^53 and decimals come as text: the default since server 25.8 is to round them. */
const EXACT: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
}
const WAIT_FOR_INSERT: ClickHouseSettings = { async_insert: 1, wait_for_async_insert: 1 } // C3

type ClientConnection = NonNullable<ClickHouseClientConfigOptions['connection']>

/** The client carries a second copy of these types with a private field, so that equal shapes do not compile. */
const isConnection = (value: object): value is ClientConnection => 'query' in value && 'insert' in value

async function embeddedClient(directory: string): Promise<ClickHouseClient> {
  const { createChdbConnection } = await import('chdb/connection')
  await mkdir(directory, { recursive: true })
  await access(directory, constants.W_OK)
  try {
    const connection: object = createChdbConnection({ path: directory })
    if (!isConnection(connection))
      throw new TypeError('chdb does not supply a connection for @clickhouse/client')
    return createClient({ connection, clickhouse_settings: EXACT })
  } catch (error) {
    throw new DirectoryInUseError(
      `cannot open the ClickHouse data directory ${directory}: another process uses it, or this process already uses another`,
      { cause: error },
    )
  }
}

function serverClient(options: Extract<ClickHouseOptions, { url: string }>): ClickHouseClient {
  return createClient({
    url: options.url,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    application: 'jts',
    // Faults are thrown, and logged once by who handles them.
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: options.requestTimeoutMs ?? 30_000,
    // Below the three seconds after which a server may hang up on an idle connection.
    keep_alive: { idle_socket_ttl: 2000 },
    clickhouse_settings: EXACT,
  })
}

/** Takes rows to where they are stored; `into` is the beginning of the statement, up to the columns. */
interface BinaryRoad {
  send(into: string, rows: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** A batch becomes one part, and one thread makes that soonest. */
const ONE_PART = 'SETTINGS max_threads = 1'

/** The types are those of the table. The path is ours: it holds neither a quote nor a wildcard unless TMPDIR does. */
async function roadThroughFile(client: ClickHouseClient): Promise<BinaryRoad> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-rows-'))
  let sent = 0
  return {
    async send(into, rows) {
      const path = join(directory, `${(sent += 1)}`)
      try {
        await writeFile(path, rows, { mode: 0o600 })
        await client.command({ query: `${into} SELECT * FROM file('${path}', 'RowBinary') ${ONE_PART}` })
      } finally {
        await rm(path, { force: true })
      }
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

const roadOverHttp = (client: ClickHouseClient): BinaryRoad => ({
  async send(into, rows) {
    const { stream } = await client.exec({
      query: `${into} FORMAT RowBinary`,
      values: Readable.from([rows], { objectMode: false }),
      clickhouse_settings: WAIT_FOR_INSERT,
    })
    await stream.resume().toArray()
  },
  close: () => Promise.resolve(),
})

const failed = (doing: string) => (error: unknown) => {
  throw failureOf(error, doing)
}

/**
 * Opens a connection; creates the database if it is not there.
 * @throws DirectoryInUseError
 * @throws RetryableError when the server cannot be reached.
 * @throws StatementError when it does not let us in.
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  const database = options.database ?? DEFAULT_DATABASE
  if (!DATABASE_NAME.test(database)) throw new RangeError(`not a database name: ${JSON.stringify(database)}`)
  const isEmbedded = 'directory' in options
  const client = isEmbedded ? await embeddedClient(options.directory) : serverClient(options)

  const run = async (query: string, settings: ClickHouseSettings, doing: string): Promise<void> => {
    await client.command({ query, clickhouse_settings: settings }).catch(failed(doing))
  }

  const binary = isEmbedded ? await roadThroughFile(client) : roadOverHttp(client)
  const close = async (): Promise<void> => {
    await binary.close()
    await client.close()
  }
  try {
    await run(`CREATE DATABASE IF NOT EXISTS ${database}`, {}, `create the database ${database}`)
  } catch (error) {
    await close()
    throw error
  }

  return {
    database,
    isEmbedded,
    command: (sql) => run(sql, {}, 'run a command'),
    async insert(table, columns, rows) {
      if (rows.length === 0) return
      // Not client.insert: that would parse nothing and stringify every row again (C1).
      const query = `INSERT INTO ${database}.${table} (${columns.join(', ')}) FORMAT JSONCompactEachRow\n${rows.join('\n')}`
      await run(query, isEmbedded ? {} : WAIT_FOR_INSERT, `insert into ${table}`)
    },
    async insertBinary(table, columns, rows) {
      if (rows.length === 0) return
      const into = `INSERT INTO ${database}.${table} (${columns.join(', ')})`
      await binary.send(into, rows).catch(failed(`insert into ${table}`))
    },
    async select(sql, params) {
      const result = await client
        .query({
          query: sql,
          format: 'JSON',
          ...(params === undefined ? {} : { query_params: { ...params } }),
        })
        .then((answer) => answer.json<Row>())
        .catch(failed('run a query'))
      return result.data
    },
    close,
  }
}
