// For main.ts: the clock that the settings ask for.
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { type BusinessTime, type BusinessTimeSettings, businessTime } from '#shared/runtime/business-time.ts'
import { orExit } from '#shared/runtime/config.ts'

/** @param paperTrading of the broker that the process talks to, where it talks to one. */
export const businessClock = (settings: BusinessTimeSettings, paperTrading?: boolean): BusinessTime =>
  orExit(() => businessTime(settings, { system: systemClock, events: eventClock }, paperTrading))
