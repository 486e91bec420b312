import { type Document, DocumentConflictError, type Documents } from '#shared/ports/documents.ts'
import type { PostgresDatabase, Statement } from './database.ts'
import { violatedUnique } from './failures.ts'

const COLUMNS = `kind, id, version, body, changed_by`

const READ_LATEST = {
  name: 'read a document',
  text: `SELECT ${COLUMNS} FROM trading.documents WHERE kind = $1 AND id = $2 ORDER BY version DESC LIMIT 1`,
}

const READ_VERSION = {
  name: 'read a version of a document',
  text: `SELECT ${COLUMNS} FROM trading.documents WHERE kind = $1 AND id = $2 AND version = $3`,
}

const READ_LIST = {
  name: 'read the documents of a kind',
  text: `SELECT DISTINCT ON (id) ${COLUMNS} FROM trading.documents WHERE kind = $1 ORDER BY id, version DESC`,
}

// Of two writers that both read the same latest version, the primary key lets one through.
const PUT = {
  name: 'write a document',
  text: `
  INSERT INTO trading.documents (${COLUMNS})
  SELECT $1, $2, $3::integer + 1, $4::jsonb, $5
  WHERE $3::integer = coalesce((SELECT max(version) FROM trading.documents WHERE kind = $1 AND id = $2), 0)
  RETURNING ${COLUMNS}`,
}

interface DocumentRow {
  readonly kind: string
  readonly id: string
  readonly version: number
  readonly body: unknown
  readonly changed_by: string
}

const documentOf = ({ kind, id, version, body, changed_by: changedBy }: DocumentRow): Document => ({
  kind,
  id,
  version,
  body,
  changedBy,
})

export function postgresDocuments(database: PostgresDatabase): Documents {
  async function read(statement: Statement, values: readonly unknown[]): Promise<readonly Document[]> {
    const rows = await database.run<DocumentRow>(statement, values)
    return rows.map(documentOf)
  }

  return {
    latest: async (kind, id) => (await read(READ_LATEST, [kind, id]))[0],
    version: async (kind, id, version) => (await read(READ_VERSION, [kind, id, version]))[0],
    list: (kind) => read(READ_LIST, [kind]),
    async put({ kind, id, after, body, changedBy }) {
      const text = JSON.stringify(body) as string | undefined
      if (text === undefined) throw new TypeError(`the body of ${kind} ${id} has no JSON form`)
      const conflict = `${kind} ${id} is not at version ${after} any more`
      try {
        const [written] = await read(PUT, [kind, id, after, text, changedBy])
        if (written !== undefined) return written
      } catch (error) {
        if (violatedUnique(error) === undefined) throw error
        throw new DocumentConflictError(conflict, { cause: error })
      }
      throw new DocumentConflictError(conflict)
    },
  }
}
