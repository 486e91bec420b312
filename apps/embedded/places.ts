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

/** There once a replay has come to its end. */
export const FINISHED = 'finished'

/** What JTS keeps in a data directory, but for the run file, which says whose it is. */
const PARTS = ['postgres', 'clickhouse', 'simulator', 'messages.jsonl', 'jts.log', FINISHED] as const

/** Removes what JTS has put into a data directory. Whatever else a person keeps there stays. */
export async function removeData(directory: string): Promise<void> {
  const paths = [postgresDirectoryOf(directory), ...PARTS.map((part) => join(directory, part))]
  for (const path of paths) await rm(path, { recursive: true, force: true })
}
