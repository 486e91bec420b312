// What a report or an answer does to an order.
//
// C1. The account row is locked before the order, here and everywhere, so that two writers never wait for each other.
// C2. A change without a fill is one statement. A fill reads the position under the account lock and books it with
//     shared/domain/position.ts in the same transaction.
// C3. The account version goes up when the account's snapshot changes: a fill, another quantity, price or reservation,
//     and whenever the order is closed (its reservation ends with it).
import type { Position } from '#shared/domain/account.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { applyFill, cashChangeOf } from '#shared/domain/position.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { ZERO_MONEY, formatMoney, formatPrice, formatQuantity, money } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Fill, OrderChange } from '#shared/ports/order-store.ts'
import type { Receipt } from '#shared/ports/receipt.ts'
import type { PostgresConnection, PostgresDatabase } from './database.ts'
import { violatedUnique } from './failures.ts'
import { FILL_COLUMNS, IS_OPEN } from './order-rows.ts'
import { once, receiptAfter, receiptValues, refuseHandled } from './receipts.ts'

/** $5…$19; nulls leave a column as it is. `$19` says that the snapshot changes even if the order stays open. */
const CHANGED = `
  locked AS (
    SELECT account_id FROM trading.accounts WHERE account_id = $5 FOR NO KEY UPDATE
  ),
  changed AS (
    UPDATE trading.orders o SET
      revision = o.revision + 1,
      status = $8::text,
      broker_order_id = coalesce($9, o.broker_order_id),
      broker_route = coalesce($10, o.broker_route),
      filled_quantity = coalesce($11::bigint, o.filled_quantity),
      filled_notional = coalesce($12::numeric, o.filled_notional),
      noticed_quantity = coalesce($13::bigint, o.noticed_quantity),
      listed_quantity = coalesce($14::bigint, o.listed_quantity),
      quantity = coalesce($15::bigint, o.quantity),
      limit_price = coalesce($16::numeric, o.limit_price),
      reserved_price = coalesce($16::numeric, o.reserved_price),
      reserved_cash = CASE WHEN $8::text IN ('denied', 'rejected', 'filled', 'canceled', 'expired') THEN 0
                           ELSE coalesce($17::numeric, o.reserved_cash) END,
      fee = o.fee + coalesce(($18::numeric[])[1], 0),
      tax = o.tax + coalesce(($18::numeric[])[2], 0)
    FROM locked
    WHERE o.client_order_id = $6 AND o.account_id = locked.account_id AND o.revision = $7::integer
    RETURNING o.account_id, o.client_order_id, o.broker_order_id, o.broker_route, ${IS_OPEN} AS is_open
  ),${receiptAfter('changed')},
  numbered AS (
    INSERT INTO trading.broker_orders (account_id, broker_order_id, broker_route, client_order_id)
    SELECT account_id, broker_order_id, broker_route, client_order_id FROM changed WHERE $9::text IS NOT NULL
    ON CONFLICT DO NOTHING
  )`

const CHANGE = {
  name: 'change an order',
  text: `
  WITH ${CHANGED},
  bumped AS (
    UPDATE trading.accounts a SET version = a.version + 1
    FROM changed WHERE a.account_id = changed.account_id AND ($19::boolean OR NOT changed.is_open)
  )
  SELECT 1 FROM changed`,
}

const BOOK_FILL = {
  name: 'book a fill',
  text: `
  WITH ${CHANGED},
  booked AS (
    INSERT INTO trading.fills (${FILL_COLUMNS})
    SELECT $20, client_order_id, account_id, $21, $22, $23::bigint, $24::numeric, $25::numeric, $26::numeric,
           $27::numeric, $28, $29::timestamptz
    FROM changed
  ),
  positioned AS (
    INSERT INTO trading.positions (account_id, instrument_id, quantity, open_notional, realized_pnl)
    SELECT account_id, $21, $30::bigint, $31::numeric, $32::numeric FROM changed
    ON CONFLICT (account_id, instrument_id) DO UPDATE
    SET quantity = EXCLUDED.quantity, open_notional = EXCLUDED.open_notional, realized_pnl = EXCLUDED.realized_pnl
  ),
  bumped AS (
    UPDATE trading.accounts a
    SET version = a.version + 1, cash = a.cash + $33::numeric, is_booked = true
    FROM changed WHERE a.account_id = changed.account_id AND $19::boolean
  )
  SELECT 1 FROM changed`,
}

const LOCK_ACCOUNT = {
  name: 'lock an account',
  text: `SELECT 1 FROM trading.accounts WHERE account_id = $1 FOR NO KEY UPDATE`,
}

const READ_POSITION = {
  name: 'read a position',
  text: `SELECT quantity, open_notional, realized_pnl FROM trading.positions
         WHERE account_id = $1 AND instrument_id = $2`,
}

const FIND_ORDER = {
  name: 'find the order of an account',
  text: `SELECT 1 FROM trading.orders WHERE account_id = $1 AND client_order_id = $2`,
}

interface PositionRow {
  readonly quantity: string
  readonly open_notional: string
  readonly realized_pnl: string
}

export async function change(
  database: PostgresDatabase,
  wanted: OrderChange,
  receipt: Receipt,
): Promise<'done' | 'conflict'> {
  const { accountId, clientOrderId, fill } = wanted
  if (fill !== undefined) checkFill(wanted, fill)
  const values = [...receiptValues(receipt), ...changeValues(wanted)]
  try {
    const done = await once(database, receipt, () =>
      fill === undefined ? database.run(CHANGE, values) : book(database, fill, values),
    )
    if (done.length > 0) return 'done'
  } catch (error) {
    throw poisonOf(error, wanted)
  }
  await refuseHandled(database, receipt)
  const found = await database.run(FIND_ORDER, [accountId, clientOrderId])
  if (found.length === 0)
    throw new PoisonError(`account ${accountId} has no order ${clientOrderId} to change`)
  return 'conflict'
}

function checkFill({ accountId, clientOrderId }: OrderChange, fill: Fill): void {
  if (fill.accountId !== accountId || fill.clientOrderId !== clientOrderId) {
    throw new PoisonError(
      `fill ${fill.executionId} is of ${fill.accountId}/${fill.clientOrderId}, the change of ${accountId}/${clientOrderId}`,
    )
  }
}

function poisonOf(error: unknown, { accountId, clientOrderId, fill, brokerOrderId }: OrderChange): unknown {
  const violated = violatedUnique(error)
  if (violated === 'fills_execution') {
    return new PoisonError(`execution ${fill?.executionId} of account ${accountId} is booked already`, {
      cause: error,
    })
  }
  if (violated === 'orders_broker_order') {
    return new PoisonError(
      `broker order ${brokerOrderId} backs another open order of ${accountId}; ${clientOrderId} cannot have it too`,
      { cause: error },
    )
  }
  return error
}

function changeValues(wanted: OrderChange): readonly unknown[] {
  const { fill, filledQuantity, filledNotional, noticedQuantity, listedQuantity, limitPrice } = wanted
  const changesSnapshot =
    fill !== undefined ||
    filledQuantity !== undefined ||
    wanted.quantity !== undefined ||
    limitPrice !== undefined ||
    wanted.reservedCash !== undefined
  return [
    wanted.accountId,
    wanted.clientOrderId,
    wanted.revision,
    wanted.status,
    wanted.brokerOrderId ?? null,
    wanted.brokerRoute ?? null,
    filledQuantity === undefined ? null : formatQuantity(filledQuantity),
    filledNotional === undefined ? null : formatMoney(filledNotional),
    noticedQuantity === undefined ? null : formatQuantity(noticedQuantity),
    listedQuantity === undefined ? null : formatQuantity(listedQuantity),
    wanted.quantity === undefined ? null : formatQuantity(wanted.quantity),
    limitPrice === undefined ? null : formatPrice(limitPrice),
    wanted.reservedCash === undefined ? null : formatMoney(wanted.reservedCash),
    [formatMoney(fill?.fee ?? ZERO_MONEY), formatMoney(fill?.tax ?? ZERO_MONEY)],
    changesSnapshot,
  ]
}

async function book(
  database: PostgresDatabase,
  fill: Fill,
  values: readonly unknown[],
): Promise<readonly unknown[]> {
  return database.transaction(async (connection) => {
    const position = applyFill(await positionUnderLock(connection, fill), fill)
    return connection.run(BOOK_FILL, [
      ...values,
      fill.executionId,
      fill.instrumentId,
      fill.side,
      formatQuantity(fill.quantity),
      formatPrice(fill.price),
      formatMoney(fill.notional),
      formatMoney(fill.fee),
      formatMoney(fill.tax),
      fill.origin,
      formatInstant(fill.eventTime),
      position.quantity.toString(),
      formatMoney(position.openNotional),
      formatMoney(position.realizedPnl),
      formatMoney(cashChangeOf(fill)),
    ])
  })
}

async function positionUnderLock(
  connection: PostgresConnection,
  { accountId, instrumentId }: { readonly accountId: string; readonly instrumentId: InstrumentId },
): Promise<Position | undefined> {
  const [, [row]] = await Promise.all([
    connection.run(LOCK_ACCOUNT, [accountId]),
    connection.run<PositionRow>(READ_POSITION, [accountId, instrumentId]),
  ])
  if (row === undefined) return undefined
  return {
    instrumentId,
    quantity: BigInt(row.quantity),
    openNotional: money(row.open_notional),
    realizedPnl: money(row.realized_pnl),
  }
}
