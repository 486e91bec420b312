// Who may call: app keys with their accounts, access tokens, approval keys. All of it in process time; a restart forgets
// tokens, which a client must survive anyway.
import type { Stopwatch } from '#shared/ports/clock.ts'

export interface CustomerAccount {
  readonly appKey: string
  readonly appSecret: string
  /** Ten digits: account and product. */
  readonly accountNumber: string
  /** Login name; one of them may own several accounts. */
  readonly htsId: string
}

export type RandomBytes = (size: number) => Uint8Array

const HOUR_MS = 3_600_000
export const TOKEN_LIFETIME_MS = 24 * HOUR_MS
/** Asked again within this time, KIS gives the same token. */
const TOKEN_REUSE_MS = 6 * HOUR_MS

interface IssuedToken {
  readonly text: string
  readonly issuedMs: number
  isExpired: boolean
}

export type TokenAnswer =
  | { readonly outcome: 'issued'; readonly token: string; readonly expiresInMs: number }
  | { readonly outcome: 'tooSoon' }

export type TokenCheck = 'valid' | 'unknown' | 'expired'

export class Customers {
  readonly #accounts: readonly CustomerAccount[]
  readonly #stopwatch: Stopwatch
  readonly #randomBytes: RandomBytes
  readonly #tokenIntervalMs: number
  /** By app key. */
  readonly #tokens = new Map<string, IssuedToken>()
  readonly #lastIssue = new Map<string, number>()
  readonly #approvals = new Map<string, { readonly appKey: string; readonly issuedMs: number }>()

  constructor(
    accounts: readonly CustomerAccount[],
    options: {
      readonly stopwatch: Stopwatch
      readonly randomBytes: RandomBytes
      readonly tokenIntervalMs: number
    },
  ) {
    this.#accounts = accounts
    this.#stopwatch = options.stopwatch
    this.#randomBytes = options.randomBytes
    this.#tokenIntervalMs = options.tokenIntervalMs
  }

  knows = (appKey: string): boolean => this.#accounts.some((account) => account.appKey === appKey)

  hasSecret = (appKey: string, appSecret: string): boolean =>
    this.#accounts.some((account) => account.appKey === appKey && account.appSecret === appSecret)

  owns = (appKey: string, accountNumber: string): boolean =>
    this.#accounts.some((account) => account.appKey === appKey && account.accountNumber === accountNumber)

  hasHtsId = (htsId: string): boolean => this.#accounts.some((account) => account.htsId === htsId)

  htsIdOf = (accountNumber: string): string | undefined =>
    this.#accounts.find((account) => account.accountNumber === accountNumber)?.htsId

  issueToken(appKey: string): TokenAnswer {
    const now = this.#stopwatch.elapsedMs()
    const last = this.#lastIssue.get(appKey)
    if (last !== undefined && now - last < this.#tokenIntervalMs) return { outcome: 'tooSoon' }
    this.#lastIssue.set(appKey, now)
    const current = this.#tokens.get(appKey)
    if (current !== undefined && !current.isExpired && now - current.issuedMs < TOKEN_REUSE_MS) {
      return this.#answer(current, now)
    }
    const token = { text: this.#tokenText(), issuedMs: now, isExpired: false }
    this.#tokens.set(appKey, token)
    return this.#answer(token, now)
  }

  #answer(token: IssuedToken, now: number): TokenAnswer {
    return { outcome: 'issued', token: token.text, expiresInMs: TOKEN_LIFETIME_MS - (now - token.issuedMs) }
  }

  /** Three parts like the JWT that it stands for. */
  #tokenText(): string {
    const part = (size: number): string => Buffer.from(this.#randomBytes(size)).toString('base64url')
    return `${part(27)}.${part(150)}.${part(48)}`
  }

  checkToken(appKey: string, text: string): TokenCheck {
    const token = this.#tokens.get(appKey)
    if (token?.text !== text) return 'unknown'
    const age = this.#stopwatch.elapsedMs() - token.issuedMs
    return token.isExpired || age >= TOKEN_LIFETIME_MS ? 'expired' : 'valid'
  }

  /** False when it was not the current token. */
  revokeToken(appKey: string, text: string): boolean {
    if (this.#tokens.get(appKey)?.text !== text) return false
    this.#tokens.delete(appKey)
    return true
  }

  /** Every token of now is answered EGW00123 from here on, and may be replaced at once. */
  expireTokens(): void {
    for (const token of this.#tokens.values()) token.isExpired = true
    this.#lastIssue.clear()
  }

  issueApproval(appKey: string): string {
    const hex = Buffer.from(this.#randomBytes(16)).toString('hex')
    const key = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
      '-',
    )
    this.#approvals.set(key, { appKey, issuedMs: this.#stopwatch.elapsedMs() })
    return key
  }

  /** The app key that an approval key was given to; `undefined` when unknown or older than a day. */
  appKeyOf(approvalKey: string): string | undefined {
    const approval = this.#approvals.get(approvalKey)
    if (approval === undefined) return undefined
    return this.#stopwatch.elapsedMs() - approval.issuedMs < TOKEN_LIFETIME_MS ? approval.appKey : undefined
  }
}

/** Tokens of one bucket grow back at `ratePerSecond`, up to one second's worth (one at least). */
export class RateLimit {
  readonly #stopwatch: Stopwatch
  readonly #ratePerSecond: number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(stopwatch: Stopwatch, ratePerSecond: number) {
    this.#stopwatch = stopwatch
    this.#ratePerSecond = ratePerSecond
  }

  /** Takes one; false when there is none. */
  take(key: string): boolean {
    const now = this.#stopwatch.elapsedMs()
    const most = Math.max(1, this.#ratePerSecond)
    const bucket = this.#buckets.get(key) ?? { left: most, at: now }
    bucket.left = Math.min(most, bucket.left + ((now - bucket.at) * this.#ratePerSecond) / 1000)
    bucket.at = now
    this.#buckets.set(key, bucket)
    if (bucket.left < 1) return false
    bucket.left -= 1
    return true
  }
}
