// What a failure of PostgreSQL means to the caller.
import { DatabaseError } from 'pg'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'

/**
 * SQLSTATEs (or their class) after which the same call may succeed. A connection that breaks during a commit is among
 * them although the outcome is unknown then: a repeated call finds its receipt.
 */
const OPERATIONAL = [
  '08', // connection exception
  '25006', // read only: a standby after a failover
  '25P03', // idle in transaction too long
  '40', // serialization failure, deadlock
  '53', // disk full, out of memory, too many connections
  '55P03', // lock not available
  '57014', // canceled by the statement timeout
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // starting up or shutting down
  '57P05', // idle session timeout
  '58', // the operating system failed it
] as const

/** Values that a column cannot hold: too large, NUL in a text, half a surrogate pair in JSON. */
const DATA_EXCEPTION = '22'

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT', // the unix socket is not there (yet)
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** The client library reports these as plain errors without a code. */
const LOST =
  /^(Connection (terminated|ended)|timeout ex|Client (has encountered a connection error|was closed)|Query read timeout|Cannot use a pool after calling end)/

/** What is wrong with a certificate does not pass; by code of the TLS library. */
const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody we trust (JTS_POSTGRES_CA)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody we trust (JTS_POSTGRES_CA)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody we trust (JTS_POSTGRES_CA)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody we trust (JTS_POSTGRES_CA)',
}

function untrusted(error: Error): Error | undefined {
  const meaning = 'code' in error && typeof error.code === 'string' ? UNTRUSTED[error.code] : undefined
  if (meaning === undefined) return undefined
  return new Error(`PostgreSQL is not trusted: ${meaning} (${error.message})`, { cause: error })
}

const isLost = (error: Error): boolean =>
  ('code' in error && typeof error.code === 'string' && NETWORK.has(error.code)) || LOST.test(error.message)

/** The error to throw to a caller of an adapter: RetryableError, PoisonError, or the error itself as a defect. */
export function failureOf(error: unknown, doing: string): unknown {
  if (error instanceof DatabaseError) {
    const code = error.code ?? ''
    if (OPERATIONAL.some((prefix) => code.startsWith(prefix))) {
      return new RetryableError(`PostgreSQL could not ${doing} (${code}): ${error.message}`, { cause: error })
    }
    if (code.startsWith(DATA_EXCEPTION)) {
      return new PoisonError(`PostgreSQL cannot hold a value of ${doing} (${code}): ${error.message}`, {
        cause: error,
      })
    }
    return error
  }
  if (error instanceof Error && isLost(error)) {
    return new RetryableError(`PostgreSQL was not reached to ${doing}: ${error.message}`, { cause: error })
  }
  return (error instanceof Error ? untrusted(error) : undefined) ?? error
}

/** True when the connection itself can be used again after this error. */
export const leavesConnectionUsable = (error: unknown): boolean =>
  error instanceof DatabaseError && !(error.code ?? '').startsWith('57P') && error.severity !== 'FATAL'

/** The name of the unique constraint or index that a write ran into; undefined for any other error. */
export const violatedUnique = (error: unknown): string | undefined =>
  error instanceof DatabaseError && error.code === '23505' ? error.constraint : undefined

/** True when an event was stored under an id that stands for an event of another type; see `eventsAfter`. */
export const brokeEventId = (error: unknown): boolean =>
  error instanceof DatabaseError &&
  error.code === '23502' &&
  error.table === 'events' &&
  error.column === 'event'
