// Where the parts of a data directory are.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SYSTEM_DIRECTORY, isOpenToOthers } from '#shared/adapters/postgres/private-home.ts'

/** The place of PostgreSQL's files: in the data directory, unless its own user could not get there. */
export function postgresDirectoryOf(directory: string): string {
  const path = resolve(directory)
  if (process.getuid?.() !== 0 || isOpenToOthers(path)) return join(path, 'postgres')
  return join(SYSTEM_DIRECTORY, createHash('sha256').update(path).digest('hex').slice(0, 12))
}

/** Removes everything that a data directory stands for. */
export async function removeData(directory: string): Promise<void> {
  await rm(postgresDirectoryOf(directory), { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
}
