// For main.ts: hot state in Redis as the settings name it.
import { type RedisSettings, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { type RedisHotState, redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Log } from '#shared/runtime/log.ts'

/** Comes back at once: without Redis a process lives, and says that it is not ready. */
export const connectHotState = (
  settings: RedisSettings,
  { name, log }: { readonly name: string; readonly log: Log },
): RedisHotState => redisHotState(redisOptionsFrom(settings, { name, stopwatch: systemStopwatch, log }))
