// Which clock a deployed process shows as business time. See docs/decisions/0009-business-time-from-events.md.
import * as z from 'zod'
import { type Instant, TimeError, parseInstant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { ConfigError } from './config.ts'
import type { FunctionHost } from './host.ts'

export const BusinessTimeConfig = z.object({
  JTS_BUSINESS_TIME: z
    .enum(['system', 'events'])
    .default('system')
    .describe(
      'What time it is for decisions. `events`: the time of the newest event handled, for replays; refused with NODE_ENV=production and with KIS_PAPER_TRADING=false.',
    ),
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('What kind of run this is.'),
})
export type BusinessTimeSettings = z.output<typeof BusinessTimeConfig>

/** A clock that is moved by events, and never goes back. */
export interface EventClock extends Clock {
  happened(at: Instant): void
}

export interface BusinessTime {
  readonly clock: Clock
  /** To be told of every event before it is handled; absent where the clock goes by itself. */
  readonly onEventTime?: (at: Instant) => void
}

/**
 * @param paperTrading of the broker that this process talks to, where it talks to one.
 * @throws ConfigError when time from events could meet real money.
 */
export function businessTime(
  settings: BusinessTimeSettings,
  clocks: { readonly system: Clock; readonly events: () => EventClock },
  paperTrading = true,
): BusinessTime {
  if (settings.JTS_BUSINESS_TIME === 'system') return { clock: clocks.system }
  const real = [
    ...(settings.NODE_ENV === 'production' ? ['NODE_ENV=production'] : []),
    ...(paperTrading ? [] : ['KIS_PAPER_TRADING=false']),
  ]
  if (real.length > 0) {
    throw new ConfigError(
      real.map((setting) => `JTS_BUSINESS_TIME: is events, which is for replays, and ${setting} is not one`),
    )
  }
  const clock = clocks.events()
  return { clock, onEventTime: (at) => clock.happened(at) }
}

/** For a process that makes the events which others take their time from. @throws ConfigError unless it is `system`. */
export function assertSystemTime(settings: BusinessTimeSettings): void {
  if (settings.JTS_BUSINESS_TIME === 'system') return
  throw new ConfigError([
    'JTS_BUSINESS_TIME: must be system here: the time of events begins with this process',
  ])
}

/** The host, with every event's time told first. Without a time, which no host takes, or in a leap second nothing moves. */
export function hostOnEventTime(host: FunctionHost, onEventTime: (at: Instant) => void): FunctionHost {
  const tell = ({ time }: { readonly time?: string | undefined }): void => {
    try {
      if (time !== undefined) onEventTime(parseInstant(time))
    } catch (error) {
      if (!(error instanceof TimeError)) throw error
    }
  }
  return {
    ...host,
    start(event, done, signal) {
      tell(event)
      host.start(event, done, signal)
    },
    handle(event, signal) {
      tell(event)
      return host.handle(event, signal)
    },
  }
}
