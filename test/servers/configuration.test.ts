// The configuration files of servers name only what the servers know, with values that they take. A name misspelt is
// ignored by ClickHouse and by Kafka, and keeps PostgreSQL from starting.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClickHouse, field, openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { type TestDatabase, testDatabase } from '../postgres.ts'

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../../infra', path), 'utf8')

describe('PostgreSQL', () => {
  interface Parameter {
    readonly vartype: string
    readonly min: string | null
    readonly max: string | null
    readonly enumvals: readonly string[] | null
    readonly unit: string | null
  }
  const lines = read('postgres/postgresql.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const settings = lines.map((line) => {
    const [, name = '', value = ''] = /^(\w+) = '?([^']*)'?$/.exec(line) ?? []
    return [name, value] as const
  })

  let server: TestDatabase
  const known = new Map<string, Parameter>()
  beforeAll(async () => {
    server = await testDatabase()
    const rows = await server.database.run<Parameter & { readonly name: string }>(
      {
        name: 'settings',
        text: 'SELECT name, vartype, min_val AS min, max_val AS max, enumvals, unit FROM pg_settings',
      },
      [],
    )
    for (const row of rows) known.set(row.name, row)
  })
  afterAll(() => server.close())

  test('each line sets something, once', () => {
    expect(settings.map(([name]) => name)).not.toContain('')
    expect(new Set(settings.map(([name]) => name)).size).toBe(settings.length)
    expect(settings.length).toBeGreaterThan(30)
  })

  test('every name is known', () => {
    expect(settings.map(([name]) => name).filter((name) => !known.has(name))).toEqual([])
  })

  test('every value is of its kind and within its bounds', () => {
    const faults = settings.filter(([name, value]) => {
      const parameter = known.get(name)
      if (parameter?.vartype === 'bool') return !/^(on|off)$/.test(value)
      if (parameter?.vartype === 'enum') return parameter.enumvals?.includes(value) !== true
      if (parameter?.vartype === 'string') return value === ''
      const number = Number(/^[\d.]+/.exec(value)?.[0])
      const unit = /[a-zA-Z]+$/.exec(value)?.[0]
      if (unit !== undefined) return parameter?.unit === null || !/^(ms|s|min|kB|MB|GB)$/.test(unit)
      return !(number >= Number(parameter?.min) && number <= Number(parameter?.max))
    })
    expect(faults).toEqual([])
  })

  test('a commit is on disk before it is acknowledged', () => {
    const value = new Map(settings)
    for (const name of ['synchronous_commit', 'fsync', 'full_page_writes']) expect(value.get(name)).toBe('on')
  })
})

describe('ClickHouse', () => {
  const directory = mkdtempSync(join(tmpdir(), 'jts-configuration-'))
  let engine: ClickHouse
  beforeAll(async () => {
    engine = await openClickHouse({ directory })
  })
  afterAll(async () => {
    await engine.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** `<name>value</name>` pairs, without comments and without the sections that the engine has no list of. */
  const leavesOf = (xml: string): readonly (readonly [name: string, value: string])[] =>
    [...xml.replaceAll(/<!--[^]*?-->|<(logger|\w+_log)>[^]*?<\/\1>/g, '').matchAll(/<(\w+)>([^<]+)<\//g)].map(
      ([, name = '', value = '']) => [name, value],
    )
  const namesIn = async (...tables: readonly string[]): Promise<ReadonlySet<string>> => {
    const rows = await Promise.all(
      tables.map((table) => engine.select(`SELECT toString(name) AS name FROM system.${table}`)),
    )
    return new Set(rows.flat().map((row) => field(row, 'name')))
  }

  test('every setting of a query is known', async () => {
    const known = await namesIn('settings')
    const leaves = leavesOf(read('clickhouse/users.d/jts.xml'))
    expect(leaves.length).toBeGreaterThan(5)
    expect(leaves.filter(([name, value]) => !known.has(name) || !/^\d+$/.test(value))).toEqual([])
  })

  test('every setting of the server is known', async () => {
    const known = await namesIn('server_settings', 'merge_tree_settings')
    const leaves = leavesOf(read('clickhouse/config.d/jts.xml')).filter(([name]) => name !== 'timezone')
    expect(leaves.length).toBeGreaterThan(5)
    expect(leaves.filter(([name, value]) => !known.has(name) || !/^[\d.]+$/.test(value))).toEqual([])
  })

  test('an insert waits until its rows are stored', () => {
    const settings = Object.fromEntries(leavesOf(read('clickhouse/users.d/jts.xml')))
    expect(settings).toMatchObject({ async_insert: '1', wait_for_async_insert: '1' })
  })
})
