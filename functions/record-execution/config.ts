// Settings of record-execution.
import * as z from 'zod'
import { type Ratio, ratio } from '#shared/domain/values.ts'

export const RecordExecutionConfig = z.object({
  /** Money: it has no default here, and must be what risk-check reserves by. */
  JTS_FEE_RATIO: z
    .string()
    .regex(/^(0(\.\d{1,8})?|1(\.0{1,8})?)$/, 'must be a ratio from 0 to 1')
    .describe('Brokerage fee as a ratio of notional, as for risk-check.'),
})

export const feeRatioFrom = (settings: z.output<typeof RecordExecutionConfig>): Ratio =>
  ratio(settings.JTS_FEE_RATIO)
