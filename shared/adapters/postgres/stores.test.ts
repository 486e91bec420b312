// Every port that PostgreSQL adapts, held to its contract.
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { MS_PER_DAY, addMs } from '#shared/domain/time.ts'
import { documentsContract } from '#shared/ports/documents.contract.ts'
import { instrumentsContract } from '#shared/ports/instruments.contract.ts'
import { ledgerContract } from '#shared/ports/ledger.contract.ts'
import { notificationLogContract } from '#shared/ports/notification-log.contract.ts'
import { type OrderStoreBench, fault } from '#shared/ports/order-store.bench.ts'
import { orderStoreContract } from '#shared/ports/order-store.contract.ts'
import { outboxContract } from '#shared/ports/outbox.contract.ts'
import { ACCOUNT, NOON } from '../../../test/build.ts'
import { type TestDatabase, testDatabase } from '../../../test/postgres.ts'
import type { PostgresDatabase } from './database.ts'
import { postgresDocuments } from './documents.ts'
import { postgresInstruments } from './instruments.ts'
import { postgresLedger } from './ledger.ts'
import { postgresNotificationLog } from './notification-log.ts'
import { postgresOrderStore } from './order-store.ts'
import { postgresOutbox } from './outbox.ts'

const opened: TestDatabase[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ close }) => close()))
})

async function open(): Promise<PostgresDatabase> {
  const created = await testDatabase()
  opened.push(created)
  return created.database
}

async function openBench(): Promise<OrderStoreBench> {
  const database = await open()
  return {
    orders: postgresOrderStore(database),
    ledger: postgresLedger(database),
    outbox: postgresOutbox(database),
  }
}

orderStoreContract('postgresOrderStore', openBench)
ledgerContract('postgresLedger', openBench)
outboxContract('postgresOutbox', openBench)
documentsContract('postgresDocuments', async () => postgresDocuments(await open()))
instrumentsContract('postgresInstruments', async () => postgresInstruments(await open()))
notificationLogContract('postgresNotificationLog', async () => postgresNotificationLog(await open()))

test('who changed a trading state, and why, is on record exactly when it changed', async () => {
  const database = await open()
  const ledger = postgresLedger(database)
  await ledger.openAccount({ accountId: ACCOUNT, broker: 'kis', currency: 'KRW' })
  const change = { accountId: ACCOUNT, changedBy: 'operator:kim', reason: '장 마감', at: NOON }
  await fault(
    ledger.setTradingState({ ...change, to: 'active' }, () => {
      throw new Error('no events')
    }),
  )
  await ledger.setTradingState({ ...change, to: 'reducing' }, () => [])
  await ledger.setTradingState({ ...change, to: 'reducing', changedBy: 'operator:lee' }, () => [])
  const columns = 'account_id, action, changed_by, reason, detail'
  expect(await database.session((execute) => execute(`SELECT ${columns} FROM audit.actions`))).toEqual([
    {
      account_id: ACCOUNT,
      action: 'trading state changed',
      changed_by: 'operator:kim',
      reason: '장 마감',
      detail: { from: 'halted', to: 'reducing' },
    },
  ])
})

test('more than fits into one step of pruning goes too, and what was settled since then stays', async () => {
  const database = await open()
  const outbox = postgresOutbox(database)
  await database.session((execute) =>
    execute(`
      INSERT INTO trading.events
        (id, topic, type, subject, event, recorded_time, settled_time)
      SELECT 'event-' || n, 'orders', 'jts.order.denied.v1', 'order-' || n, '{}', t,
             CASE WHEN n <= 12000 THEN t + interval '1 second' WHEN n <= 12010 THEN now() END
      FROM generate_series(1, 12030) AS n, LATERAL (SELECT now() - interval '30 days' * (n <= 12020)::integer) AS at (t);
      INSERT INTO trading.inbox (consumer, event_id, output_ids, recorded_time)
      SELECT 'notify', 'event-' || n, '{}', now() - interval '30 days' FROM generate_series(1, 12030) AS n`),
  )
  const weekAgo = addMs(systemClock.now(), -7 * MS_PER_DAY)
  expect(await outbox.prune(weekAgo)).toEqual({ events: 12_000, receipts: 12_000 })
  const count =
    'SELECT count(*)::integer AS events, (SELECT count(*)::integer FROM trading.inbox) AS receipts'
  expect(await database.session((execute) => execute(`${count} FROM trading.events`))).toEqual([
    { events: 30, receipts: 30 },
  ])
})
