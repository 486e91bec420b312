// The intent to send, and the fence.
//
// N1. The account row is locked first, so that a fence or a halt that came before this statement is seen and one that
//     comes after it waits for the intent.
// N2. The unique index orders_unclear_shape keeps two unclear orders of one shape apart, whatever two senders saw.
// N3. The events depend on the attempt number, which is almost always known beforehand: it is guessed, checked by the
//     statement itself, and the statement is sent again with the right number if the guess was wrong.
import type { TradingState } from '#shared/domain/risk.ts'
import { formatInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { Intent, IntentResult } from '#shared/ports/order-store.ts'
import type { PostgresDatabase } from './database.ts'
import { brokeEventId, violatedUnique } from './failures.ts'
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-rows.ts'
import { eventsAfter, eventsValue } from './receipts.ts'

const TRIES_MAX = 5

const RECORD_INTENT = {
  name: 'record an intent',
  text: `
  WITH locked AS (
    SELECT account_id FROM trading.accounts
    WHERE account_id = $1 AND epoch = $3::integer AND trading_state <> 'halted'
    FOR NO KEY UPDATE
  ),
  intended AS (
    UPDATE trading.orders o
    SET status = 'submitting', attempt = o.attempt + 1, revision = o.revision + 1, submitted_time = $4::timestamptz
    FROM locked
    WHERE o.client_order_id = $2 AND o.account_id = locked.account_id
      AND o.status = ANY ($5::text[]) AND o.attempt = $6::integer - 1
    RETURNING ${ORDER_COLUMNS}
  ),
  emitted AS (${eventsAfter('intended', 7)})
  SELECT * FROM intended`,
}

const READ_STANDING = {
  name: 'read where an intent stands',
  text: `
  SELECT a.epoch AS account_epoch, a.trading_state, ${ORDER_COLUMNS}
  FROM trading.orders o JOIN trading.accounts a USING (account_id)
  WHERE o.client_order_id = $1 AND o.account_id = $2`,
}

const FIND_SHAPE = {
  name: 'find an unclear order of the same shape',
  text: `
  SELECT other.client_order_id
  FROM trading.orders o JOIN trading.orders other
    ON other.account_id = o.account_id AND other.instrument_id = o.instrument_id AND other.side = o.side
    AND other.order_type = o.order_type AND other.quantity = o.quantity
    AND other.limit_price IS NOT DISTINCT FROM o.limit_price AND other.client_order_id <> o.client_order_id
    AND other.status IN ('submitting', 'outcomeUnknown')
  WHERE o.client_order_id = $1`,
}

const FENCE = {
  name: 'take a fence',
  text: `UPDATE trading.accounts SET epoch = epoch + 1 WHERE account_id = $1 RETURNING epoch`,
}

export async function fence(database: PostgresDatabase, accountId: string): Promise<number> {
  const [taken] = await database.run<{ epoch: number }>(FENCE, [accountId])
  if (taken === undefined) throw new PoisonError(`no account ${accountId} to take the fence of`)
  return taken.epoch
}

export async function recordIntent(
  database: PostgresDatabase,
  intent: Intent,
  outputsOf: (attempt: number) => readonly Event[],
  resend: boolean,
): Promise<IntentResult> {
  const from = resend ? ['approved', 'outcomeUnknown'] : ['approved']
  const { afterAttempt } = intent
  let attempt = afterAttempt !== undefined ? afterAttempt + 1 : resend ? 2 : 1
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const written = await write(database, intent, from, attempt, outputsOf(attempt))
    if (written !== undefined) return written

    const standing = await stand(database, intent)
    if ('outcome' in standing) return standing
    const order = orderOf(standing)
    const isOtherAttempt = afterAttempt !== undefined && order.attempt !== afterAttempt
    if (!from.includes(order.status) || isOtherAttempt) return { outcome: 'notWaiting', order }
    if (standing.trading_state === 'halted') return { outcome: 'halted', order }
    attempt = standing.attempt + 1
  }
  throw new RetryableError(`${intent.clientOrderId} changed ${TRIES_MAX} times while its intent was recorded`)
}

async function write(
  database: PostgresDatabase,
  { accountId, clientOrderId, epoch, submittedTime }: Intent,
  from: readonly string[],
  attempt: number,
  outputs: readonly Event[],
): Promise<IntentResult | undefined> {
  try {
    const values = [accountId, clientOrderId, epoch, formatInstant(submittedTime), from, attempt]
    const [row] = await database.run<OrderRow>(RECORD_INTENT, [...values, eventsValue(outputs)])
    return row === undefined ? undefined : { outcome: 'recorded', order: orderOf(row) }
  } catch (error) {
    if (brokeEventId(error)) {
      throw new Error(`an output of the intent for ${clientOrderId} reuses the id of another event`, {
        cause: error,
      })
    }
    if (violatedUnique(error) !== 'orders_unclear_shape') throw error
    const [other] = await database.run<{ client_order_id: string }>(FIND_SHAPE, [clientOrderId])
    // It was there a moment ago. When it has become clear since, the next try goes through.
    return other === undefined ? undefined : { outcome: 'shapeTaken', by: other.client_order_id }
  }
}

interface StandingRow extends OrderRow {
  readonly account_epoch: number
  readonly trading_state: TradingState
}

/** Why nothing was written: the fence, no approval, or the order as it stands. */
async function stand(
  database: PostgresDatabase,
  { accountId, clientOrderId, epoch }: Intent,
): Promise<StandingRow | Exclude<IntentResult, { outcome: 'recorded' }>> {
  const [row] = await database.run<StandingRow>(READ_STANDING, [clientOrderId, accountId])
  if (row === undefined) return { outcome: 'notApproved' }
  if (row.account_epoch !== epoch) return { outcome: 'fenced', epoch: row.account_epoch }
  return row
}
