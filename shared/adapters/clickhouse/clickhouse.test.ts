import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { tickAt } from '#shared/ports/tick-store.contract.ts'
import { DirectoryInUseError, openClickHouse } from './clickhouse.ts'
import { MigrationError, migrateClickHouse, statementsOf } from './migrate.ts'
import { clickHousePlaces } from './test-server.ts'
import { clickhouseTickStore } from './tick-store.ts'

const MIGRATIONS = 'infra/clickhouse/migrations'

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-clickhouse-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

describe.each(clickHousePlaces())('%s', (_place, open) => {
  test('migrations are applied once, and again on an empty database', async () => {
    const db = await open()
    expect(await migrateClickHouse(db)).toEqual([])
    const tables = await db.select(
      `SELECT name FROM system.tables WHERE database = '${db.database}' ORDER BY name`,
    )
    const names = tables.map((row) => row['name'])
    expect(names).toEqual([
      'bars',
      'chain_heads',
      'chain_heads_of_events',
      'events',
      'schema_migrations',
      'ticks',
    ])
  })

  test('a migration that was edited after it had been applied, or is gone, stops the start', async () => {
    const db = await open()
    const directory = await temporary()
    await cp(MIGRATIONS, directory, { recursive: true })
    expect(await migrateClickHouse(db, directory)).toEqual([])
    await writeFile(join(directory, '0001-market-data.sql'), 'SELECT 1;\n')
    await expect(migrateClickHouse(db, directory)).rejects.toThrow('0001-market-data.sql was changed')
    await rm(join(directory, '0002-event-archive.sql'))
    await expect(migrateClickHouse(db, directory)).rejects.toThrow(MigrationError)
  })

  test('a gap in the numbers is a fault, not a skipped file', async () => {
    const db = await open()
    const directory = await temporary()
    await cp(MIGRATIONS, directory, { recursive: true })
    await writeFile(join(directory, '0004-later.sql'), 'SELECT 1;\n')
    await expect(migrateClickHouse(db, directory)).rejects.toThrow('expected number 3')
  })

  test('text, counts beyond 2^53 and decimals pass through parameters and results unharmed', async () => {
    const db = await open()
    const text = `it's \\ "삼성" {x:String} ? \n\t;`
    const [row] = await db.select(
      `SELECT {text:String} AS text, toUInt64('18446744073709551615') AS count, toDecimal64('0.0001', 4) AS price`,
      { text },
    )
    expect(row).toEqual({ text, count: '18446744073709551615', price: '0.0001' })
  })

  test('a wrong statement is reported with what ClickHouse says', async () => {
    const db = await open()
    await expect(db.select('SELECT nothing FROM nowhere')).rejects.toThrow(/query failed: .*nowhere/)
  })
})

test('a data directory that another process uses is refused with a plain error', async () => {
  const directory = await temporary()
  const holder = execFile(process.execPath, [
    '--input-type=module',
    '-e',
    `const { openClickHouse } = await import('./shared/adapters/clickhouse/clickhouse.ts')
     await openClickHouse({ directory: ${JSON.stringify(directory)} })
     console.log('open')
     process.stdin.resume()`,
  ])
  onTestFinished(() => void holder.kill())
  await new Promise((resolve) => holder.stdout?.once('data', resolve))
  const second = promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `const { openClickHouse } = await import('./shared/adapters/clickhouse/clickhouse.ts')
     await openClickHouse({ directory: ${JSON.stringify(directory)} }).catch((error) => console.log(error.name))
     process.exit(0)`,
  ])
  expect((await second).stdout).toContain(DirectoryInUseError.name)
})

test('a database name that is no name never reaches SQL', async () => {
  await expect(openClickHouse({ url: 'http://127.0.0.1:1', database: 'x; DROP' })).rejects.toThrow(RangeError)
})

test('a server that is not there is an error that can be retried', async () => {
  await expect(openClickHouse({ url: 'http://127.0.0.1:1' })).rejects.toThrow(RetryableError)
})

/** Stands in for a server: takes statements, and fails them the way that it is told to. */
const standIn = async () => {
  const inserts: { body: string; settings: URLSearchParams; authorization: string }[] = []
  const state: { fault: 'none' | 'diskFull' | 'hangUp' | 'overloaded' } = { fault: 'none' }

  const refuse = (response: ServerResponse, status: number, code: number, text: string): void => {
    response.writeHead(status, { 'X-ClickHouse-Exception-Code': String(code) })
    response.end(`Code: ${code}. DB::Exception: ${text}`)
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    if (!body.startsWith('INSERT')) response.end()
    else if (state.fault === 'hangUp') request.socket.destroy()
    else if (state.fault === 'diskFull') {
      refuse(response, 500, 243, 'Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)')
    } else if (state.fault === 'overloaded') {
      refuse(response, 503, 202, 'Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)')
    } else {
      const settings = new URL(request.url ?? '', 'http://x').searchParams
      inserts.push({ body, settings, authorization: request.headers.authorization ?? '' })
      response.end()
    }
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, inserts, state }
}

test.each(['diskFull', 'hangUp', 'overloaded'] as const)(
  'rows outlive a server with %s and are stored when it is back',
  async (fault) => {
    const { url, inserts, state } = await standIn()
    const db = await openClickHouse({ url, username: 'jts', password: 'secret' })
    const faults: Error[] = []
    const onFault = (error: Error): void => void faults.push(error)
    const store = clickhouseTickStore(db, { stopwatch: systemStopwatch, batchSize: 50, onFault })
    const ticks = Array.from({ length: 120 }, (_, index) => tickAt(index, { tickId: `삼성전자-${index}` }))

    state.fault = fault
    await store.appendTicks(ticks)
    await expect(store.flush()).rejects.toThrow(RetryableError)
    expect(faults.length).toBeGreaterThan(0)
    expect(inserts).toEqual([])

    state.fault = 'none'
    await store.flush()
    const rows = inserts.flatMap(({ body }) => body.split('\n').slice(1))
    expect(rows.map((row): unknown => JSON.parse(row)?.[9])).toEqual(ticks.map(({ tickId }) => tickId))
    for (const { settings, authorization } of inserts) {
      expect(settings.get('async_insert')).toBe('1')
      expect(settings.get('wait_for_async_insert')).toBe('1')
      expect(authorization).toBe(`Basic ${Buffer.from('jts:secret').toString('base64')}`)
    }
    await store.close()
    await db.close()
  },
)

test('statements are told apart by semicolons at the end of lines; comments are left out', () => {
  const sql = `-- first; not a statement\nCREATE TABLE a (x String DEFAULT ';');\n\nSELECT 1;\n-- end\n`
  expect(statementsOf(sql)).toEqual([`CREATE TABLE a (x String DEFAULT ';')`, 'SELECT 1'])
})
