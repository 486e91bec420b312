// Approvals and denials.
//
// Both commit durably. Approving with synchronous_commit off would save the wait for the disk, and no order could leave
// without its approval (the intent commits durably, later in the same log, and needs the stored order). But it would
// not be safe: the event that was approved may be acknowledged to the bus before the approval is on disk, so that a
// crash of PostgreSQL alone would lose an approved order for good; and the account version that the lost approval made
// would be given to another one, so that a decision on the lost snapshot could pass as current.
import { formatInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Approval, Denial, FirstIntent } from '#shared/ports/order-store.ts'
import type { Receipt } from '#shared/ports/receipt.ts'
import type { PostgresDatabase, Statement } from './database.ts'
import { violatedUnique } from './failures.ts'
import { REQUEST_COLUMNS, requestValues } from './order-rows.ts'
import { eventColumns, newEventsAfter, once, receiptAfter, receiptValues, refuseHandled } from './receipts.ts'

/** Casts of $5…$15, the values of REQUEST_COLUMNS. */
const REQUEST = `$5, $6, $7, $8, $9::text, $10::text, $11::text, $12::bigint, $13::numeric, $14::timestamptz, $15`

// The account comes first and gates everything: at another version nothing is written, and no receipt either.
const APPROVE = {
  name: 'approve an order',
  text: `
  WITH bumped AS (
    UPDATE trading.accounts SET version = version + 1
    WHERE account_id = $6 AND version = $16::bigint
    RETURNING 1
  ),${receiptAfter('bumped')},
  placed AS (
    INSERT INTO trading.orders (${REQUEST_COLUMNS}, status, limits_version, reserved_price, reserved_cash)
    SELECT ${REQUEST}, 'approved', $17, $18::numeric, $19::numeric FROM receipt
  )
  SELECT 1 FROM bumped`,
}

const OUTPUTS_AT = 21

/**
 * As N1 and N2 in order-intents.ts have it: the account's row is locked before anything is written, so that a fence or a
 * halt is seen or waits, and the index orders_unclear_shape refuses a second unclear order of one shape. $1…$3 and $5…$20
 * as above, $4 is the epoch; the events begin at OUTPUTS_AT.
 */
const approveWithIntent = (events: number): Statement => ({
  name: `approve an order and record its intent: ${events} events`,
  text: `
  WITH bumped AS (
    UPDATE trading.accounts SET version = version + 1
    WHERE account_id = $6 AND version = $16::bigint AND epoch = $4::integer AND trading_state <> 'halted'
    RETURNING 1
  ),
  receipt AS (
    INSERT INTO trading.inbox (consumer, event_id, output_ids) SELECT $1, $2, $3::text[] FROM bumped
  ),
  placed AS (
    INSERT INTO trading.orders (${REQUEST_COLUMNS}, status, limits_version, reserved_price, reserved_cash,
      revision, attempt, submitted_time)
    SELECT ${REQUEST}, 'submitting', $17, $18::numeric, $19::numeric, 2, 1, $20::timestamptz FROM bumped
  ),
  emitted AS (${newEventsAfter('bumped', OUTPUTS_AT, events)})
  SELECT FROM bumped`,
})

const DENY = {
  name: 'deny an order',
  text: `
  WITH ${receiptAfter('(SELECT) AS always')},
  placed AS (
    INSERT INTO trading.orders (${REQUEST_COLUMNS}, status, denial_code, denial_detail)
    SELECT ${REQUEST}, 'denied', $16, $17 FROM receipt
  )
  SELECT 1`,
}

export async function approve(
  database: PostgresDatabase,
  approval: Approval,
  receipt: Receipt,
  intent?: FirstIntent,
): Promise<'done' | 'prepared' | 'conflict'> {
  const values = approvalValues(approval)
  if (intent !== undefined && (await isWrittenWithIntent(database, values, receipt, intent)))
    return 'prepared'
  const rows = await place(database, receipt, approval.order.clientOrderId, () =>
    database.run(APPROVE, [...receiptValues(receipt), ...values]),
  )
  if (rows.length > 0) return 'done'
  await refuseHandled(database, receipt)
  return 'conflict'
}

/** $5…$19. */
const approvalValues = ({
  order,
  reservation,
  accountVersion,
  correlationId,
}: Approval): readonly unknown[] => [
  ...requestValues(order, correlationId),
  accountVersion.toString(),
  order.limitsVersion,
  formatPrice(reservation.reservedPrice),
  formatMoney(reservation.cash),
]

/** False where anything at all stands against it, the shape or what was stored before; then nothing is written. */
async function isWrittenWithIntent(
  database: PostgresDatabase,
  values: readonly unknown[],
  { consumer, eventId, outputs }: Receipt,
  { epoch, submittedTime, outputs: intended }: FirstIntent,
): Promise<boolean> {
  const events = [...outputs, ...intended]
  const ids = outputs.map((event) => event.id)
  const all = [
    consumer,
    eventId,
    ids,
    epoch,
    ...values,
    formatInstant(submittedTime),
    ...eventColumns(events),
  ]
  try {
    return (await database.run(approveWithIntent(events.length), all)).length > 0
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error
    return false
  }
}

export async function deny(
  database: PostgresDatabase,
  { order, code, detail, correlationId }: Denial,
  receipt: Receipt,
): Promise<void> {
  const values = [...receiptValues(receipt), ...requestValues(order, correlationId), code, detail]
  await place(database, receipt, order.clientOrderId, () => database.run(DENY, values))
}

async function place<Result>(
  database: PostgresDatabase,
  receipt: Receipt,
  clientOrderId: string,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await once(database, receipt, write)
  } catch (error) {
    if (violatedUnique(error) !== 'orders_pkey') throw error
    throw new PoisonError(
      `client order id ${clientOrderId} is taken by an order of another request; ${receipt.eventId} asks for a second`,
      { cause: error },
    )
  }
}
