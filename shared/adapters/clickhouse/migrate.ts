// Numbered files, applied once each, in order. An applied file never changes: its checksum is kept and compared.
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClickHouse } from './clickhouse.ts'
import { StatementError } from './failures.ts'

/** A migration file is missing, misnamed, wrong, or was edited after it had been applied. */
export class MigrationError extends Error {
  override name = 'MigrationError'
}

const DIRECTORY = fileURLToPath(new URL('../../../infra/clickhouse/migrations', import.meta.url))
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  return await Promise.all(
    names.map(async (name, index) => {
      const number = Number(FILE_NAME.exec(name)?.[1])
      if (number !== index + 1) {
        throw new MigrationError(
          `${join(directory, name)}: expected number ${index + 1}, as in 0001-market-data.sql`,
        )
      }
      const sql = await readFile(join(directory, name), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/** Statements end with a semicolon at the end of a line; whole-line comments are cut. */
export const statementsOf = (sql: string): readonly string[] =>
  sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')

/** The files name tables without a database, so that a person can run them with `--database`; here it is put in. */
const qualify = (statement: string, database: string): string =>
  statement
    .replace(/^(CREATE (?:TABLE|MATERIALIZED VIEW) IF NOT EXISTS) (\w+)/, `$1 ${database}.$2`)
    .replace(/^(ALTER TABLE) (\w+)/, `$1 ${database}.$2`)
    .replace(/ TO (\w+) AS$/m, ` TO ${database}.$1 AS`)
    .replace(/^FROM (\w+)$/m, `FROM ${database}.$1`)

/**
 * Applies what is not applied yet and returns the names of those files. Every statement can be repeated, so a run that
 * was cut off is simply run again.
 * @throws MigrationError when an applied file was changed or removed, or when ClickHouse refuses one (named).
 */
export async function migrateClickHouse(db: ClickHouse, directory = DIRECTORY): Promise<readonly string[]> {
  const migrations = await readMigrations(directory)
  await db.command(
    `CREATE TABLE IF NOT EXISTS ${db.database}.schema_migrations
     (name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
     ENGINE = ReplacingMergeTree ORDER BY (name, checksum)`,
  )
  const applied = await db.select(`SELECT name, checksum FROM ${db.database}.schema_migrations FINAL`)
  for (const { name, checksum } of applied) {
    const file = migrations.find((migration) => migration.name === name)
    if (file === undefined) throw new MigrationError(`${name} was applied, but is not in ${directory}`)
    if (file.checksum !== checksum) throw new MigrationError(`${name} was changed after it had been applied`)
  }

  const done = new Set(applied.map((row) => row['name']))
  const pending = migrations.filter(({ name }) => !done.has(name))
  for (const { name, sql, checksum } of pending) {
    for (const statement of statementsOf(sql)) await apply(db, name, statement)
    await db.insert('schema_migrations', ['name', 'checksum'], [JSON.stringify([name, checksum])])
  }
  return pending.map(({ name }) => name)
}

async function apply(db: ClickHouse, name: string, statement: string): Promise<void> {
  try {
    await db.command(qualify(statement, db.database))
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw new MigrationError(`${name} failed: ${error.message}`, { cause: error })
  }
}
