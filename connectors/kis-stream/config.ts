// Settings of the broker's stream.
import * as z from 'zod'
import { parseInstruments } from '#shared/domain/instrument-list.ts'

/** What is followed, by the stream and by whoever must know of it. */
export const FollowedConfig = z.object({
  JTS_INSTRUMENTS: z
    .string()
    .min(1)
    .superRefine((text, context) => {
      try {
        parseInstruments(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      }
    })
    .describe(
      'Instruments to follow, comma-separated SYMBOL.VENUE[:MARKET[:KIND[:LEVERAGE]]] (122630.KRX:KOSPI:etp:2), at most 40.',
    ),
})

export const KisStreamConfig = z.object({
  JTS_ORDER_BOOK: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Subscribes order books beside trades. KIS allows 41 registrations in all.'),
})
