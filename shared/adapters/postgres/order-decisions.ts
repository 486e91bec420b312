// Approvals and denials.
//
// Both commit durably. Approving with synchronous_commit off would save the wait for the disk, and no order could leave
// without its approval (the intent commits durably, later in the same log, and needs the stored order). But it would
// not be safe: the event that was approved may be acknowledged to the bus before the approval is on disk, so that a
// crash of PostgreSQL alone would lose an approved order for good; and the account version that the lost approval made
// would be given to another one, so that a decision on the lost snapshot could pass as current.
import { formatInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Approval, Denial, FirstIntent } from '#shared/ports/order-store.ts'
import type { Receipt } from '#shared/ports/receipt.ts'
import type { PostgresDatabase, Statement } from './database.ts'
import { violatedUnique } from './failures.ts'
import { REQUEST_COLUMNS, requestValues } from './order-rows.ts'
import { once, receiptAfter, receiptValues, refuseHandled } from './receipts.ts'

/** Casts of $5…$15, the values of REQUEST_COLUMNS. */
const REQUEST = `$5, $6, $7, $8, $9, $10, $11, $12::bigint, $13::numeric, $14::timestamptz, $15`

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

// As N1 and N2 in order-intents.ts have it: the account's row is locked before anything is written, so that a fence or a
// halt is seen or waits, and the index orders_unclear_shape refuses a second unclear order of one shape.
const APPROVE_WITH_INTENT = {
  name: 'approve an order and record its intent',
  text: `
  WITH bumped AS (
    UPDATE trading.accounts SET version = version + 1
    WHERE account_id = $6 AND version = $16::bigint AND epoch = $20::integer AND trading_state <> 'halted'
    RETURNING 1
  ),${receiptAfter('bumped')},
  placed AS (
    INSERT INTO trading.orders (${REQUEST_COLUMNS}, status, limits_version, reserved_price, reserved_cash,
      revision, attempt, submitted_time)
    SELECT ${REQUEST}, 'submitting', $17, $18::numeric, $19::numeric, 2, 1, $21::timestamptz FROM receipt
  )
  SELECT 1 FROM bumped`,
}

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
  const { order } = approval
  const values = (events: readonly Event[]) => [
    ...receiptValues(receipt, events),
    ...requestValues(order, approval.correlationId),
    approval.accountVersion.toString(),
    order.limitsVersion,
    formatPrice(approval.reservation.reservedPrice),
    formatMoney(approval.reservation.cash),
  ]
  const write = async (): Promise<'done' | 'prepared' | undefined> => {
    if (intent !== undefined) {
      const all = values([...receipt.outputs, ...intent.outputs])
      const prepared = [...all, intent.epoch, formatInstant(intent.submittedTime)]
      if (await isWritten(database, APPROVE_WITH_INTENT, prepared)) return 'prepared'
    }
    return (await isWritten(database, APPROVE, values(receipt.outputs))) ? 'done' : undefined
  }
  const written = await place(database, receipt, order.clientOrderId, write)
  if (written !== undefined) return written
  await refuseHandled(database, receipt)
  return 'conflict'
}

/** False where the account stands in the way, or an unclear order of the same shape; then nothing was written. */
async function isWritten(
  database: PostgresDatabase,
  statement: Statement,
  values: readonly unknown[],
): Promise<boolean> {
  try {
    return (await database.run(statement, values)).length > 0
  } catch (error) {
    if (violatedUnique(error) === 'orders_unclear_shape') return false
    throw error
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
