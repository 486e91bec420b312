// Hot state in Redis, for as many processes as there are.
//
// H1. Times to live and windows are counted by the server: the clocks of clients do not matter.
// H2. Whatever is lost (FLUSHALL, eviction, a failover that lost the last writes) is absent, and absent denies.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import { formatPrice, price } from '#shared/domain/values.ts'
import type { HotState, LastPrice } from '#shared/ports/hot-state.ts'
import { type RedisConnection, type RedisConnectionOptions, redisConnection } from './connection.ts'
import { EXTEND, PRICES_MAX, PUT_PRICES, RELEASE, TAKE, runScript } from './scripts.ts'

export interface RedisHotStateOptions extends RedisConnectionOptions {
  /** Before every key, so that several systems can share a server. */
  readonly keyPrefix: string
}

export interface RedisHotState extends HotState {
  /** Why it cannot be used now; empty when it can. */
  notReady(): readonly string[]
}

/** A list outlives its window by this: the server counts keys in milliseconds, windows in microseconds. */
const WINDOW_SLACK_MS = 1_000

/** Dials in the background; calls wait a moment for the first connection. @throws TypeError for a bad URL. */
export function redisHotState(options: RedisHotStateOptions): RedisHotState {
  const { keyPrefix } = options
  const connection = redisConnection(options)
  return {
    ...keys(connection, (name) => `${keyPrefix}key/${name}`),
    ...rates(connection, (bucket) => `${keyPrefix}window/${bucket}`),
    ...prices(connection, `${keyPrefix}last-prices`),
    notReady() {
      const fault = connection.fault()
      return fault === undefined ? [] : [fault]
    },
    close: () => connection.close(),
  }
}

type KeyOf = (name: string) => string

function keys(
  connection: RedisConnection,
  keyOf: KeyOf,
): Pick<HotState, 'get' | 'set' | 'delete' | 'claim' | 'extend' | 'release'> {
  return {
    async get(key) {
      return (await connection.run('read a key', (redis) => redis.get(keyOf(key)))) ?? undefined
    },
    async set(key, value, ttlMs = Number.POSITIVE_INFINITY) {
      assertPositive('ttlMs', ttlMs)
      await connection.run('write a key', (redis) =>
        ttlMs === Number.POSITIVE_INFINITY
          ? redis.set(keyOf(key), value)
          : redis.set(keyOf(key), value, 'PX', Math.ceil(ttlMs)),
      )
    },
    async delete(key) {
      await connection.run('delete a key', (redis) => redis.del(keyOf(key)))
    },
    async claim(key, value, ttlMs) {
      assertPositive('ttlMs', ttlMs)
      const answer = await connection.run('claim a key', (redis) =>
        redis.set(keyOf(key), value, 'PX', Math.ceil(ttlMs), 'NX'),
      )
      return answer === 'OK'
    },
    async extend(key, value, ttlMs) {
      assertPositive('ttlMs', ttlMs)
      const answer = await connection.run('extend a claim', (redis) =>
        runScript(redis, EXTEND, keyOf(key), [value, Math.ceil(ttlMs)]),
      )
      return answer === 1
    },
    async release(key, value) {
      const answer = await connection.run('release a claim', (redis) =>
        runScript(redis, RELEASE, keyOf(key), [value]),
      )
      return answer === 1
    },
  }
}

function rates(connection: RedisConnection, keyOf: KeyOf): Pick<HotState, 'take'> {
  return {
    async take(bucket, limit, windowMs) {
      assertPositive('limit', limit)
      assertPositive('windowMs', windowMs)
      if (!Number.isSafeInteger(limit)) throw new RangeError(`limit must be a whole number: ${limit}`)
      const values = [limit, Math.ceil(windowMs * 1_000), Math.ceil(windowMs) + WINDOW_SLACK_MS]
      const waitUs = await connection.run('take from a rate', (redis) =>
        runScript(redis, TAKE, keyOf(bucket), values),
      )
      return { allowed: waitUs === 0, retryAfterMs: Number(waitUs) / 1_000 }
    },
  }
}

function prices(connection: RedisConnection, key: string): Pick<HotState, 'putLastPrices' | 'lastPrices'> {
  return {
    async putLastPrices(latest) {
      const parts: (readonly LastPrice[])[] = []
      for (let from = 0; from < latest.length; from += PRICES_MAX)
        parts.push(latest.slice(from, from + PRICES_MAX))
      // All leave in one round trip, and run in this order.
      await connection.run('write last prices', (redis) =>
        Promise.all(parts.map((part) => runScript(redis, PUT_PRICES, key, part.flatMap(fieldsOf)))),
      )
    },
    async lastPrices(instrumentIds) {
      if (instrumentIds.length === 0) return []
      const texts = await connection.run('read last prices', (redis) => redis.hmget(key, ...instrumentIds))
      return instrumentIds.map((id, index) => lastPriceFrom(id, texts[index] ?? ''))
    },
  }
}

function assertPositive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} must be above zero: ${value}`)
}

const fieldsOf = ({ instrumentId, eventTime, price: last }: LastPrice): (string | number)[] => [
  instrumentId,
  eventTime,
  formatPrice(last),
]

/** Undefined for a text that another release may have left. */
function lastPriceFrom(instrumentId: InstrumentId, text: string): LastPrice | undefined {
  const match = /^(\d{1,15}) (\d{1,15}(?:\.\d{1,4})?)$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { instrumentId, price: price(match[2]), eventTime: instant(Number(match[1])) }
}
