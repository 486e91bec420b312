// Settings of evaluate-strategy.
import * as z from 'zod'
import type { EvaluateSettings } from './world.ts'

const Milliseconds = z.coerce.number().int().min(0).max(86_400_000)

export const EvaluateStrategyConfig = z
  .object({
    STRATEGY_EXECUTION_INTERVAL: Milliseconds.default(1_000).describe(
      'Least time between two evaluations of one strategy and instrument on ticks, milliseconds.',
    ),
    ENABLE_PAPER_TRADING: z
      .enum(['true', 'false'])
      .default('true')
      .transform((text) => text === 'true')
      .describe(
        'With `true` every strategy trades JTS_PAPER_ACCOUNT_ID, whatever account its document names.',
      ),
    JTS_PAPER_ACCOUNT_ID: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('The account of paper trading. Needed unless ENABLE_PAPER_TRADING is `false`.'),
    JTS_STRATEGY_REFRESH_MS: Milliseconds.min(100)
      .default(2_000)
      .describe('Time between two readings of the strategy documents, milliseconds.'),
    JTS_WARM_UP_WAIT_MS: Milliseconds.max(9_000)
      .default(500)
      .describe(
        "Longest time that a bar, or an instrument's first tick, waits for the history of a cold strategy, milliseconds.",
      ),
    JTS_ORDER_IN_FLIGHT_MS: Milliseconds.min(1_000)
      .default(60_000)
      .describe('Time after which an order request without any answer counts as lost, milliseconds.'),
    JTS_MARKET_EVENT_AGE_MS_MAX: Milliseconds.min(100)
      .default(10_000)
      .describe('Oldest market event that still makes an order, milliseconds since it was emitted.'),
  })
  .refine((it) => !it.ENABLE_PAPER_TRADING || it.JTS_PAPER_ACCOUNT_ID !== undefined, {
    error:
      'is needed for paper trading; set ENABLE_PAPER_TRADING=false to trade the accounts of the documents',
    path: ['JTS_PAPER_ACCOUNT_ID'],
  })
/** Well below JTS_ORDER_IN_FLIGHT_MS: an order that counts as lost has been looked for in the ledger since. */
const ACCOUNT_AGE_MS_MAX = 15_000
export type EvaluateStrategySettings = z.output<typeof EvaluateStrategyConfig>

/** @throws Error for paper trading without a paper account: never a real one in its place. */
export function evaluateSettingsFrom(settings: EvaluateStrategySettings): EvaluateSettings {
  const paperAccountId = settings.ENABLE_PAPER_TRADING ? settings.JTS_PAPER_ACCOUNT_ID : undefined
  if (settings.ENABLE_PAPER_TRADING && paperAccountId === undefined) {
    throw new Error('ENABLE_PAPER_TRADING needs JTS_PAPER_ACCOUNT_ID')
  }
  return {
    executionIntervalMs: settings.STRATEGY_EXECUTION_INTERVAL,
    ...(paperAccountId === undefined ? {} : { paperAccountId }),
    refreshMs: settings.JTS_STRATEGY_REFRESH_MS,
    warmUpWaitMs: settings.JTS_WARM_UP_WAIT_MS,
    orderInFlightMs: settings.JTS_ORDER_IN_FLIGHT_MS,
    marketEventAgeMsMax: settings.JTS_MARKET_EVENT_AGE_MS_MAX,
    accountAgeMsMax: ACCOUNT_AGE_MS_MAX,
  }
}
