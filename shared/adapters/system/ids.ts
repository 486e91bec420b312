import { randomBytes, randomUUID } from 'node:crypto'
import type { IdSource } from '#shared/ports/id-source.ts'

/** Random UUIDs. */
export const systemIds: IdSource = { next: () => randomUUID() }

/** Bytes fit for keys, salts and tokens. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size)
