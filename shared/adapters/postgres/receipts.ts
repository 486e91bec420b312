// Inbox and outbox: written by the statement that changes the state, so that neither can be without the other.
//
// In every statement that takes a receipt, $1 to $4 are the receipt.
import { contractOf } from '#shared/events/catalogue.ts'
import type { Event } from '#shared/events/contract.ts'
import { AlreadyHandledError, type Receipt } from '#shared/ports/receipt.ts'
import type { PostgresConnection } from './database.ts'
import { brokeEventId, violatedUnique } from './failures.ts'

/** Common table expressions that write the receipt $1…$4 once `gate` (a FROM item) has a row. Names it `receipt`. */
export const receiptAfter = (gate: string): string => `
  receipt AS (
    INSERT INTO trading.inbox (consumer, event_id, output_ids)
    SELECT $1, $2, $3::text[] FROM ${gate}
    RETURNING 1
  ),
  emitted AS (${eventsAfter('receipt', 4)})`

/**
 * An INSERT of the events in the JSON parameter `$number` once `gate` has a row. An id that is stored already is the
 * same event written by an earlier step of the same handler; of another type it is a defect, and nulling the event
 * fails the whole statement.
 */
export const eventsAfter = (gate: string, number: number): string => `
    INSERT INTO trading.events (id, topic, type, subject, event)
    SELECT item->'event'->>'id', item->>'topic', item->'event'->>'type', item->'event'->>'subject', item->'event'
    FROM ${gate}, jsonb_array_elements($${number}::jsonb) WITH ORDINALITY AS output (item, position)
    ORDER BY position
    ON CONFLICT (id) DO UPDATE SET event = NULL WHERE trading.events.type <> EXCLUDED.type`

/**
 * An INSERT of `count` events, none of which is stored yet, once `gate` has a row. Their columns are the parameters from
 * `$first` on (`eventColumns`): for PostgreSQL that is a quarter of the work of taking them out of JSON.
 */
export function newEventsAfter(gate: string, first: number, count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const at = first + index * EVENT_COLUMNS
    return `($${at}::text, $${at + 1}::text, $${at + 2}::text, $${at + 3}::text, $${at + 4}::jsonb)`
  })
  return `
    INSERT INTO trading.events (id, topic, type, subject, event)
    SELECT output.* FROM ${gate}, (VALUES ${rows.join(', ')}) AS output`
}

const EVENT_COLUMNS = 5

/** The parameters that `newEventsAfter` reads. */
export const eventColumns = (events: readonly Event[]): readonly unknown[] =>
  events.flatMap((event) => [event.id, topicOf(event), event.type, event.subject, JSON.stringify(event)])

function topicOf(event: Event): string {
  const contract = contractOf(event.type)
  if (contract === undefined) throw new Error(`no contract has the type ${event.type}`)
  return contract.topic
}

/** The parameter that `eventsAfter` reads. */
export const eventsValue = (events: readonly Event[]): string =>
  JSON.stringify(events.map((event) => ({ topic: topicOf(event), event })))

/** $1…$4. */
export const receiptValues = ({ consumer, eventId, outputs }: Receipt): readonly unknown[] => [
  consumer,
  eventId,
  outputs.map((event) => event.id),
  eventsValue(outputs),
]

const FIND_RECEIPT = {
  name: 'find a receipt',
  text: `
    SELECT coalesce(jsonb_agg(e.event ORDER BY output.position) FILTER (WHERE e.id IS NOT NULL), '[]') AS outputs
    FROM trading.inbox i
    LEFT JOIN unnest(i.output_ids) WITH ORDINALITY AS output (id, position) ON true
    LEFT JOIN trading.events e ON e.id = output.id
    WHERE i.consumer = $1 AND i.event_id = $2
    GROUP BY i.consumer, i.event_id`,
}

/** @throws AlreadyHandledError when the event of this receipt was handled before. */
export async function refuseHandled(
  connection: PostgresConnection,
  receipt: Pick<Receipt, 'consumer' | 'eventId'>,
): Promise<void> {
  const [found] = await connection.run<{ outputs: readonly Event[] }>(FIND_RECEIPT, [
    receipt.consumer,
    receipt.eventId,
  ])
  if (found !== undefined) throw new AlreadyHandledError(receipt.consumer, receipt.eventId, found.outputs)
}

/**
 * Runs a write that carries a receipt. A write that ran into any unique constraint may have done so because it was
 * done before, so the inbox is asked first.
 */
export async function once<Result>(
  connection: PostgresConnection,
  receipt: Receipt,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (violatedUnique(error) !== undefined) await refuseHandled(connection, receipt)
    if (brokeEventId(error)) {
      const ids = receipt.outputs.map((event) => event.id).join(', ')
      throw new Error(`one of these ids was given to an event of another type before: ${ids}`, {
        cause: error,
      })
    }
    throw error
  }
}
