// Keeps the server of a directory running for as long as we own the directory.
//
// S1. The connection that holds the lock of the owner is the watch as well: an idle one ends with its server within
//     milliseconds, however the server ended.
// S2. What was lost is brought back, the server first and then the lock, for as long as it takes. Each failure is one
//     line at error level, with PostgreSQL's own words; callers of the pool see RetryableError meanwhile.
// S3. The pauses start anew only after UPTIME_FOR_RESET_MS: a server that dies right after each start is not hammered.
// S4. Once `stop` was called, nothing is started any more.
import { Client, type ClientConfig, DatabaseError } from 'pg'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { EmbeddedPostgresError } from './embedded-binaries.ts'

/** What the server needs of a log. */
export interface EmbeddedLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** The lock that makes this process the only one of its directory. */
export interface Ownership {
  /** Resolves once the lock is gone: released, or lost with its connection. */
  readonly lost: Promise<void>
  release(): Promise<void>
}

const OWNER_LOCK = '5354451893064'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Takes the lock, and makes our database where it is not there yet.
 * @throws EmbeddedPostgresError when another process has it.
 */
export async function own(server: ClientConfig, database: string, directory: string): Promise<Ownership> {
  const client = new Client({
    ...server,
    database: 'postgres',
    application_name: 'jts owner',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => undefined) // followed by `end`
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve)
  })
  await client.connect()
  try {
    await client.query("SET lock_timeout = '3s'") // a killed owner's lock goes within milliseconds
    await client.query(`SELECT pg_advisory_lock(${OWNER_LOCK})`)
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`)
  } catch (error) {
    await client.end().catch(() => undefined)
    if (!(error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE)) throw error
    throw new EmbeddedPostgresError(`another JTS process uses ${directory}`, { cause: error })
  }
  return { lost, release: () => client.end() }
}

export interface Supervised {
  readonly directory: string
  isRunning(): Promise<boolean>
  /** Starts the server unless it runs, and takes the lock. */
  takeBack(): Promise<Ownership>
  readonly stopwatch: Stopwatch
  readonly log: EmbeddedLog
  /** What is wrong; undefined once the server is back. */
  readonly onTrouble: (words: string | undefined) => void
}

const UPTIME_FOR_RESET_MS = 60_000
const pauseMs = (attempt: number): number => Math.min(100 * 2 ** (attempt - 1), 10_000)

/** Watches from now on; `stop` gives the lock back and leaves the server as it is. */
export function supervise(first: Ownership, supervised: Supervised): { stop(): Promise<void> } {
  const { directory, stopwatch, log, onTrouble } = supervised
  const ending = new AbortController()
  let held: Ownership | undefined = first
  let attempts = 0

  /** S2. Undefined once it is to stop. */
  const insist = async (): Promise<Ownership | undefined> => {
    for (;;) {
      attempts += 1
      await stopwatch.sleep(pauseMs(attempts), ending.signal).catch(() => undefined)
      if (ending.signal.aborted) return undefined
      try {
        return await supervised.takeBack()
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error)
        onTrouble(words)
        log.error({ directory, attempts, error: words }, 'PostgreSQL is not back yet')
      }
    }
  }

  const watch = async (): Promise<void> => {
    let sinceMs = stopwatch.elapsedMs()
    for (let current: Ownership | undefined = first; current !== undefined; current = held) {
      await current.lost
      held = undefined
      if (ending.signal.aborted) return
      const lostMs = stopwatch.elapsedMs()
      if (lostMs - sinceMs >= UPTIME_FOR_RESET_MS) attempts = 0 // S3
      const isRunning = await supervised.isRunning()
      const words = isRunning
        ? 'PostgreSQL dropped its owner; taking it back'
        : 'PostgreSQL died; starting it again'
      onTrouble(words)
      log.error({ directory }, words)
      held = await insist()
      sinceMs = stopwatch.elapsedMs()
      if (held === undefined) return
      if (ending.signal.aborted)
        await held.release() // S4
      else {
        onTrouble(undefined)
        log.info({ directory, downMs: Math.round(sinceMs - lostMs) }, 'PostgreSQL is back')
      }
    }
  }

  const watching = watch()
  return {
    async stop() {
      ending.abort()
      await held?.release().catch(() => undefined)
      await watching
    },
  }
}
