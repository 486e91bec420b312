// Settings of ingest-tick.
import * as z from 'zod'

export const IngestTickConfig = z.object({
  BATCH_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('Rows that one write of ticks or bars holds at most.'),
  BUFFER_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .describe(
      'Rows that wait for the tick store at most. When it is full the feed waits; nothing is dropped.',
    ),
  JTS_TICK_FLUSH_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(1_000)
    .describe('Longest time that a row waits to be written, milliseconds.'),
  JTS_FORMING_COPY_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(1_000)
    .describe('Least time between two hot copies of the bars of one instrument, milliseconds.'),
  JTS_PHASE_GRACE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(30_000)
    .default(5_000)
    .describe(
      'Time after a session phase began before its bars close, for prints on their way, milliseconds.',
    ),
})
export type IngestTickSettings = z.output<typeof IngestTickConfig>
