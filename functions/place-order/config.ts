// Settings of place-order.
import * as z from 'zod'

export const PlaceOrderConfig = z.object({
  JTS_APPROVAL_AGE_MS_MAX: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(120_000)
    .describe(
      'An approval older than this is not sent any more, milliseconds since its request was decided.',
    ),
})
