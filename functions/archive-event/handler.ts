// Every event into the archive, in the order of its partition.
//
// V1. An event is acknowledged only after it is stored. Either the handler waits for that itself, or whoever feeds it
//     waits once for a whole batch before resolving it.
// V2. When the archive is slow or away, `append` waits and the partition stands still: nothing is skipped.
// V3. An event that comes again changes nothing: the archive knows its id.
import { contractOf } from '#shared/events/catalogue.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { EventArchive } from '#shared/ports/event-archive.ts'
import type { Handler } from '#shared/runtime/function.ts'
import type { archiveEvent } from './function.ts'

export interface ArchiveEventDeps {
  readonly archive: Pick<EventArchive, 'append' | 'flush'>
  /**
   * `event`: the answer to one event means that it is stored. `batch`: the consumer flushes the archive before it
   * resolves a batch (`beforeResolve`), which is many times faster.
   */
  readonly storedBefore: 'event' | 'batch'
}

export const archiveEventHandler =
  ({ archive, storedBefore }: ArchiveEventDeps): Handler<typeof archiveEvent> =>
  async (event, { signal }) => {
    const contract = contractOf(event.type)
    if (contract === undefined) throw new PoisonError(`no contract has the type ${event.type}`)
    await archive.append([{ topic: contract.topic, event }])
    if (storedBefore === 'event') await archive.flush()
    // Stored or not: after the deadline the answer was no, and the event comes again (V3).
    signal.throwIfAborted()
    return []
  }
