import { afterEach } from 'vitest'
import { orderStoreContract } from '#shared/ports/order-store.contract.ts'
import { type TestDatabase, testDatabase } from '../../../test/postgres.ts'
import { postgresLedger } from './ledger.ts'
import { postgresOrderStore } from './order-store.ts'
import { postgresOutbox } from './outbox.ts'

const opened: TestDatabase[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ close }) => close()))
})

orderStoreContract('postgresOrderStore', async () => {
  const test = await testDatabase()
  opened.push(test)
  const { database } = test
  return {
    orders: postgresOrderStore(database),
    ledger: postgresLedger(database),
    outbox: postgresOutbox(database),
  }
})
