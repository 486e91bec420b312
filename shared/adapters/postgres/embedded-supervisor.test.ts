// A server that is killed while it is in use: real processes, real signals, real files.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ManualStopwatch, manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { fault } from '#shared/ports/order-store.bench.ts'
import { type PostgresDatabase, openPostgres } from './database.ts'
import { type Ownership, supervise } from './embedded-supervisor.ts'
import { type EmbeddedPostgres, embeddedPostgres } from './embedded.ts'

interface Line {
  readonly level: 'info' | 'error'
  readonly message: string
  readonly error?: unknown
}

let root: string
let directory: string
let lines: Line[]
const servers: EmbeddedPostgres[] = []
const databases: PostgresDatabase[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'jts-supervised-'))
  directory = join(root, 'postgres')
  await chmod(root, 0o755)
  lines = []
})
afterEach(async () => {
  await Promise.all(databases.splice(0).map((database) => database.close()))
  await Promise.all(servers.splice(0).map((server) => server.stop()))
  await rm(root, { recursive: true, force: true })
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const note = (level: Line['level']) => (fields: Readonly<Record<string, unknown>>, message: string) => {
  lines.push({ level, message, error: fields['error'] })
}

async function open(stopwatch: Stopwatch = systemStopwatch): Promise<[EmbeddedPostgres, PostgresDatabase]> {
  const log = { info: note('info'), error: note('error') }
  const server = await embeddedPostgres({ directory, stopwatch, log, randomBytes })
  servers.push(server)
  const database = await openPostgres({ url: server.url, applicationName: 'supervised', connectionsMax: 4 })
  databases.push(database)
  return [server, database]
}

/** Resolves with the `count`-th line that says so. */
async function said(message: string, count = 1): Promise<Line> {
  for (;;) {
    const line = lines.filter((each) => each.message === message)[count - 1]
    if (line !== undefined) return line
    await turn()
  }
}

/** Lets time pass until the attempt that is due has failed. */
async function failedAttempt(stopwatch: ManualStopwatch): Promise<Line> {
  const count = lines.filter(({ message }) => message === NOT_YET).length
  while (lines.filter(({ message }) => message === NOT_YET).length === count) {
    stopwatch.elapse(50)
    await turn()
  }
  return said(NOT_YET, count + 1)
}

const DIED = 'PostgreSQL died; starting it again'
const NOT_YET = 'PostgreSQL is not back yet'
const BACK = 'PostgreSQL is back'

const serverPid = async (): Promise<number> =>
  Number((await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])

async function killServer(): Promise<number> {
  const pid = await serverPid()
  process.kill(pid, 'SIGKILL')
  return pid
}

const ONE = { name: 'one', text: 'SELECT 1 AS one' }
const CREATE = { name: 'create', text: 'CREATE TABLE kept (number integer PRIMARY KEY)' }
const INSERT = { name: 'insert', text: 'INSERT INTO kept VALUES ($1)' }
const KEPT = { name: 'kept', text: 'SELECT number FROM kept ORDER BY number' }

/** Calls until it works; every failure on the way must be one that may be retried. */
async function persist<Row>(call: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      await turn()
    }
  }
}

test('a server that is killed in the middle of writing comes back, and nothing committed is lost', async () => {
  const [server, database] = await open()
  await database.run(CREATE, [])
  const committed: number[] = []
  const failures: unknown[] = []
  const writing = new AbortController()
  const write = async (writer: number): Promise<void> => {
    for (let number = writer; !writing.signal.aborted; number += 4) {
      try {
        await database.transaction((connection) => connection.run(INSERT, [number]))
        committed.push(number)
      } catch (error) {
        failures.push(error)
        await turn()
      }
    }
  }
  const writers = [0, 1, 2, 3].map(write)
  const written = async (count: number): Promise<void> => {
    while (committed.length < count) await turn()
  }

  for (let kill = 1; kill <= 2; kill += 1) {
    await written(committed.length + 50)
    const pid = await killServer()
    expect(await said(DIED, kill)).toMatchObject({ level: 'error' })
    await said(BACK, kill)
    expect(await serverPid()).not.toBe(pid)
    await written(committed.length + 50)
  }
  writing.abort()
  await Promise.all(writers)

  expect(failures.length).toBeGreaterThan(0)
  expect(failures.filter((error) => !(error instanceof RetryableError))).toEqual([])
  const kept = new Set((await database.run<{ number: number }>(KEPT, [])).map(({ number }) => number))
  expect(committed.filter((number) => !kept.has(number))).toEqual([])
  const fresh = await openPostgres({ url: server.url, applicationName: 'later', connectionsMax: 1 })
  expect(await fresh.run(ONE, [])).toEqual([{ one: 1 }])
  await fresh.close()
})

test('a killed backend takes all connections along, the lock of the owner too: it is taken back', async () => {
  const [, database] = await open()
  const [backend] = await database.run<{ pid: number }>(
    { name: 'pid', text: 'SELECT pg_backend_pid() AS pid' },
    [],
  )
  const pid = await serverPid()
  process.kill(backend?.pid ?? 0, 'SIGKILL')
  await said(BACK)
  expect(await persist(() => database.run(ONE, []))).toEqual([{ one: 1 }])
  expect(await serverPid()).toBe(pid)
  const log = { info: () => undefined, error: () => undefined }
  const second = embeddedPostgres({ directory, stopwatch: systemStopwatch, log, randomBytes })
  expect(String(await fault(second))).toContain(`another JTS process uses ${directory}`)
})

test('after stopping, nothing is started any more, though it was just being brought back', async () => {
  const stopwatch = manualStopwatch()
  const [server, database] = await open(stopwatch)
  await killServer()
  await said(DIED)
  expect(await fault(database.run(ONE, []))).toBeInstanceOf(RetryableError)
  await server.stop()
  expect(stopwatch.sleeping()).toBe(0)
  expect(lines.filter(({ message }) => message === BACK)).toEqual([])
  expect(await fault(readFile(join(directory, 'data', 'postmaster.pid')))).toBeDefined()
})

describe('what keeps it from coming back is told plainly, and once it is gone the server is back', () => {
  test('a port that somebody else took', async () => {
    directory = join(root, 'long'.repeat(25))
    const stopwatch = manualStopwatch()
    const [server, database] = await open(stopwatch)
    const { host, port } = new URL(server.url)
    await killServer()
    await said(DIED)
    const squatter = createServer().listen(Number(port), '127.0.0.1')
    await once(squatter, 'listening')
    const line = await failedAttempt(stopwatch)
    expect(line.level).toBe('error')
    expect(line.error).toContain(`${host} is taken`)
    squatter.close()
    await once(squatter, 'close')
    stopwatch.elapse(10_000)
    await said(BACK)
    expect(await persist(() => database.run(ONE, []))).toEqual([{ one: 1 }])
  })

  test('a full disk', async () => {
    if (process.platform !== 'linux') {
      console.info('there is no /dev/full here: a full disk cannot be shown on this system')
      return
    }
    const stopwatch = manualStopwatch()
    const [, database] = await open(stopwatch)
    await killServer()
    await said(DIED)
    // A file that the server writes at every start, on a device without room.
    const options = join(directory, 'data', 'postmaster.opts')
    await rm(options)
    await symlink('/dev/full', options)
    expect((await failedAttempt(stopwatch)).error).toContain(
      `the disk that holds ${join(directory, 'data')} is full`,
    )
    await rm(options)
    stopwatch.elapse(10_000)
    await said(BACK)
    expect(await persist(() => database.run(ONE, []))).toEqual([{ one: 1 }])
  })
})

test('a server that dies right after each start is not hammered; one that stayed up is back soon', async () => {
  const stopwatch = manualStopwatch()
  const held: PromiseWithResolvers<void>[] = []
  const ownership = async (): Promise<Ownership> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    held.push({ promise, resolve, reject })
    return { lost: promise, release: async () => resolve() }
  }
  const log = { info: note('info'), error: note('error') }
  const isRunning = async (): Promise<boolean> => false
  const troubles: (string | undefined)[] = []
  const watch = supervise(await ownership(), {
    directory,
    isRunning,
    takeBack: ownership,
    stopwatch,
    log,
    onTrouble: (words) => void troubles.push(words),
  })
  /** Milliseconds until it is started again. */
  const pauseAfterDeath = async (): Promise<number> => {
    const starts = held.length
    held.at(-1)?.resolve()
    while (stopwatch.sleeping() === 0) await turn()
    const diedMs = stopwatch.elapsedMs()
    while (held.length === starts) {
      stopwatch.elapse(50)
      await turn()
    }
    await said(BACK, starts)
    return stopwatch.elapsedMs() - diedMs
  }

  const pauses: number[] = []
  for (let death = 1; death <= 9; death += 1) pauses.push(await pauseAfterDeath())
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
  stopwatch.elapse(60_000)
  expect(await pauseAfterDeath()).toBe(100)
  expect(troubles.slice(-2)).toEqual(['PostgreSQL died; starting it again', undefined])
  await watch.stop()
})
