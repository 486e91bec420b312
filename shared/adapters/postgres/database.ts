// Connections to PostgreSQL.
//
// D1. Every statement is prepared by name; one name always means one text.
// D2. `run` is one round trip and one transaction. `transaction` sends what is not awaited in between as a pipeline.
// D3. Nothing is retried here: a caller with a receipt may call again, nobody else may.
// D4. Connections at hand are given out at once: the pool gives one a turn later, when whatever else became ready in this
//     turn has run, and an order does not wait for that.
// D5. A server that acknowledges commits before they are on disk is refused at start: an intent must survive.
import { DatabaseError, Pool, type PoolClient, type PoolConfig, type QueryResultRow, TypeOverrides } from 'pg'
import { failureOf, leavesConnectionUsable } from './failures.ts'

export interface Statement {
  /** Unique in the program; at most 63 characters. Also what an error says was being done. */
  readonly name: string
  readonly text: string
}

export interface PostgresConnection {
  run<Row>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>
}

export type Execute = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

export interface PostgresDatabase extends PostgresConnection {
  /** All of `work` or nothing. READ COMMITTED: a statement that follows a lock sees what the lock waited for. */
  transaction<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result>
  /**
   * A connection of its own, closed afterwards, where statements take as long as they take. For migrations.
   * Text without values may hold several statements.
   */
  session<Result>(work: (execute: Execute) => Promise<Result>): Promise<Result>
  /** Waits for what is running. Later calls reject with RetryableError. */
  close(): Promise<void>
}

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; `?host=/directory` for a unix socket. */
  readonly url: string
  /** PEM. Over TLS then, whatever the URL says: the server must be signed by it and have the name in the URL. */
  readonly certificateAuthority?: string
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  /** Default 10. */
  readonly connectionsMax?: number
  /** Longest a statement may take, locks included. Default 10 000. */
  readonly statementTimeoutMs?: number
}

const AT_HAND_MAX = 2
const CONNECTION_TIMEOUT_MS = 5_000
const IDLE_MS_MAX = 60_000
/** A day: only so that a session on a dead network ends at all. */
const SESSION_TIMEOUT_MS = 86_400_000
const SERVER_VERSION_MIN = 140_000

const DATE_OID = 1082
/** A `date` stays text: the library would make it midnight in this machine's zone. */
const types = new TypeOverrides()
types.setTypeParser(DATE_OID, (text: string) => text)

const ignore = (): void => undefined

/** D4. Connections that are lent from the pool and stay so while nobody else waits for one. */
function connectionsAtHand(pool: Pool) {
  const atHand: PoolClient[] = []
  const watched = new WeakSet<PoolClient>()
  let isClosing = false

  /** The library emits what it also rejects with. A connection that dies while it is not in use is given back. */
  const watch = (client: PoolClient): PoolClient => {
    if (watched.has(client)) return client
    watched.add(client)
    client.on('error', () => {
      const index = atHand.indexOf(client)
      if (index >= 0) atHand.splice(index, 1)[0]?.release(true)
    })
    return client
  }

  return {
    take: (): PoolClient | undefined => atHand.pop(),
    connect: async (): Promise<PoolClient> => watch(await pool.connect()),
    give(client: PoolClient): void {
      if (isClosing || atHand.length >= AT_HAND_MAX || pool.waitingCount > 0) client.release()
      else atHand.push(client)
    },
    close(): void {
      isClosing = true
      for (const client of atHand.splice(0)) client.release()
    },
  }
}

async function query<Row>(
  client: PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const { name, text } = statement
  const { rows } = await client.query<Row & QueryResultRow>({ name, text, values: [...values] })
  return rows
}

async function transact<Result>(
  client: PoolClient,
  work: (connection: PostgresConnection) => Promise<Result>,
): Promise<Result> {
  const begun = client.query('BEGIN')
  try {
    const [, result] = await Promise.all([
      begun,
      work({ run: (statement, values) => query(client, statement, values) }),
    ])
    const { command } = await client.query('COMMIT')
    if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}, not with COMMIT`)
    return result
  } catch (error) {
    if (leavesConnectionUsable(error) || !(error instanceof DatabaseError)) {
      // A lost connection rolls back on its own; that failure must not hide the first one.
      await client.query('ROLLBACK').catch(() => undefined)
    }
    throw error
  }
}

async function runSession<Result>(
  client: PoolClient,
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
  return work(async <Row>(text: string, values?: readonly unknown[]) => {
    const untimed = {
      text,
      query_timeout: SESSION_TIMEOUT_MS,
      ...(values === undefined ? {} : { values: [...values] }),
    }
    const { rows } = await client.query<Row & QueryResultRow>(untimed)
    return rows
  })
}

async function checkServer(database: PostgresConnection): Promise<void> {
  const [server] = await database.run<{ version: string; synchronous_commit: string }>(
    {
      name: 'check the server',
      text: `SELECT current_setting('server_version_num') AS version,
                    current_setting('synchronous_commit') AS synchronous_commit`,
    },
    [],
  )
  if (server === undefined || Number(server.version) < SERVER_VERSION_MIN) {
    throw new Error(`PostgreSQL 14 or later is needed, this is ${server?.version ?? 'unknown'}`)
  }
  if (server.synchronous_commit === 'off') {
    throw new Error(
      'synchronous_commit is off on this PostgreSQL: an order could be sent whose intent is lost',
    )
  }
}

/** What the library reads from a URL goes over what it is given beside it, so the URL must not speak of TLS as well. */
function placeOf({ url, certificateAuthority: ca }: PostgresOptions): PoolConfig {
  if (ca === undefined) return { connectionString: url }
  const address = new URL(url)
  const names = Array.from(address.searchParams.keys())
  for (const name of names.filter((each) => each.startsWith('ssl'))) address.searchParams.delete(name)
  return { connectionString: address.href, ssl: { ca } }
}

/**
 * Opens a pool and proves that the server answers.
 * @throws RetryableError when it cannot be reached now; Error for wrong credentials, a database that does not exist
 *   or a server that is too old or unsafe.
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresDatabase> {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000
  const config: PoolConfig & { readonly pipeline: boolean } = {
    ...placeOf(options),
    application_name: options.applicationName,
    max: options.connectionsMax ?? 10,
    min: 1,
    idleTimeoutMillis: IDLE_MS_MAX,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    // The server enforces its own timeout; this one is for a server that fell silent.
    query_timeout: statementTimeoutMs + CONNECTION_TIMEOUT_MS,
    // A process that stalls between two statements must not hold an account for longer than this.
    idle_in_transaction_session_timeout: statementTimeoutMs,
    pipeline: true,
    types,
  }
  const pool = new Pool(config)
  // An idle connection that dies is replaced when the next caller needs one; without a listener it ends the process.
  pool.on('error', ignore)
  const connections = connectionsAtHand(pool)

  async function withClient<Result>(
    doing: string,
    work: (client: PoolClient) => Promise<Result>,
    closes = false,
  ): Promise<Result> {
    let client: PoolClient | undefined
    try {
      client = connections.take() ?? (await connections.connect())
      const result = await work(client)
      if (closes) client.release(true)
      else connections.give(client)
      return result
    } catch (error) {
      client?.release(closes || !leavesConnectionUsable(error))
      throw failureOf(error, doing)
    }
  }

  const database: PostgresDatabase = {
    run: (statement, values) => withClient(statement.name, (client) => query(client, statement, values)),
    transaction: (work) => withClient('run a transaction', (client) => transact(client, work)),
    session: (work) => withClient('run a session', (client) => runSession(client, work), true),
    close() {
      connections.close()
      return pool.end()
    },
  }
  try {
    await checkServer(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
