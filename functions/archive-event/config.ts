// Settings of archive-event.
import * as z from 'zod'

export const ArchiveEventConfig = z.object({
  JTS_ARCHIVE_BATCH_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(2_000)
    .describe('Events that one write to the archive holds at most.'),
  JTS_ARCHIVE_BUFFER_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe(
      'Events that wait for the archive at most. When it is full the topics wait; nothing is dropped.',
    ),
  JTS_ARCHIVE_FLUSH_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(1_000)
    .describe(
      'Longest time that an event waits for company, milliseconds; the deployed function does not wait.',
    ),
})
export type ArchiveEventSettings = z.output<typeof ArchiveEventConfig>

export const bufferOptionsFrom = (settings: ArchiveEventSettings) => ({
  batchSize: settings.JTS_ARCHIVE_BATCH_SIZE,
  bufferSize: settings.JTS_ARCHIVE_BUFFER_SIZE,
  flushIntervalMs: settings.JTS_ARCHIVE_FLUSH_INTERVAL_MS,
})
