// Settings of the embedded suite itself. What its functions and connectors need is in their own schemas.
import * as z from 'zod'
import { LOG_LEVELS } from '#shared/runtime/log.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'

export const EmbeddedConfig = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('What kind of run this is.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least important log line that is written.'),
  JTS_DATA_DIRECTORY: z.string().min(1).default('.jts').describe('Where databases, logs and state are kept.'),
  JTS_DISK_MIB_MIN: z.coerce
    .number()
    .min(0)
    .default(64)
    .describe(
      'Room on the disk of the data directory, in MiB, below which JTS ends in good order; 0 never ends it.',
    ),
  JTS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3_000)
    .describe('Port of the operator interface on loopback; 0 picks a free one.'),
  JTS_SIMULATOR_SEED: z.coerce
    .number()
    .int()
    .min(0)
    .default(20260105)
    .describe('Seed of the simulated market.'),
  JTS_SIMULATOR_SPEED: z.coerce
    .number()
    .positive()
    .max(100_000)
    .default(60)
    .describe('Simulated market time per real time.'),
  JTS_INSTRUMENTS: z
    .string()
    .default('')
    .superRefine((text, context) => {
      try {
        parseInstruments(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      }
    })
    .describe(
      'Instruments to follow, comma-separated SYMBOL.VENUE[:MARKET[:KIND[:LEVERAGE]]] (122630.KRX:KOSPI:etp:2), at most 40. Empty follows all that the simulator trades; with a broker it must be set.',
    ),
  JTS_ORDER_BOOK: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Subscribes order books beside trades. KIS allows 41 registrations in all.'),
})
export type EmbeddedSettings = z.output<typeof EmbeddedConfig>

/**
 * What a simulated market uses when nobody has said otherwise: small limits for an account of 100 million won of play
 * money. Never used with a broker.
 */
export const SIMULATED_DEFAULTS: Readonly<Record<string, string>> = {
  JTS_ORDER_QUANTITY_MAX: '10000',
  JTS_ORDER_NOTIONAL_MAX: '5000000',
  MAX_POSITION_SIZE: '6000000',
  MAX_POSITION_CONCENTRATION: '0.1',
  MAX_PORTFOLIO_VALUE: '80000000',
  MAX_DAILY_LOSS: '3000000',
  JTS_TRADING_STARTS_ACTIVE: 'true',
  ENABLE_PAPER_TRADING: 'false', // the documents name the play account
  JTS_RECONCILE_INTERVAL: '60000', // market time, which runs faster
  RISK_CHECK_INTERVAL: '60000',
}
