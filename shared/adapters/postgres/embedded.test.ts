// The embedded server from the outside: real processes, real signals, real files.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { fault } from '#shared/ports/order-store.bench.ts'
import { openPostgres } from './database.ts'
import { EmbeddedPostgresError } from './embedded-binaries.ts'
import { type EmbeddedPostgres, embeddedPostgres } from './embedded.ts'

const servers: EmbeddedPostgres[] = []
const children: ChildProcess[] = []
let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'jts-embedded-')), 'postgres')
  await chmod(join(directory, '..'), 0o755)
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(servers.splice(0).map((server) => server.stop()))
  await rm(join(directory, '..'), { recursive: true, force: true })
})

const messages: string[] = []
const log = { info: note, error: note }
function note(_fields: unknown, message: string): void {
  messages.push(message)
}

async function startServer(at = directory): Promise<EmbeddedPostgres> {
  messages.length = 0
  const server = await embeddedPostgres({ directory: at, stopwatch: systemStopwatch, log, randomBytes })
  servers.push(server)
  return server
}

async function query<Row>(url: string, text: string): Promise<readonly Row[]> {
  const database = await openPostgres({ url, applicationName: 'embedded test' })
  try {
    return await database.session((execute) => execute<Row>(text))
  } finally {
    await database.close()
  }
}

const sourceUrl = (path: string): string => JSON.stringify(join(process.cwd(), path))

/** A process of its own that starts the server and keeps it; resolves to the URL. */
async function startElsewhere(user: { uid?: number; gid?: number } = {}): Promise<[ChildProcess, string]> {
  const program = `
    import { randomBytes } from 'node:crypto'
    import { systemStopwatch as stopwatch } from ${sourceUrl('shared/adapters/system/stopwatch.ts')}
    import { embeddedPostgres } from ${sourceUrl('shared/adapters/postgres/embedded.ts')}
    const log = { info() {}, error() {} }
    const server = await embeddedPostgres({ directory: ${JSON.stringify(directory)}, stopwatch, log, randomBytes })
    console.log(server.url)
    process.stdin.on('data', async () => { await server.stop(); process.exit(0) })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    ...user,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  return [child, url]
}

const serverPid = async (): Promise<number> =>
  Number((await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

/** Resolves once no process has this id. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise(setImmediate)
  }
}

describe('starting and stopping', () => {
  test('what was stored is there after a restart, which is quick and keeps the password', async () => {
    const first = await startServer()
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    const begun = performance.now()
    const second = await startServer()
    expect(performance.now() - begun).toBeLessThan(3_000)
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  })

  test('what guards money in the settings is on', async () => {
    const { url } = await startServer()
    const settings = await query<{ value: string }>(
      url,
      `SELECT current_setting(name) AS value
       FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) AS name`,
    )
    expect(settings.map(({ value }) => value)).toEqual(['on', 'on', 'on', 'on'])
  })

  test('nobody else can read the password or the data, and a wrong password is refused', async () => {
    const { url } = await startServer()
    expect(await modeOf(join(directory, 'password'))).toBe(0o600)
    for (const inner of ['data', 'sockets']) expect(await modeOf(join(directory, inner))).toBe(0o700)
    const wrong = Object.assign(new URL(url), { password: 'wrong' })
    expect(String(await fault(query(wrong.toString(), 'SELECT 1')))).toContain('password')
  })

  test('stopping ends the server while clients are connected, and twice is once', async () => {
    const server = await startServer()
    const pid = await serverPid()
    const database = await openPostgres({ url: server.url, applicationName: 'busy' })
    const sleeping = fault(database.run({ name: 'sleep', text: 'SELECT pg_sleep(60)' }, []))
    await Promise.all([server.stop(), server.stop()])
    expect(await sleeping).toBeInstanceOf(RetryableError)
    await gone(pid)
    await database.close()
  })

  test('connections outlive a restart of the server: calls fail as retryable, then work', async () => {
    const server = await startServer()
    const database = await openPostgres({ url: server.url, applicationName: 'patient' })
    await server.stop()
    const one = { name: 'one', text: 'SELECT 1 AS one' }
    expect(await fault(database.run(one, []))).toBeInstanceOf(RetryableError)
    expect(await fault(database.run(one, []))).toBeInstanceOf(RetryableError)
    await startServer()
    expect(await database.run(one, [])).toEqual([{ one: 1 }])
    await database.close()
  })
})

describe('what others left behind', () => {
  test('a server whose process was killed is used as it is', async () => {
    const [child, url] = await startElsewhere()
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = await serverPid()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const server = await startServer()
    expect(messages).toContain('PostgreSQL was left running; using it')
    expect(await serverPid()).toBe(pid)
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    await server.stop()
    await gone(pid)
  })

  test('a directory that another process uses is refused, and that process is not disturbed', async () => {
    const [, url] = await startElsewhere()
    const error = await fault(startServer())
    expect(error).toBeInstanceOf(EmbeddedPostgresError)
    expect(String(error)).toContain('another JTS process')
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a server that was killed together with its process recovers what was committed', async () => {
    const [child, url] = await startElsewhere()
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    child.kill('SIGKILL') // first: it would start the server again
    await once(child, 'exit')
    const pid = await serverPid()
    process.kill(pid, 'SIGKILL')
    await gone(pid)
    const second = await startServer()
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  })

  test('a pid file whose number belongs to another program now does not block the start', async () => {
    const first = await startServer()
    await first.stop()
    const { uid, gid } = await stat(join(directory, 'data'))
    const stranger = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {})
    children.push(stranger)
    await once(stranger, 'spawn')
    const pidFile = [stranger.pid, join(directory, 'data'), '1', '5432', join(directory, 'sockets'), '', '']
    await writeFile(join(directory, 'data', 'postmaster.pid'), pidFile.join('\n'))
    await writeFile(join(directory, 'sockets', '.s.PGSQL.5432.lock'), pidFile.join('\n'))
    expect(await query((await startServer()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a first start that was killed half way is begun again', async () => {
    await mkdir(join(directory, 'data.unfinished', 'base'), { recursive: true })
    expect(await query((await startServer()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('what must be told plainly', () => {
  test('data of another major version', async () => {
    await (await startServer()).stop()
    await writeFile(join(directory, 'data', 'PG_VERSION'), '17\n')
    expect(String(await fault(startServer()))).toMatch(/PostgreSQL 17.*18/)
  })

  test('a lost password', async () => {
    await (await startServer()).stop()
    await rm(join(directory, 'password'))
    expect(String(await fault(startServer()))).toMatch(/password is missing/)
  })

  test('a port that somebody else took', async () => {
    directory = join(directory, '..', 'long'.repeat(25))
    const server = await startServer()
    expect(new URL(server.url).host).toMatch(/^127\.0\.0\.1:\d+$/)
    await server.stop()
    const port = Number(new URL(server.url).port)
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    const error = await fault(startServer())
    squatter.close()
    expect(error).toBeInstanceOf(EmbeddedPostgresError)
    expect(String(error)).toContain(`127.0.0.1:${port} is taken`)
    expect((await startServer()).url).toBe(server.url)
  })
})

test('a plain user can run it as well', async () => {
  if (process.getuid?.() !== 0) {
    console.info('this run is a plain user already: every other test of this file shows it')
    return
  }
  const nobody = 65_534
  await chmod(join(directory, '..'), 0o777)
  const [child, url] = await startElsewhere({ uid: nobody, gid: nobody })
  // The socket is closed to other users, but not to root.
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect((await stat(join(directory, 'data'))).uid).toBe(nobody)
  child.stdin?.write('stop\n')
  expect(await once(child, 'exit')).toEqual([0, null])
})
