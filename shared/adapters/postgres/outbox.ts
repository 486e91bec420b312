import { formatInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Outbox } from '#shared/ports/outbox.ts'
import type { Execute, PostgresDatabase } from './database.ts'
import { IS_OPEN } from './order-rows.ts'

const READ_UNSETTLED = {
  name: 'read unsettled events',
  text: `SELECT sequence, event FROM trading.events
         WHERE settled_time IS NULL AND sequence > $2::bigint ORDER BY sequence LIMIT $1`,
}

const SETTLE = {
  name: 'settle events',
  text: `UPDATE trading.events SET settled_time = now() WHERE id = ANY ($1::text[]) AND settled_time IS NULL`,
}

/** Rows of one statement: what it locks and writes stays small beside the order path. */
const PRUNE_STEP = 5_000

/** In the order of storing, from the oldest to the first that is too new: the newer rows are not looked at. */
const PRUNE_EVENTS = `
  WITH gone AS (
    DELETE FROM trading.events WHERE sequence IN (
      SELECT e.sequence FROM trading.events e
      WHERE e.settled_time < $1::timestamptz
        AND e.sequence < coalesce(
          (SELECT min(sequence) FROM trading.events WHERE recorded_time >= $1::timestamptz), 9223372036854775807)
        AND NOT EXISTS (
          SELECT 1 FROM trading.orders o
          WHERE e.topic = 'orders' AND o.client_order_id = e.subject AND ${IS_OPEN})
      ORDER BY e.sequence LIMIT ${PRUNE_STEP})
    RETURNING 1)
  SELECT count(*)::integer AS count FROM gone`

/**
 * After the events: a receipt whose event is still stored must stay, for that event may be published again. One that
 * outlives some of its outputs is harmless: they were settled, so that nobody needs to hear of them once more.
 */
const PRUNE_RECEIPTS = `
  WITH gone AS (
    DELETE FROM trading.inbox WHERE ctid = ANY (ARRAY(
      SELECT i.ctid FROM trading.inbox i
      WHERE i.recorded_time < $1::timestamptz
        AND NOT EXISTS (SELECT 1 FROM trading.events e WHERE e.id = i.event_id)
        AND NOT EXISTS (SELECT 1 FROM trading.events e WHERE e.id = ANY (i.output_ids))
      LIMIT ${PRUNE_STEP}))
    RETURNING 1)
  SELECT count(*)::integer AS count FROM gone`

async function pruneAll(execute: Execute, statement: string, before: string): Promise<number> {
  for (let total = 0; ;) {
    const [step] = await execute<{ count: number }>(statement, [before])
    const count = step?.count ?? 0
    total += count
    if (count < PRUNE_STEP) return total
  }
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
  prune: (before) =>
    // A session: looking through a large inbox may take longer than a statement of the order path may.
    database.session(async (execute) => {
      const events = await pruneAll(execute, PRUNE_EVENTS, formatInstant(before))
      const receipts = await pruneAll(execute, PRUNE_RECEIPTS, formatInstant(before))
      return { events, receipts }
    }),
})
