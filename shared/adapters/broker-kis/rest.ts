// One call to KIS's REST API for one account: token, quota, headers, envelope, and the retries that are safe.
//
// R1. The only answers after which a call is repeated are KIS's own "refused unread": rate limits, a stale token. That
//     holds for orders too (E1), and only inside the deadline.
// R2. Reads may also be repeated after a passing fault; a call that could have had an effect never is.
import { RetryableError } from '#shared/ports/errors.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { KisAccount } from './accounts.ts'
import { type Verdict, verdictOf } from './errors.ts'
import type { Governor, Priority } from './governor.ts'
import { type HttpClient, type HttpOutcome, reasonOf } from './http.ts'
import { type Credential, jsonObject, withDeadline } from './token.ts'

export interface Call {
  readonly path: string
  readonly trId: string
  readonly priority: Priority
  /** Query of a GET. */
  readonly query?: Readonly<Record<string, string>>
  /** Body of a POST: a call that changes something. */
  readonly body?: Readonly<Record<string, string>>
  /** Nothing leaves before it resolves to true, or after it has resolved to false. */
  readonly cleared?: Promise<boolean>
  /** True for every page but the first. */
  readonly nextPage?: boolean
  /** The deadline of the whole call, waiting and retries included. */
  readonly deadlineMs: number
}

export type Reply =
  | { readonly kind: 'done'; readonly root: Record<string, unknown>; readonly hasMore: boolean }
  /** KIS answered and it was not a success. */
  | { readonly kind: 'refused'; readonly verdict: Verdict; readonly code: string; readonly message: string }
  /** Not sent at all. */
  | { readonly kind: 'neverLeft'; readonly reason: string; readonly cause?: unknown }
  /** Sent, or partly sent, and no answer that can be read. */
  | { readonly kind: 'noAnswer'; readonly reason: string }

export interface KisRest {
  /** Never rejects. */
  call(call: Call, signal: AbortSignal): Promise<Reply>
  /** @throws RetryableError, BrokerRefusedError as `BrokerGateway` has it for reads. */
  read(call: Call, signal: AbortSignal): Promise<Extract<Reply, { kind: 'done' }>>
}

export interface RestOptions {
  readonly account: KisAccount
  readonly http: HttpClient
  readonly token: Credential
  readonly governor: Governor
  readonly stopwatch: Stopwatch
}

const UNREAD_RETRIES_MAX = 10
const READ_ATTEMPTS_MAX = 3
const BACKOFF_MS = 60

export function kisRest(options: RestOptions): KisRest {
  const { account, governor, http, stopwatch, token } = options
  const fixedHeaders = {
    'content-type': 'application/json; charset=utf-8',
    appkey: account.appKey,
    appsecret: account.appSecret,
    custtype: 'P',
  }

  const attempt = async (call: Call, stale: string | undefined, signal: AbortSignal) => {
    let bearer: string
    try {
      bearer = stale === undefined ? await token.current(signal) : await token.renew(stale, signal)
      await governor.acquire(call.priority, signal)
    } catch (cause) {
      return { bearer: '', reply: { kind: 'neverLeft', reason: reasonOf(cause), cause } satisfies Reply }
    }
    const headers = {
      ...fixedHeaders,
      authorization: `Bearer ${bearer}`,
      tr_id: call.trId,
      tr_cont: call.nextPage === true ? 'N' : '',
    }
    const request =
      call.body === undefined
        ? {
            method: 'GET' as const,
            path: `${call.path}?${new URLSearchParams(call.query).toString()}`,
            headers,
          }
        : { method: 'POST' as const, path: call.path, headers, body: JSON.stringify(call.body) }
    return { bearer, reply: replyOf(await http.exchange(request, signal, call.cleared)) }
  }

  const call = (what: Call, signal: AbortSignal): Promise<Reply> =>
    withDeadline(stopwatch, what.deadlineMs, signal, async (deadline) => {
      let stale: string | undefined
      let renewed = false
      for (let retries = 0; ; retries += 1) {
        const { bearer, reply } = await attempt(what, stale, deadline)
        if (reply.kind !== 'refused' || retries >= UNREAD_RETRIES_MAX || deadline.aborted) return reply
        if (reply.verdict === 'token') {
          if (renewed) return reply
          renewed = true
          stale = bearer
        } else if (reply.verdict === 'unread') {
          stale = undefined
          const slept = await stopwatch.sleep(BACKOFF_MS * (retries + 1), deadline).then(
            () => true,
            () => false,
          )
          if (!slept) return reply
        } else return reply
      }
    })

  const read: KisRest['read'] = async (what, signal) => {
    for (let attemptNumber = 1; ; attemptNumber += 1) {
      const reply = await call(what, signal)
      if (reply.kind === 'done') return reply
      const passing = reply.kind === 'noAnswer' || (reply.kind === 'refused' && reply.verdict === 'later')
      if (!passing || attemptNumber >= READ_ATTEMPTS_MAX || signal.aborted) throw readFault(what, reply)
      await stopwatch.sleep(BACKOFF_MS * attemptNumber, signal)
    }
  }
  return { call, read }
}

/** Parsed whatever the status (pitfall 21): KIS sends its gateway refusals as JSON with HTTP 500, 429 and 200 alike. */
function replyOf(outcome: HttpOutcome): Reply {
  if (outcome.kind === 'neverLeft') return outcome
  if (outcome.kind === 'maybeLeft') return { kind: 'noAnswer', reason: outcome.reason }
  const root = jsonObject(outcome.body)
  if (root === undefined) return { kind: 'noAnswer', reason: `HTTP ${outcome.status} without a JSON object` }
  const resultCode = root['rt_cd']
  const code = textOr(root['msg_cd'] ?? root['error_code'], '').slice(0, 20)
  if (resultCode === '0') {
    const more = outcome.headers['tr_cont']
    return { kind: 'done', root, hasMore: more === 'F' || more === 'M' }
  }
  const message = textOr(root['msg1'] ?? root['error_description'], '').slice(0, 300)
  if (code === '' && resultCode === undefined) {
    return { kind: 'noAnswer', reason: `HTTP ${outcome.status} with neither rt_cd nor a code` }
  }
  return { kind: 'refused', verdict: verdictOf(code), code: code === '' ? 'NO_CODE' : code, message }
}

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' ? value.trim() : otherwise

function readFault(call: Call, reply: Exclude<Reply, { kind: 'done' }>): Error {
  const place = `KIS ${call.trId}`
  if (reply.kind === 'refused') {
    const fault = `${place}: ${reply.code} ${reply.message}`
    const isFinal = reply.verdict === 'no' || reply.verdict === 'forbidden'
    return isFinal ? new BrokerRefusedError(fault) : new RetryableError(fault)
  }
  if (reply.kind === 'neverLeft' && reply.cause instanceof BrokerRefusedError) return reply.cause
  return new RetryableError(`${place}: ${reply.reason}`)
}
