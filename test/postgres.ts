// A real PostgreSQL for tests. Needs test/global-setup.ts as globalSetup of vitest.
import { inject } from 'vitest'
import { type PostgresDatabase, openPostgres } from '#shared/adapters/postgres/database.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where databases are asked for; absent when the run has no global setup. */
    readonly testPostgres?: string
  }
}

export interface TestDatabase {
  readonly database: PostgresDatabase
  readonly url: string
  /** Closes the connections and drops the database. */
  readonly close: () => Promise<void>
}

async function ask(method: 'POST' | 'DELETE', path = ''): Promise<string> {
  const address = inject('testPostgres')
  if (address === undefined) throw new Error('vitest runs without globalSetup test/global-setup.ts')
  const response = await fetch(new URL(path, address), { method })
  const text = await response.text()
  if (!response.ok) throw new Error(`the test server of PostgreSQL failed: ${text}`)
  return text
}

/** A migrated, empty database that nobody else uses. */
export async function testDatabase(): Promise<TestDatabase> {
  const url = await ask('POST')
  const database = await openPostgres({ url, applicationName: 'test' })
  return {
    database,
    url,
    async close() {
      await database.close()
      await ask('DELETE', encodeURIComponent(url))
    },
  }
}
