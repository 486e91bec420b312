// Every port that PostgreSQL adapts, held to its contract.
import { afterEach, expect, test } from 'vitest'
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
