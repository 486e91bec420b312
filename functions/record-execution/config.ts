// What the deployed function needs beside what every function does.
import * as z from 'zod'
import { type Ratio, ratio } from '#shared/domain/values.ts'

export const RecordExecutionConnections = z.object({
  JTS_POSTGRES_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .meta({ secret: true })
    .describe('PostgreSQL, postgres://user:password@host:port/database.'),
  /** Money: it has no default here, and must be what risk-check reserves by. */
  JTS_FEE_RATIO: z
    .string()
    .regex(/^(0(\.\d{1,8})?|1(\.0{1,8})?)$/, 'must be a ratio from 0 to 1')
    .describe('Brokerage fee as a ratio of notional, as for risk-check.'),
})

export const feeRatioFrom = (settings: z.output<typeof RecordExecutionConnections>): Ratio =>
  ratio(settings.JTS_FEE_RATIO)
