// What Redis does in one step. Only commands that every managed Redis allows in a script.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { isReply } from './failures.ts'

export interface Script {
  readonly text: string
  /** By which the server knows it once it has run there. */
  readonly digest: string
}

const script = (text: string): Script => ({
  text,
  digest: createHash('sha1').update(text).digest('hex'),
})

/** Runs a script on one key. A server that has forgotten it, or never knew it, is given the text: nothing has run then. */
export async function runScript(
  client: Redis,
  { text, digest }: Script,
  key: string,
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(digest, 1, key, ...values)
  } catch (error) {
    if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.eval(text, 1, key, ...values)
  }
}

/** ARGV: value, time to live in ms. 1 when the key still held the value. */
export const EXTEND = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/** ARGV: value. 1 when the key still held it. */
export const RELEASE = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

/**
 * A sliding window: a list of when each one was counted, oldest first, in microseconds of the server's clock, so that the
 * clocks of clients do not matter. ARGV: limit, window in µs, time to live of the list in ms.
 * Answers 0 when one more was counted, else the microseconds until one would be.
 * A server clock that was set back (a failover can do that) makes what was counted later look as if it was counted now:
 * at worst one window is waited, and no window holds more than the limit.
 */
export const TAKE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
if tonumber(redis.call('LINDEX', KEYS[1], -1) or 0) > now then
  local counted = redis.call('LRANGE', KEYS[1], 0, -1)
  redis.call('DEL', KEYS[1])
  for _, at in ipairs(counted) do
    redis.call('RPUSH', KEYS[1], string.format('%.0f', math.min(tonumber(at), now)))
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= now - window do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local blocking = redis.call('LINDEX', KEYS[1], '-' .. ARGV[1])
if blocking then return math.max(1, math.ceil(tonumber(blocking) + window - now)) end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0`)

/** Instruments that one call of PUT_PRICES takes: Lua can hand on some 8,000 values at once. */
export const PRICES_MAX = 1_000

/**
 * A hash: instrument → "<event time in ms> <price>". ARGV: instrument, event time, price, and so on. The newest by event
 * time stands, of equals the later in the list.
 */
export const PUT_PRICES = script(`
local ids, seen = {}, {}
for i = 1, #ARGV, 3 do
  if not seen[ARGV[i]] then
    seen[ARGV[i]] = true
    ids[#ids + 1] = ARGV[i]
  end
end
local newest = {}
for i, text in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  if text then newest[ids[i]] = tonumber(string.match(text, '^%d+')) end
end
local changed = {}
for i = 1, #ARGV, 3 do
  local id, at = ARGV[i], tonumber(ARGV[i + 1])
  if not newest[id] or newest[id] <= at then
    newest[id] = at
    changed[#changed + 1] = id
    changed[#changed + 1] = ARGV[i + 1] .. ' ' .. ARGV[i + 2]
  end
end
if #changed > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
return #changed / 2`)
