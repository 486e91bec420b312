// One connection to Redis, kept for as long as the process lives.
//
// R1. It is dialed again for ever, after 50 ms to 2 s. The name is looked up anew each time: after a failover it leads to
//     the new primary. A server that says it is read only is left at once.
// R2. A break shorter than BREAK_MS_MAX is waited for; after that every call rejects at once until the server is back.
//     No more than WAITING_MAX calls wait. A server that fell silent is given up after COMMAND_MS_MAX.
// R3. Nothing is ever sent twice: what was under way when the connection broke rejects, and its outcome is not known. A
//     repeated claim would lose to itself, and a repeated take would count twice.
import { Redis, type RedisOptions } from 'ioredis'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { LOST, failureOf, faultOf } from './failures.ts'

const BREAK_MS_MAX = 500
const WAITING_MAX = 10_000
const COMMAND_MS_MAX = 1_000
/** Longer than a command may take: the server answers nobody. */
const SILENCE_MS_MAX = 2_000
const DIAL_MS_MAX = 3_000
const REDIAL_MS = { first: 50, max: 2_000 }

export interface RedisConnectionOptions {
  /** `redis://` or, with TLS, `rediss://user:password@host:port/database`. */
  readonly url: string
  /** Certificates (PEM) of who signed the server's, where that is nobody the system knows. */
  readonly ca?: string
  /** The setting that holds the URL: errors name it. */
  readonly setting: string
  /** Shown in CLIENT LIST. */
  readonly connectionName: string
  readonly stopwatch: Stopwatch
  /** Told once for each reason why there is no connection; and of each return. */
  readonly onFault?: (fault: string) => void
  readonly onReady?: () => void
}

export interface RedisConnection {
  /** @throws RetryableError when the server is not to be had, or its answer did not come: it may have happened. */
  run<T>(doing: string, send: (client: Redis) => Promise<T>): Promise<T>
  /** Why there is no connection; undefined while there is one. */
  fault(): string | undefined
  /** Lets what is under way end. Later calls reject. */
  close(): Promise<void>
}

export const redisConnection = (options: RedisConnectionOptions): RedisConnection => new Connection(options)

interface Break {
  readonly over: PromiseWithResolvers<void>
  isLong: boolean
  waiting: number
}

class Connection implements RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #client: Redis
  #fault: string | undefined
  /** R2. Of the break that lasts; undefined while connected. */
  #break: Break | undefined
  /** Said by what ended the present attempt to connect. */
  #hasReason = false
  #isClosed = false

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    this.#fault = `Redis at ${options.setting}: not connected yet`
    this.#begin()
    this.#client = new Redis(clientOptionsOf(options))
    this.#client.on('error', (error: unknown) => this.#failed(error))
    this.#client.on('connecting', () => (this.#hasReason = false))
    this.#client.on('close', () => this.#closed())
    this.#client.on('ready', () => this.#ready())
  }

  fault(): string | undefined {
    return this.#break === undefined ? undefined : this.#fault
  }

  async run<T>(doing: string, send: (client: Redis) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new RetryableError(`could not ${doing}: the hot state is closed`)
    if (this.#break !== undefined) await this.#over(doing)
    try {
      return await send(this.#client)
    } catch (error) {
      throw failureOf(error, doing, this.#options.setting)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // Answered after all that went before it.
    if (this.#break === undefined) await this.#client.ping().catch(() => undefined)
    this.#client.disconnect()
    this.#break?.over.reject(new RetryableError('the hot state is closed'))
  }

  #closed(): void {
    const wasConnecting = this.#break !== undefined
    this.#begin()
    if (wasConnecting && !this.#hasReason)
      this.#say(`Redis at ${this.#options.setting}: the server hangs up: does it want TLS (rediss://)?`)
  }

  #begin(): void {
    if (this.#break !== undefined || this.#isClosed) return
    const begun = { over: Promise.withResolvers<void>(), isLong: false, waiting: 0 }
    begun.over.promise.catch(() => undefined) // also when nobody waits
    this.#break = begun
    this.#fault ??= `Redis at ${this.#options.setting}: ${LOST}`
    void this.#giveUp(begun)
  }

  async #giveUp(begun: Break): Promise<void> {
    await this.#options.stopwatch.sleep(BREAK_MS_MAX, new AbortController().signal)
    begun.isLong = true
    begun.over.reject(new Error('the break is long'))
  }

  async #over(doing: string): Promise<void> {
    const current = this.#break
    if (current === undefined) return
    if (!current.isLong && current.waiting < WAITING_MAX) {
      current.waiting += 1
      const isOver = await current.over.promise.then(
        () => true,
        () => false,
      )
      if (isOver) return
    }
    throw new RetryableError(`could not ${doing}: ${this.#fault}`)
  }

  #failed(error: unknown): void {
    const fault = faultOf(error, this.#options.setting)
    this.#hasReason = !fault.endsWith(LOST)
    this.#say(fault)
  }

  #say(fault: string): void {
    if (fault !== this.#fault) this.#options.onFault?.(fault)
    this.#fault = fault
  }

  #ready(): void {
    this.#fault = undefined
    this.#break?.over.resolve()
    this.#break = undefined
    this.#options.onReady?.()
  }
}

const clientOptionsOf = (options: RedisConnectionOptions): RedisOptions & { replyMapping: 'legacy' } => ({
  ...addressOf(options),
  replyMapping: 'legacy',
  protocol: 2, // what is used here is the same in both, and every server speaks it
  connectionName: options.connectionName,
  disableClientInfo: true,
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false, // R3
  maxRetriesPerRequest: 0, // R3: what is under way rejects when the connection breaks
  commandTimeout: COMMAND_MS_MAX,
  socketTimeout: SILENCE_MS_MAX,
  connectTimeout: DIAL_MS_MAX,
  retryStrategy: (attempt) => Math.min(REDIAL_MS.first * 2 ** (attempt - 1), REDIAL_MS.max),
  reconnectOnError: (error) => /\bREADONLY\b/.test(error.message), // R1
})

/** @throws TypeError for what is no such URL. */
function addressOf({ url, ca, setting }: RedisConnectionOptions): RedisOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || !/^\/?\d*$/.test(parsed.pathname)) {
    throw new TypeError(`${setting} must be redis(s)://user:password@host:port/database`)
  }
  const { hostname, port, username, password, pathname, protocol } = parsed
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    db: Number(pathname.slice(1)),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: ca === undefined ? {} : { ca } } : {}),
  }
}
