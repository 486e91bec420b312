import type { Event } from '#shared/events/contract.ts'
import type { Outbox } from '#shared/ports/outbox.ts'
import type { PostgresDatabase } from './database.ts'

const READ_UNSETTLED = {
  name: 'read unsettled events',
  text: `SELECT sequence, event FROM trading.events
         WHERE settled_time IS NULL AND sequence > $2::bigint ORDER BY sequence LIMIT $1`,
}

const SETTLE = {
  name: 'settle events',
  text: `UPDATE trading.events SET settled_time = now() WHERE id = ANY ($1::text[]) AND settled_time IS NULL`,
}

/**
 * Sequences are given before a commit, so that an event may appear below one that was read already: a reader that
 * starts again from 0n finds it.
 */
export const postgresOutbox = (database: PostgresDatabase): Outbox => ({
  async unsettled(limit, afterSequence) {
    const rows = await database.run<{ sequence: string; event: Event }>(READ_UNSETTLED, [
      limit,
      afterSequence.toString(),
    ])
    return rows.map(({ sequence, event }) => ({ sequence: BigInt(sequence), event }))
  },
  async settle(eventIds) {
    if (eventIds.length > 0) await database.run(SETTLE, [eventIds])
  },
})
