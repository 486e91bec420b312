// Where the parts of a data directory are.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

const OTHERS_MAY_ENTER = 0o001
/** For a superuser whose data directory nobody else may enter: PostgreSQL refuses to run as one. */
const SYSTEM_DIRECTORY = '/var/lib/jts'

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

function isOpenToOthers(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const mode = statSync(at, { throwIfNoEntry: false })?.mode
    if (mode !== undefined && (mode & OTHERS_MAY_ENTER) === 0) return false
    if (at === dirname(at)) return true
  }
}
