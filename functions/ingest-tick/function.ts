import { BarClosed, FrameReceived, QuoteChanged, TickTraded } from '#shared/events/market.ts'
import { SessionPhaseChanged } from '#shared/events/timers.ts'
import { defineFunction } from '#shared/runtime/function.ts'

export const ingestTick = defineFunction({
  name: 'ingest-tick',
  summary: 'Decodes and checks market data frames; stores ticks and bars, keeps last prices hot, forms bars.',
  consumes: [FrameReceived, SessionPhaseChanged],
  produces: [TickTraded, QuoteChanged, BarClosed],
  /** Long enough for the grace after a session phase (JTS_PHASE_GRACE_MS, at most 30 s). */
  timeoutMs: 45_000,
  /** One: forming bars live in the process, and one core decodes far more than a venue sends. */
  scale: { min: 1, max: 1 },
})
