// One PostgreSQL server for a whole test run, started when the first test asks for a database.
//
// The server belongs to the main process of the run, so that workers come and go without it. Workers ask for databases
// over HTTP; a run that needs none pays for one listening socket.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { type Server, createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { type EmbeddedPostgres, embeddedPostgres } from '#shared/adapters/postgres/embedded.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'

const PREFIX = 'jts-test-postgres-'
const TEMPLATE = 'migrated'

interface TestServer {
  createDatabase(): Promise<string>
  dropDatabase(url: string): Promise<void>
  stop(): Promise<void>
}

const databaseUrl = (server: EmbeddedPostgres, name: string): string => {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.toString()
}

async function startServer(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  const server = await embeddedPostgres({
    directory,
    log: { info: () => undefined, error: (fields, message) => console.error(message, fields) },
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    // Nothing here outlives the run, so nothing needs to reach the disk.
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: '200', logging_collector: 'off' },
  })
  const admin = await openPostgres({ url: server.url, applicationName: 'test setup', connectionsMax: 2 })
  const execute = (text: string) => admin.session((run) => run(text))
  await execute(`CREATE DATABASE ${TEMPLATE}`)
  const template = await openPostgres({ url: databaseUrl(server, TEMPLATE), applicationName: 'test setup' })
  await migratePostgres(template)
  await template.close()

  let databases = 0
  return {
    async createDatabase() {
      databases += 1
      const name = `test_${databases}`
      await execute(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`)
      return databaseUrl(server, name)
    },
    async dropDatabase(url) {
      const name = new URL(url).pathname.slice(1)
      if (!/^test_\d+$/.test(name)) throw new Error(`not a test database: ${name}`)
      await execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
    async stop() {
      await admin.close()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Ends the servers of runs that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    if (!Number.isInteger(owner) || isAlive(owner)) continue
    const directory = join(tmpdir(), name)
    const pidFile = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8').catch(() => '')
    const server = Number(pidFile.split('\n')[0])
    const command = await readFile(`/proc/${server}/cmdline`, 'utf8').catch(() => '')
    if (command.includes(directory)) process.kill(server, 'SIGQUIT')
    await rm(directory, { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

let web: Server | undefined
let started: Promise<TestServer> | undefined

export async function setup(project: TestProject): Promise<void> {
  await sweep()
  web = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      started ??= startServer()
      const server = await started
      if (request.method === 'POST') return server.createDatabase()
      await server.dropDatabase(decodeURIComponent(request.url?.slice(1) ?? ''))
      return ''
    }
    answer().then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  const server = web
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  project.provide('testPostgres', `http://127.0.0.1:${address.port}/`)
}

export async function teardown(): Promise<void> {
  web?.closeAllConnections()
  web?.close()
  const server = await started?.catch(() => undefined) // a test has reported why it did not start
  await server?.stop()
}
