// The order record in PostgreSQL. Writing is in order-decisions, order-intents and order-changes; here are the reads.
import type { Event } from '#shared/events/contract.ts'
import type { Fill, OrderStore, OrderTotals, Quarantined, StoredOrder } from '#shared/ports/order-store.ts'
import type { Receipt } from '#shared/ports/receipt.ts'
import type { PostgresDatabase, Statement } from './database.ts'
import { change } from './order-changes.ts'
import { approve, deny } from './order-decisions.ts'
import { fence, recordIntent } from './order-intents.ts'
import {
  FILL_COLUMNS,
  type FillRow,
  IS_OPEN,
  ORDER_COLUMNS,
  type OrderRow,
  fillOf,
  orderOf,
} from './order-rows.ts'
import { once, receiptAfter, receiptValues, refuseHandled } from './receipts.ts'

const ACKNOWLEDGE = {
  name: 'acknowledge an event',
  text: `WITH ${receiptAfter('(SELECT) AS always')} SELECT 1`,
}

const QUARANTINE = {
  name: 'quarantine a report',
  text: `
  WITH ${receiptAfter('(SELECT) AS always')},
  kept AS (
    INSERT INTO trading.quarantine (account_id, consumer, reason, event)
    SELECT $5, $1, $6, $7::jsonb FROM receipt
  )
  SELECT 1`,
}

const READ_ORDER = {
  name: 'read an order',
  text: `SELECT ${ORDER_COLUMNS} FROM trading.orders o WHERE o.client_order_id = $1`,
}

const READ_BY_BROKER_ID = {
  name: 'read an order by a broker order id',
  text: `SELECT ${ORDER_COLUMNS}
         FROM trading.broker_orders b JOIN trading.orders o USING (client_order_id)
         WHERE b.account_id = $1 AND b.broker_order_id = $2
         ORDER BY b.sequence DESC LIMIT 1`,
}

const READ_OPEN = {
  name: 'read the open orders of an account',
  text: `SELECT ${ORDER_COLUMNS} FROM trading.orders o WHERE o.account_id = $1 AND ${IS_OPEN} ORDER BY o.sequence`,
}

const READ_ORDERS = {
  name: 'read orders',
  text: `SELECT ${ORDER_COLUMNS} FROM trading.orders o ORDER BY o.sequence DESC LIMIT $1`,
}

const READ_ORDERS_OF_ACCOUNT = {
  name: 'read the orders of an account',
  text: `SELECT ${ORDER_COLUMNS} FROM trading.orders o WHERE o.account_id = $2
         ORDER BY o.decided_time DESC, o.sequence DESC LIMIT $1`,
}

const READ_FILLS = {
  name: 'read fills',
  text: `SELECT ${FILL_COLUMNS} FROM trading.fills
         WHERE ($2::text IS NULL OR account_id = $2) AND ($3::text IS NULL OR client_order_id = $3)
         ORDER BY sequence DESC LIMIT $1`,
}

// An order has its limits version from its approval on, even if it was denied after all because it was too old to send.
const READ_TOTALS = {
  name: 'count orders',
  text: `
  SELECT count(*)::integer AS requested,
         (count(*) FILTER (WHERE limits_version <> ''))::integer AS approved,
         (count(*) FILTER (WHERE status = 'denied'))::integer AS denied,
         coalesce(sum(attempt), 0)::integer AS submitted,
         (count(*) FILTER (WHERE status = 'filled'))::integer AS filled,
         (count(*) FILTER (WHERE ${IS_OPEN}))::integer AS open,
         (SELECT count(*)::integer FROM trading.fills) AS fills
  FROM trading.orders o`,
}

const READ_HISTORY = {
  name: 'read the history of an order',
  text: `SELECT event FROM trading.events WHERE topic = 'orders' AND subject = $1 ORDER BY sequence`,
}

const READ_QUARANTINE = {
  name: 'read the quarantine',
  text: `SELECT account_id, reason, event FROM trading.quarantine
         WHERE reviewed_time IS NULL ORDER BY sequence DESC LIMIT $1`,
}

export function postgresOrderStore(database: PostgresDatabase): OrderStore {
  async function readOrders(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly StoredOrder[]> {
    const rows = await database.run<OrderRow>(statement, values)
    return rows.map(orderOf)
  }

  return {
    approve: (approval, receipt, intent) => approve(database, approval, receipt, intent),
    deny: (denial, receipt) => deny(database, denial, receipt),
    fence: (accountId) => fence(database, accountId),
    recordIntent: (intent, outputsOf, resend = false) => recordIntent(database, intent, outputsOf, resend),
    change: (wanted, receipt) => change(database, wanted, receipt),
    quarantine: (item, receipt) => quarantine(database, item, receipt),
    async acknowledge(receipt) {
      await once(database, receipt, () => database.run(ACKNOWLEDGE, receiptValues(receipt)))
    },
    refuseHandled: (receipt) => refuseHandled(database, receipt),

    order: async (clientOrderId) => (await readOrders(READ_ORDER, [clientOrderId]))[0],
    orderByBrokerId: async (accountId, brokerOrderId) =>
      (await readOrders(READ_BY_BROKER_ID, [accountId, brokerOrderId]))[0],
    openOrders: (accountId) => readOrders(READ_OPEN, [accountId]),
    orders: ({ accountId, limit }) =>
      accountId === undefined
        ? readOrders(READ_ORDERS, [limit])
        : readOrders(READ_ORDERS_OF_ACCOUNT, [limit, accountId]),
    fills: async ({ accountId, clientOrderId, limit }): Promise<readonly Fill[]> => {
      const rows = await database.run<FillRow>(READ_FILLS, [limit, accountId ?? null, clientOrderId ?? null])
      return rows.map(fillOf)
    },
    totals: async () => {
      const [totals] = await database.run<OrderTotals>(READ_TOTALS, [])
      if (totals === undefined) throw new Error('counting gave no row')
      return totals
    },
    history: async (clientOrderId) => {
      const rows = await database.run<{ event: Event }>(READ_HISTORY, [clientOrderId])
      return rows.map(({ event }) => event)
    },
    quarantined: async (limit) => {
      const rows = await database.run<{ account_id: string; reason: string; event: Event }>(READ_QUARANTINE, [
        limit,
      ])
      return rows.map(({ account_id: accountId, reason, event }) => ({ accountId, reason, event }))
    },
  }
}

async function quarantine(database: PostgresDatabase, item: Quarantined, receipt: Receipt): Promise<void> {
  const values = [...receiptValues(receipt), item.accountId, item.reason, JSON.stringify(item.event)]
  await once(database, receipt, () => database.run(QUARANTINE, values))
}
