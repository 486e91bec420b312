// Accounts in PostgreSQL. A snapshot is one statement, so everything in it belongs to its version.
import type { AccountSnapshot, Position, RecentOrder, Reservation } from '#shared/domain/account.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { OrderType, Side } from '#shared/domain/order.ts'
import type { TradingState } from '#shared/domain/risk.ts'
import { formatInstant, parseInstant, sessionDate } from '#shared/domain/time.ts'
import { formatMoney, money, price, quantity } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { PostgresDatabase } from './database.ts'
import { IS_OPEN } from './order-rows.ts'
import { eventsAfter, eventsValue } from './receipts.ts'

const OPEN_ACCOUNT = {
  name: 'open an account',
  text: `INSERT INTO trading.accounts (account_id, broker, currency) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
}

const READ_ACCOUNT_IDS = {
  name: 'read the account ids',
  text: `SELECT account_id FROM trading.accounts ORDER BY account_id`,
}

// Numbers leave JSON as text: they are exact, JSON numbers would not be.
const READ_SNAPSHOT = {
  name: 'read an account',
  text: `
  SELECT a.version, a.trading_state, a.currency, a.cash, a.opening_equity, a.opening_date,
    coalesce((
      SELECT json_agg(json_build_array(
        p.instrument_id, p.quantity::text, p.open_notional::text, p.realized_pnl::text) ORDER BY p.instrument_id)
      FROM trading.positions p WHERE p.account_id = a.account_id), '[]') AS positions,
    coalesce((
      SELECT json_agg(json_build_array(
        o.client_order_id, o.instrument_id, o.side, o.order_type, o.limit_price::text,
        (o.quantity - o.filled_quantity)::text, o.reserved_price::text, o.reserved_cash::text,
        o.decided_time) ORDER BY o.sequence)
      FROM trading.orders o WHERE o.account_id = a.account_id AND ${IS_OPEN}), '[]') AS reservations,
    coalesce((
      SELECT json_agg(json_build_array(
        o.client_order_id, o.instrument_id, o.side, o.order_type, o.limit_price::text, o.quantity::text,
        o.decided_time) ORDER BY o.decided_time, o.sequence)
      FROM trading.orders o
      WHERE o.account_id = a.account_id AND o.status <> 'denied' AND o.decided_time > $2::timestamptz), '[]')
      AS recent_orders
  FROM trading.accounts a WHERE a.account_id = $1`,
}

const LOCK_STATE = {
  name: 'lock a trading state',
  text: `SELECT trading_state FROM trading.accounts WHERE account_id = $1 FOR NO KEY UPDATE`,
}

const SET_STATE = {
  name: 'set a trading state',
  text: `
  WITH changed AS (
    UPDATE trading.accounts SET trading_state = $2::text, version = version + 1 WHERE account_id = $1
    RETURNING account_id
  ),
  noted AS (
    INSERT INTO audit.actions (account_id, action, changed_by, reason, detail, at)
    SELECT account_id, 'trading state changed', $3, $4, jsonb_build_object('from', $5::text, 'to', $2::text),
           $6::timestamptz
    FROM changed
  ),
  emitted AS (${eventsAfter('changed', 7)})
  SELECT 1`,
}

// The first statement for a date stands, and dates only go forward.
const OPEN_SESSION = {
  name: 'open a session',
  text: `UPDATE trading.accounts SET opening_equity = $3::numeric, opening_date = $2::date, version = version + 1
         WHERE account_id = $1 AND (opening_date IS NULL OR opening_date < $2::date)`,
}

const ADOPT = {
  name: 'adopt an account',
  text: `
  WITH adopted AS (
    UPDATE trading.accounts SET cash = $2::numeric, is_booked = true, version = version + 1
    WHERE account_id = $1 AND NOT is_booked
    RETURNING account_id
  ),
  positioned AS (
    INSERT INTO trading.positions (account_id, instrument_id, quantity, open_notional, realized_pnl)
    SELECT adopted.account_id, p.instrument_id, p.quantity, p.open_notional, 0
    FROM adopted, unnest($3::text[], $4::bigint[], $5::numeric[]) AS p (instrument_id, quantity, open_notional)
  )
  SELECT 1 FROM adopted`,
}

interface SnapshotRow {
  readonly version: string
  readonly trading_state: TradingState
  readonly currency: string
  readonly cash: string
  readonly opening_equity: string | null
  readonly opening_date: string | null
  readonly positions: readonly (readonly [InstrumentId, string, string, string])[]
  readonly reservations: readonly (readonly [
    string,
    InstrumentId,
    Side,
    OrderType,
    string | null,
    string,
    string,
    string,
    string,
  ])[]
  readonly recent_orders: readonly (readonly [
    string,
    InstrumentId,
    Side,
    OrderType,
    string | null,
    string,
    string,
  ])[]
}

const limitPriceOf = (text: string | null): { readonly limitPrice?: ReturnType<typeof price> } =>
  text === null ? {} : { limitPrice: price(text) }

const positionOf = ([instrumentId, units, open, realized]: SnapshotRow['positions'][number]): Position => ({
  instrumentId,
  quantity: BigInt(units),
  openNotional: money(open),
  realizedPnl: money(realized),
})

const reservationOf = (row: SnapshotRow['reservations'][number]): Reservation => {
  const [clientOrderId, instrumentId, side, orderType, limit, remaining, reservedPrice, cash, decided] = row
  return {
    clientOrderId,
    instrumentId,
    side,
    orderType,
    ...limitPriceOf(limit),
    remainingQuantity: quantity(remaining),
    reservedPrice: price(reservedPrice),
    cash: money(cash),
    decidedTime: parseInstant(decided),
  }
}

const recentOrderOf = (row: SnapshotRow['recent_orders'][number]): RecentOrder => {
  const [clientOrderId, instrumentId, side, orderType, limit, units, decided] = row
  return {
    clientOrderId,
    instrumentId,
    side,
    orderType,
    quantity: quantity(units),
    ...limitPriceOf(limit),
    decidedTime: parseInstant(decided),
  }
}

const snapshotOf = (accountId: string, row: SnapshotRow): AccountSnapshot => ({
  accountId,
  version: BigInt(row.version),
  tradingState: row.trading_state,
  currency: row.currency,
  cash: money(row.cash),
  ...(row.opening_equity === null ? {} : { openingEquity: money(row.opening_equity) }),
  ...(row.opening_date === null ? {} : { openingDate: sessionDate(row.opening_date) }),
  positions: row.positions.map(positionOf),
  reservations: row.reservations.map(reservationOf),
  recentOrders: row.recent_orders.map(recentOrderOf),
})

export function postgresLedger(database: PostgresDatabase): Ledger {
  return {
    async openAccount({ accountId, broker, currency }) {
      await database.run(OPEN_ACCOUNT, [accountId, broker, currency])
    },
    async accountIds() {
      const rows = await database.run<{ account_id: string }>(READ_ACCOUNT_IDS, [])
      return rows.map((row) => row.account_id)
    },
    async snapshot(accountId, recentSince) {
      const [row] = await database.run<SnapshotRow>(READ_SNAPSHOT, [accountId, formatInstant(recentSince)])
      return row === undefined ? undefined : snapshotOf(accountId, row)
    },
    setTradingState: (change, events) => setTradingState(database, change, events),
    async openSession(accountId, date, equity) {
      await database.run(OPEN_SESSION, [accountId, date, formatMoney(equity)])
    },
    async adopt(accountId, { cash, positions }) {
      const rows = await database.run(ADOPT, [
        accountId,
        formatMoney(cash),
        positions.map((position) => position.instrumentId),
        positions.map((position) => position.quantity.toString()),
        positions.map((position) => formatMoney(position.openNotional)),
      ])
      return rows.length > 0
    },
  }
}

const setTradingState = (
  database: PostgresDatabase,
  { accountId, to, changedBy, reason, at }: Parameters<Ledger['setTradingState']>[0],
  events: Parameters<Ledger['setTradingState']>[1],
): Promise<boolean> =>
  database.transaction(async (connection) => {
    const [row] = await connection.run<{ trading_state: TradingState }>(LOCK_STATE, [accountId])
    if (row === undefined) throw new PoisonError(`there is no account ${accountId} to make ${to}`)
    const from = row.trading_state
    if (from === to) return false
    const values = [accountId, to, changedBy, reason, from, formatInstant(at), eventsValue(events(from))]
    await connection.run(SET_STATE, values)
    return true
  })
