// One POST to a receiver of messages.
//
// P1. One deadline over all of it: name lookup, dialing, sending, the answer.
// P2. Only http and https; a redirect is an answer that is not followed.
// P3. Unless private addresses are allowed, the address that is dialed is checked, not only the name: a name that
//     changes its address between a check and the dialing gains nothing.
// P4. The answer's body is of no use and never kept; past BODY_BYTES_MAX the connection is cut.
// P5. No error names the URL: a Slack URL is a secret.
import { lookup } from 'node:dns'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type LookupFunction, isIP } from 'node:net'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { isPublicAddress } from './public-address.ts'

const BODY_BYTES_MAX = 65_536

export interface HttpPost {
  /** Who answers, for errors: `slack`, `webhook`. */
  readonly receiver: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly deadlineMs: number
  readonly privateAddressesAllowed: boolean
}

const refusal = (receiver: string, address: string): PoisonError =>
  new PoisonError(`${receiver}: ${address} is not a public address and private addresses are not allowed`)

/** Resolves names as Node does, refusing the whole name when one of its addresses is not public (P3). */
const publicLookup =
  (receiver: string): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '')
        return
      }
      const [first] = addresses
      const hidden = addresses.find(({ address }) => !isPublicAddress(address))
      if (hidden !== undefined) callback(refusal(receiver, hidden.address), '')
      else if (first === undefined) callback(new Error(`no address for ${hostname}`), '')
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/** @throws PoisonError for a URL that may not be used, naming what is wrong with it but not the URL (P5). */
export function receiverUrl(receiver: string, text: string): URL {
  if (!URL.canParse(text)) throw new PoisonError(`${receiver}: not a URL`)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new PoisonError(`${receiver}: only http and https, not ${url.protocol}`)
  }
  return url
}

/** 408, 425, 429 and 5xx pass; every other status that is not a success stays as it is. */
const isPassing = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429

/**
 * Resolves once the receiver has answered 2xx.
 * @throws RetryableError for a passing fault or no answer in time, PoisonError for an answer that will not change.
 */
export async function postOnce(post: HttpPost, signal: AbortSignal): Promise<void> {
  const { receiver, url } = post
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (!post.privateAddressesAllowed && isIP(literal) !== 0 && !isPublicAddress(literal)) {
    throw refusal(receiver, literal)
  }
  const deadline = AbortSignal.timeout(post.deadlineMs)
  let status: number
  try {
    status = await exchange(post, AbortSignal.any([signal, deadline]))
  } catch (error) {
    if (error instanceof PoisonError) throw error
    if (signal.aborted) throw new RetryableError(`${receiver}: given up on request`, { cause: signal.reason })
    if (deadline.aborted) throw new RetryableError(`${receiver}: no answer within ${post.deadlineMs} ms`)
    throw new RetryableError(`${receiver}: ${reasonOf(error)}`, { cause: error })
  }
  if (status >= 200 && status < 300) return
  if (isPassing(status)) throw new RetryableError(`${receiver}: answered ${status}`)
  const note = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  throw new PoisonError(`${receiver}: answered ${status}${note}`)
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'connection failed'

/** Sends and resolves to the status once the answer has ended. */
function exchange(post: HttpPost, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = post.url.protocol === 'https:' ? httpsRequest : httpRequest
    const options = {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        'user-agent': 'jts-notify/1',
        'content-type': 'application/json; charset=utf-8',
        ...post.headers,
        'content-length': String(Buffer.byteLength(post.body)),
      },
      ...(post.privateAddressesAllowed ? {} : { lookup: publicLookup(post.receiver) }),
    }
    const sent: ClientRequest = send(post.url, options, (answer) => {
      drain(answer, sent).then(() => resolve(answer.statusCode ?? 0), reject)
    })
    sent.on('error', reject)
    sent.end(post.body)
  })
}

/** The status was read; a body longer than the cap ends the exchange early without changing it (P4). */
function drain(answer: IncomingMessage, sent: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= BODY_BYTES_MAX) return
      resolve()
      sent.destroy()
    })
    answer.on('end', resolve)
    answer.on('error', reject)
  })
}
