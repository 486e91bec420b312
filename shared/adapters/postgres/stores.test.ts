// Every port that PostgreSQL adapts, held to its contract.
import { afterEach } from 'vitest'
import { documentsContract } from '#shared/ports/documents.contract.ts'
import { instrumentsContract } from '#shared/ports/instruments.contract.ts'
import { ledgerContract } from '#shared/ports/ledger.contract.ts'
import { notificationLogContract } from '#shared/ports/notification-log.contract.ts'
import type { OrderStoreBench } from '#shared/ports/order-store.bench.ts'
import { orderStoreContract } from '#shared/ports/order-store.contract.ts'
import { outboxContract } from '#shared/ports/outbox.contract.ts'
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
  const test = await testDatabase()
  opened.push(test)
  return test.database
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
