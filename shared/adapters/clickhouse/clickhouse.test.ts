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
import { addMs } from '#shared/domain/time.ts'
import { tickAt } from '#shared/ports/tick-store.contract.ts'
import { DirectoryInUseError, openClickHouse } from './clickhouse.ts'
import { StatementError } from './failures.ts'
import { MigrationError, migrateClickHouse, statementsOf } from './migrate.ts'
import { clickHousePlaces } from './test-server.ts'
import { clickhouseTickStore } from './tick-store.ts'

const MIGRATIONS = 'infra/clickhouse/migrations'

const rejectionOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

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

  const TABLE = 'CREATE TABLE db.one (number UInt8, word String) ENGINE = MergeTree ORDER BY number'

  test.each([
    ['a syntax error', 'SELEC 1', 62],
    ['an unknown table', 'SELECT 1 FROM nowhere', 60],
    ['an unknown column', 'SELECT nothing FROM db.one', 47],
    ['an unknown database', 'SELECT 1 FROM no_such_database.one', 81],
    ['an unknown function', 'SELECT no_such_function(1)', 46],
    ['types that do not go together', 'SELECT number = today() FROM db.one', 43],
    ['a text that is no number', `SELECT toUInt8('x')`, 6],
    ['a parameter that was not given', 'SELECT {number:UInt8}', 456],
  ])('%s is a defect, not something to try again', async (_name, sql, code) => {
    const db = await open()
    await db.command(TABLE.replace('db.', `${db.database}.`))
    const statement = sql.replace('db.', `${db.database}.`)
    for (const call of [() => db.select(statement), () => db.command(statement)]) {
      const error = await rejectionOf(call())
      expect(error).toBeInstanceOf(StatementError)
      expect(String(error)).toContain(`(${code})`)
    }
  })

  test.each([
    [
      'too little memory',
      'SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000',
      241,
    ],
    [
      'too little time',
      'SELECT sum(sleepEachRow(0.1)) FROM numbers(20) SETTINGS max_execution_time = 1, max_block_size = 1',
      159,
    ],
  ])('%s may pass: the caller may try again', async (_name, sql, code) => {
    const db = await open()
    const error = await rejectionOf(db.select(sql))
    expect(error).toBeInstanceOf(RetryableError)
    expect(String(error)).toContain(`(${code})`)
  })

  test.each([
    ['a value of another type', ['number', 'word'], '["x","y"]', 27],
    ['too few values', ['number', 'word'], '[1]', 27],
    ['a column that is not there', ['nothing'], '[1]', 16],
  ])('rows with %s are refused as a defect', async (_name, columns, row, code) => {
    const db = await open()
    await db.command(TABLE.replace('db.', `${db.database}.`))
    const error = await rejectionOf(db.insert('one', columns, [row]))
    expect(error).toBeInstanceOf(StatementError)
    expect(String(error)).toContain(`insert into one (${code})`)
  })

  test('rows that ClickHouse refuses are kept, reported as a defect, and stored once the table is put right', async () => {
    const db = await open()
    await db.command(`RENAME TABLE ${db.database}.ticks TO ${db.database}.lost`)
    const faults: Error[] = []
    const onFault = (error: Error): void => void faults.push(error)
    const store = clickhouseTickStore(db, { stopwatch: systemStopwatch, onFault })
    await store.appendTicks([tickAt(0), tickAt(1)])
    const error = await rejectionOf(store.flush())
    expect(error).toBeInstanceOf(RetryableError)
    expect(faults[0]).toBeInstanceOf(StatementError)
    expect(String(faults[0])).toMatch(/ticks: 2 rows wait.*\(60\)/)
    await db.command(`RENAME TABLE ${db.database}.lost TO ${db.database}.ticks`)
    await store.flush()
    const { instrumentId, eventTime } = tickAt(0)
    expect(await store.ticks(instrumentId, eventTime, addMs(tickAt(1).eventTime, 1), 10)).toHaveLength(2)
    await store.close()
  })

  test('a migration that ClickHouse refuses is named', async () => {
    const db = await open()
    const directory = await temporary()
    await cp(MIGRATIONS, directory, { recursive: true })
    await writeFile(join(directory, '0003-wrong.sql'), 'ALTER TABEL ticks;\n')
    const error = await rejectionOf(migrateClickHouse(db, directory))
    expect(error).toBeInstanceOf(MigrationError)
    expect(String(error)).toContain('0003-wrong.sql')
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

test('a server that does not let us in is not tried again', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(403, { 'X-ClickHouse-Exception-Code': '516' })
    response.end('Code: 516. DB::Exception: jts: Authentication failed. (AUTHENTICATION_FAILED)')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const error = await rejectionOf(openClickHouse({ url: `http://127.0.0.1:${port}`, password: 'wrong' }))
  expect(error).toBeInstanceOf(StatementError)
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
    const settings = new URL(request.url ?? '', 'http://x').searchParams
    if (!settings.get('query')?.startsWith('INSERT')) response.end()
    else if (state.fault === 'hangUp') request.socket.destroy()
    else if (state.fault === 'diskFull') {
      refuse(response, 500, 243, 'Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)')
    } else if (state.fault === 'overloaded') {
      refuse(response, 503, 202, 'Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)')
    } else {
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
    const ids = inserts.flatMap(({ body }) => body.match(/삼성전자-\d+/g) ?? [])
    expect(ids).toEqual(ticks.map(({ tickId }) => tickId))
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
