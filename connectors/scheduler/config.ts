// Settings of the scheduler.
import * as z from 'zod'
import type { Timer } from './schedule.ts'

const IntervalMs = z.coerce.number().int().min(100).max(86_400_000)

export const SchedulerConfig = z.object({
  JTS_RECONCILE_INTERVAL: IntervalMs.default(5_000).describe(
    "Time between two comparisons of our record with the broker's, milliseconds.",
  ),
  RISK_CHECK_INTERVAL: IntervalMs.default(5_000).describe(
    'Time between two valuations of accounts, milliseconds.',
  ),
})
export type SchedulerSettings = z.output<typeof SchedulerConfig>

/** The names by which functions know their timers. */
export const RECONCILE_TIMER = 'reconcile'
export const RISK_TIMER = 'risk'

export const timersFrom = (settings: SchedulerSettings): readonly Timer[] => [
  { name: RECONCILE_TIMER, intervalMs: settings.JTS_RECONCILE_INTERVAL },
  { name: RISK_TIMER, intervalMs: settings.RISK_CHECK_INTERVAL },
]
