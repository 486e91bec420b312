import { CONTRACTS } from '#shared/events/catalogue.ts'
import { defineFunction } from '#shared/runtime/function.ts'

/**
 * Exactly one instance. A chain is one topic and one partition key, so all of it comes from one partition, whose events
 * are delivered one after another; with one instance their links are also written by one writer, in that order. A second
 * instance could be handed a partition while the first still holds rows of it that are not written.
 */
export const archiveEvent = defineFunction({
  name: 'archive-event',
  summary: 'Appends every event of every topic to the audit log.',
  consumes: CONTRACTS,
  produces: [],
  timeoutMs: 30_000,
  scale: { min: 1, max: 1 },
})
