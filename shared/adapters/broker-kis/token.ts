// Access tokens and websocket approval keys: one of each for an app key, shared by every process.
//
// T1. One process issues, the others wait for what it stores: the claim on the lease decides (pitfall 1, EGW00133
//     storms). The lease outlives the issue by KIS's own limit of one token a minute.
// T2. A credential is renewed in the background while it still serves, REFRESH_AHEAD_MS before it ends (pitfall 2).
// T3. HotState may be lost at any moment: a credential in hand serves on, and with none each process asks for itself,
//     since KIS answers a second request within six hours with the same token.
// T4. Tokens, keys and secrets are in no error text and no log line.
import { createHash } from 'node:crypto'
import { RetryableError } from '#shared/ports/errors.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { KisAccount } from './accounts.ts'
import { verdictOf } from './errors.ts'
import type { HttpClient } from './http.ts'
import { PATH } from './tr-ids.ts'

export interface Credential {
  /**
   * One that serves now. At once when one is in hand.
   * @throws RetryableError when none can be had now, BrokerRefusedError when KIS refuses the keys for good; the
   * signal's reason when it aborts first.
   */
  current(signal: AbortSignal): Promise<string>
  /** KIS refused `stale`: resolves to another one, newly issued or already stored by somebody else. */
  renew(stale: string, signal: AbortSignal): Promise<string>
}

export interface CredentialOptions {
  readonly account: KisAccount
  readonly http: HttpClient
  readonly hotState: HotState
  readonly clock: Clock
  readonly stopwatch: Stopwatch
}

interface Held {
  readonly text: string
  /** Milliseconds since 1970, as `Clock` counts. */
  readonly endsAt: number
}

interface Kind {
  readonly name: 'token' | 'approval'
  readonly path: string
  readonly body: (account: KisAccount) => Record<string, string>
  readonly field: string
  readonly textMax: number
  /** KIS's limit on issuing. */
  readonly leaseMs: number
}

const TOKEN: Kind = {
  name: 'token',
  path: PATH.token,
  body: ({ appKey, appSecret }) => ({
    grant_type: 'client_credentials',
    appkey: appKey,
    appsecret: appSecret,
  }),
  field: 'access_token',
  textMax: 4_096,
  leaseMs: 61_000,
}
const APPROVAL: Kind = {
  name: 'approval',
  path: PATH.approval,
  // The same secret under another name.
  body: ({ appKey, appSecret }) => ({
    grant_type: 'client_credentials',
    appkey: appKey,
    secretkey: appSecret,
  }),
  field: 'approval_key',
  textMax: 256,
  leaseMs: 2_000,
}

const LIFETIME_MS = 24 * 3_600_000
const REFRESH_AHEAD_MS = 30 * 60_000
/** One that ends sooner than this is not sent: it would end on the way. */
const MARGIN_MS = 10_000
const POLL_MS = 100
const LEASE_VALUE = 'issuing'
const ISSUE_MS_MAX = 10_000

/** Names an app key in shared state without telling it. */
export const keyNameOf = (account: KisAccount): string =>
  createHash('sha256').update(account.appKey).digest('hex').slice(0, 16)

export const accessToken = (options: CredentialOptions): Credential => new SharedCredential(TOKEN, options)
export const approvalKey = (options: CredentialOptions): Credential => new SharedCredential(APPROVAL, options)

class SharedCredential implements Credential {
  readonly #kind: Kind
  readonly #options: CredentialOptions
  readonly #key: string
  readonly #lease: string
  #held: Held | undefined
  /** The one acquisition of this process; callers share it. */
  #acquiring: Promise<string> | undefined

  constructor(kind: Kind, options: CredentialOptions) {
    this.#kind = kind
    this.#options = options
    this.#key = `kis:${kind.name}:${keyNameOf(options.account)}`
    this.#lease = `${this.#key}:lease`
  }

  async current(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const held = this.#held
    if (!this.#serves(held, undefined)) return abortable(this.#acquireOnce(undefined), signal)
    const endsSoon = held.endsAt - this.#options.clock.now() < REFRESH_AHEAD_MS
    if (endsSoon) void this.#acquireOnce(held.text).catch(() => undefined) // T2
    return held.text
  }

  renew(stale: string, signal: AbortSignal): Promise<string> {
    if (this.#serves(this.#held, stale)) return Promise.resolve(this.#held.text)
    this.#held = undefined
    return abortable(this.#acquireOnce(stale), signal)
  }

  #serves(candidate: Held | undefined, stale: string | undefined): candidate is Held {
    if (candidate === undefined || candidate.text === stale) return false
    return candidate.endsAt - this.#options.clock.now() > MARGIN_MS
  }

  #acquireOnce(stale: string | undefined): Promise<string> {
    this.#acquiring ??= this.#acquire(stale).finally(() => (this.#acquiring = undefined))
    return this.#acquiring
  }

  async #acquire(stale: string | undefined): Promise<string> {
    const { hotState, stopwatch } = this.#options
    const forever = new AbortController().signal
    for (let waitedMs = 0; waitedMs <= this.#kind.leaseMs; waitedMs += POLL_MS) {
      let mine: boolean
      try {
        const shared = heldFrom(await hotState.get(this.#key), this.#kind.textMax)
        if (this.#serves(shared, stale)) {
          this.#held = shared
          return shared.text
        }
        mine = await hotState.claim(this.#lease, LEASE_VALUE, this.#kind.leaseMs)
      } catch {
        return this.#keep(await issue(this.#kind, this.#options)) // T3
      }
      if (mine) return this.#issueUnderLease(stale)
      await stopwatch.sleep(POLL_MS, forever)
    }
    throw new RetryableError(`another process is issuing the KIS ${this.#kind.name} and has not finished`)
  }

  async #issueUnderLease(stale: string | undefined): Promise<string> {
    try {
      const fresh = await issue(this.#kind, this.#options)
      if (fresh.text === stale) {
        throw new RetryableError(`KIS refuses its ${this.#kind.name} and issues the same again`)
      }
      return await this.#keep(fresh)
    } catch (error) {
      // What never left has used up nothing; for the rest the lease runs its minute.
      if (error instanceof NeverLeftError) {
        await this.#options.hotState.release(this.#lease, LEASE_VALUE).catch(() => false)
      }
      throw error
    }
  }

  async #keep(fresh: Held): Promise<string> {
    this.#held = fresh
    const ttlMs = Math.max(1, Math.floor(fresh.endsAt - this.#options.clock.now()))
    await this.#options.hotState.set(this.#key, JSON.stringify(fresh), ttlMs).catch(() => undefined) // T3
    return fresh.text
  }
}

class NeverLeftError extends RetryableError {
  override name = 'NeverLeftError'
}

async function issue(kind: Kind, { account, http, clock, stopwatch }: CredentialOptions): Promise<Held> {
  const issuedAt = clock.now()
  const request = {
    method: 'POST' as const,
    path: kind.path,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(kind.body(account)),
  }
  const answer = await withDeadline(stopwatch, ISSUE_MS_MAX, undefined, (signal) =>
    http.exchange(request, signal),
  )
  if (answer.kind === 'neverLeft') throw new NeverLeftError(`KIS ${kind.name}: ${answer.reason}`)
  if (answer.kind === 'maybeLeft') throw new RetryableError(`KIS ${kind.name}: ${answer.reason}`)

  const reply = jsonObject(answer.body)
  const text = reply?.[kind.field]
  if (
    typeof text === 'string' &&
    text.length > 0 &&
    text.length <= kind.textMax &&
    /^[\x21-\x7e]+$/.test(text)
  ) {
    const seconds = Number(reply?.['expires_in'])
    const lifetimeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : LIFETIME_MS
    return { text, endsAt: issuedAt + Math.min(lifetimeMs, LIFETIME_MS) }
  }
  // This endpoint has an error shape of its own: error_code, error_description.
  const stated = reply?.['error_code'] ?? reply?.['msg_cd']
  const code = typeof stated === 'string' ? stated.slice(0, 20) : ''
  const fault = `KIS ${kind.name} not issued: HTTP ${answer.status} ${code === '' ? 'no error code' : code}`
  const verdict = verdictOf(code)
  throw verdict === 'forbidden' || verdict === 'no'
    ? new BrokerRefusedError(fault)
    : new RetryableError(fault)
}

function heldFrom(text: string | undefined, textMax: number): Held | undefined {
  const value = text === undefined ? undefined : jsonObject(text)
  const credentialText = value?.['text']
  const endsAt = value?.['endsAt']
  if (typeof credentialText !== 'string' || typeof endsAt !== 'number') return undefined
  if (credentialText.length > textMax || !/^[\x21-\x7e]+$/.test(credentialText)) return undefined
  return { text: credentialText, endsAt }
}

/** A JSON object, or undefined for anything else. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Rejects with the signal's reason when it aborts first; the work itself goes on for the others who share it. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined)
    return Promise.reject(signal.reason)
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Made once: an abort without a reason makes an error with a stack each time, on the order path. */
const FINISHED = new Error('finished in time')

/** Runs `work` with a signal that aborts after `ms`, or with `outer`. */
export async function withDeadline<T>(
  stopwatch: Stopwatch,
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController()
  const timer = new AbortController()
  const onOuter = (): void => deadline.abort(outer?.reason)
  if (outer?.aborted) onOuter()
  else outer?.addEventListener('abort', onOuter, { once: true })
  stopwatch.sleep(ms, timer.signal).then(
    () => deadline.abort(new Error(`no answer in ${ms} ms`)),
    () => undefined,
  )
  try {
    return await work(deadline.signal)
  } finally {
    timer.abort(FINISHED)
    outer?.removeEventListener('abort', onOuter)
  }
}
