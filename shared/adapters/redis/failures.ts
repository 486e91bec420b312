// What a failure of Redis means to the caller, in words that name the setting.
import { RetryableError } from '#shared/ports/errors.ts'

/** Answers after which the same command may succeed; every other error answer is a defect of ours. */
const OPERATIONAL =
  /\b(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|NOREPLICAS|MISCONF|NOAUTH|WRONGPASS|NOPERM|NOPROTO)\b|\bmax (number of clients|concurrent|requests|daily)|Authentication required|invalid (username|password)/i

/** The client's own words for what it did not send, or has no answer to. */
const BROKEN =
  /ECONNRESET|EPIPE|Stream isn't writeable|max retries per request|Connection is closed|aborted due to connection close/
export const LOST = 'the connection is lost'
const SILENT = /Command timed out|Socket timeout/

const REASON_LENGTH_MAX = 300

/** What to look at, by what the server, the network or TLS said. The first that matches. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/WRONGPASS|invalid (username|password)/i, 'the server refuses its user or password'],
  [/NOAUTH|Authentication required/i, 'the server wants a password, and it has none'],
  [/NOPERM/, 'its user may not run this command'],
  [/CERT_HAS_EXPIRED/, "the server's certificate has expired"],
  [/CERT_NOT_YET_VALID/, "the server's certificate is not valid yet"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "the server's certificate is for another host"],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)/,
    "nobody we trust has signed the server's certificate: JTS_REDIS_CA_FILE may name who did",
  ],
  [/ERR_SSL|EPROTO/, 'the server there does not speak TLS: is redis:// meant?'],
  [/ENOTFOUND|EAI_AGAIN/, 'its host is not known'],
  [/ECONNREFUSED/, 'nobody listens there'],
  [/ETIMEDOUT/, 'no answer comes from there: are host and port right, and redis:// or rediss://?'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no way leads there'],
]

const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (error.message.includes(code) ? error.message : `${code} ${error.message}`).slice(
    0,
    REASON_LENGTH_MAX,
  )
}

/** Why the server named by `setting` is not to be had, for a person. */
export function faultOf(error: unknown, setting: string): string {
  const text = textOf(error)
  if (BROKEN.test(text)) return `Redis at ${setting}: ${LOST}`
  if (SILENT.test(text)) return `Redis at ${setting}: it does not answer`
  const hint = HINTS.find(([pattern]) => pattern.test(text))?.[1]
  return `Redis at ${setting}: ${hint === undefined ? text : `${hint} (${text})`}`
}

/** The server itself refused, as against a network that failed. */
export const isReply = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'

/** The error to throw to a caller: RetryableError, or the error itself as a defect. */
export function failureOf(error: unknown, doing: string, setting: string): unknown {
  if (isReply(error) && !OPERATIONAL.test(error.message)) return error
  return new RetryableError(`could not ${doing}: ${faultOf(error, setting)}`, { cause: error })
}
