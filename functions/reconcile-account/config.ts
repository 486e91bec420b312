// Settings of reconcile-account.
import * as z from 'zod'
import { money } from '#shared/domain/values.ts'
import type { ReconcileDeps } from './handler.ts'

const Milliseconds = z.coerce.number().int().min(1).max(86_400_000)

/** A send may be under way until the deadline of place-order (15 s); below that it could be called absent and sent again. */
const SETTLE_WAIT_MS_MIN = 20_000

export const ReconcileAccountConfig = z.object({
  JTS_SETTLE_WAIT_MS: z.coerce
    .number()
    .int()
    .min(SETTLE_WAIT_MS_MIN)
    .max(86_400_000)
    .default(30_000)
    .describe(
      "Time after a send when the broker's order list is complete for it, milliseconds. The one assumption about the broker that placing exactly once rests on; longer than the deadline of place-order.",
    ),
  JTS_EVIDENCE_DEADLINE_MS: Milliseconds.default(600_000).describe(
    'Time after which an order whose outcome is still unknown is parked and a person is called, milliseconds.',
  ),
  JTS_BROKER_CLOCK_SKEW_MS: Milliseconds.default(5_000).describe(
    "How far the broker's clock may run behind ours, milliseconds.",
  ),
  JTS_CASH_TOLERANCE: z
    .string()
    .regex(/^\d+(\.\d{1,4})?$/, 'must be a decimal amount')
    .default('0')
    .describe("Difference between our cash and the broker's that is not reported, account currency."),
  JTS_TRADING_STARTS_ACTIVE: z
    .enum(['true', 'false'])
    .default('false')
    .describe(
      'Makes an account active when its first reconciliation agrees. Otherwise a person runs `jts resume`.',
    ),
})
export type ReconcileAccountSettings = z.output<typeof ReconcileAccountConfig>

export const reconcileRulesFrom = (
  settings: ReconcileAccountSettings,
): Pick<ReconcileDeps, 'rules' | 'cashTolerance' | 'startsActive'> => ({
  rules: {
    settleMs: settings.JTS_SETTLE_WAIT_MS,
    deadlineMs: settings.JTS_EVIDENCE_DEADLINE_MS,
    clockSkewMs: settings.JTS_BROKER_CLOCK_SKEW_MS,
  },
  cashTolerance: money(settings.JTS_CASH_TOLERANCE),
  startsActive: settings.JTS_TRADING_STARTS_ACTIVE === 'true',
})
