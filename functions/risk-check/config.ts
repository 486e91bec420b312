// Settings of risk-check. What guards money has no default: choose it.
import * as z from 'zod'
import type { RiskLimits } from '#shared/domain/risk.ts'
import { type Ratio, money, quantity, ratio } from '#shared/domain/values.ts'

const Amount = z.string().regex(/^\d+(\.\d{1,4})?$/, 'must be a decimal amount in account currency')
const Share = z.string().regex(/^(0(\.\d{1,8})?|1(\.0{1,8})?)$/, 'must be a ratio from 0 to 1')
const WholeNumber = z.string().regex(/^[1-9]\d{0,17}$/, 'must be a whole number above zero')
const Milliseconds = z.coerce.number().int().min(1).max(86_400_000)

export const RiskCheckConfig = z.object({
  JTS_ORDER_QUANTITY_MAX: WholeNumber.describe('Most units in one order.'),
  JTS_ORDER_NOTIONAL_MAX: Amount.describe('Largest notional of one order, account currency.'),
  MAX_POSITION_SIZE: Amount.describe(
    'Largest notional of one instrument with its working orders, account currency.',
  ),
  MAX_POSITION_CONCENTRATION: Share.describe(
    'Largest part of equity in one instrument, a ratio: 0.1 is a tenth.',
  ),
  MAX_PORTFOLIO_VALUE: Amount.describe(
    'Largest notional of all positions and working orders, account currency.',
  ),
  MAX_DAILY_LOSS: Amount.describe('Largest decline of equity since the session opened, account currency.'),
  JTS_ORDERS_PER_SECOND_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('Most order requests a second, whole account.'),
  JTS_DUPLICATE_WINDOW_MS: Milliseconds.default(3_000).describe(
    'An equal order within this time is a duplicate, milliseconds.',
  ),
  JTS_FACTS_AGE_MS_MAX: Milliseconds.default(60_000).describe('Oldest usable last price, milliseconds.'),
  JTS_REQUEST_AGE_MS_MAX: Milliseconds.default(10_000).describe(
    'Oldest request that is still decided, milliseconds.',
  ),
  JTS_FEE_RATIO: Share.default('0.00015').describe(
    'Brokerage fee as a ratio of notional; it differs by customer.',
  ),
})
export type RiskCheckSettings = z.output<typeof RiskCheckConfig>

/** The version is the limits themselves, so that an approval names exactly what it was held against. */
export function riskLimitsFrom(settings: RiskCheckSettings): RiskLimits {
  return {
    version: [
      settings.JTS_ORDER_QUANTITY_MAX,
      settings.JTS_ORDER_NOTIONAL_MAX,
      settings.MAX_POSITION_SIZE,
      settings.MAX_POSITION_CONCENTRATION,
      settings.MAX_PORTFOLIO_VALUE,
      settings.MAX_DAILY_LOSS,
      settings.JTS_ORDERS_PER_SECOND_MAX,
      settings.JTS_DUPLICATE_WINDOW_MS,
      settings.JTS_FACTS_AGE_MS_MAX,
      settings.JTS_REQUEST_AGE_MS_MAX,
    ].join('/'),
    orderQuantityMax: quantity(settings.JTS_ORDER_QUANTITY_MAX),
    orderNotionalMax: money(settings.JTS_ORDER_NOTIONAL_MAX),
    positionNotionalMax: money(settings.MAX_POSITION_SIZE),
    positionConcentrationMax: ratio(settings.MAX_POSITION_CONCENTRATION),
    portfolioNotionalMax: money(settings.MAX_PORTFOLIO_VALUE),
    dailyLossMax: money(settings.MAX_DAILY_LOSS),
    ordersPerSecondMax: settings.JTS_ORDERS_PER_SECOND_MAX,
    duplicateWindowMs: settings.JTS_DUPLICATE_WINDOW_MS,
    factsAgeMsMax: settings.JTS_FACTS_AGE_MS_MAX,
    requestAgeMsMax: settings.JTS_REQUEST_AGE_MS_MAX,
  }
}

export const feeRatioFrom = (settings: RiskCheckSettings): Ratio => ratio(settings.JTS_FEE_RATIO)
