// Brings a database to the schema of this program. Forward only.
//
// M1. A file in infra/postgres/migrations never changes once it was applied anywhere; its checksum is kept.
// M2. Each file is one transaction together with the note that it was applied.
// M3. Of several processes that start at once, one migrates; the others wait and find nothing to do.
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Execute, PostgresDatabase } from './database.ts'
import { failureOf } from './failures.ts'

const DIRECTORY = fileURLToPath(new URL('../../../infra/postgres/migrations', import.meta.url))
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/
/** Any number that nothing else in this database locks: "JTS" and "mig". */
const LOCK = '5354451893063'

export class MigrationError extends Error {
  override name = 'MigrationError'
}

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  if (names.length === 0) throw new MigrationError(`no migrations in ${directory}`)
  return Promise.all(
    names.map(async (name, index) => {
      if (Number(FILE_NAME.exec(name)?.[1]) !== index + 1) {
        throw new MigrationError(`${name} should be number ${index + 1}, as in 0001-what-it-does.sql`)
      }
      const text = await readFile(`${directory}/${name}`, 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

interface Applied {
  readonly name: string
  readonly checksum: string
}

/** The migrations still to run. @throws MigrationError when what was applied is not what this program has. */
function pending(migrations: readonly Migration[], applied: readonly Applied[]): readonly Migration[] {
  for (const [index, { name, checksum }] of applied.entries()) {
    const ours = migrations[index]
    if (ours === undefined) {
      throw new MigrationError(`the database is newer than this program: it has ${name}`)
    }
    if (ours.name !== name)
      throw new MigrationError(`the database has ${name} where this program has ${ours.name}`)
    if (ours.checksum !== checksum) {
      throw new MigrationError(`${name} was altered after it was applied; write a new migration instead`)
    }
  }
  return migrations.slice(applied.length)
}

/**
 * Applies what is missing. Resolves to the names of the files applied, in order.
 * @throws MigrationError when an applied file was altered, renamed or is unknown, or when one fails (named).
 */
export async function migratePostgres(
  database: PostgresDatabase,
  directory: string = DIRECTORY,
): Promise<readonly string[]> {
  const migrations = await readMigrations(directory)
  return database.session(async (execute) => {
    await execute(`SELECT pg_advisory_lock(${LOCK})`) // M3; ends with the session
    await execute(`
      CREATE TABLE IF NOT EXISTS public.schema_migrations (
        number       integer PRIMARY KEY,
        name         text NOT NULL UNIQUE,
        checksum     text NOT NULL,
        applied_time timestamptz NOT NULL DEFAULT now()
      )`)
    const applied = await execute<Applied>(
      'SELECT name, checksum FROM public.schema_migrations ORDER BY number',
    )
    const missing = pending(migrations, applied)
    for (const [index, migration] of missing.entries()) {
      await apply(execute, migration, applied.length + index + 1)
    }
    return missing.map(({ name }) => name)
  })
}

async function apply(execute: Execute, { name, text, checksum }: Migration, number: number): Promise<void> {
  try {
    await execute('BEGIN')
    await execute(text)
    await execute('INSERT INTO public.schema_migrations (number, name, checksum) VALUES ($1, $2, $3)', [
      number,
      name,
      checksum,
    ])
    await execute('COMMIT')
  } catch (error) {
    const failure = failureOf(error, `migrate ${name}`)
    if (failure !== error) throw failure
    throw new MigrationError(`${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
