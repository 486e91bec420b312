// The stores of one machine: PostgreSQL as a child process, ClickHouse's engine in this one.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '#shared/adapters/clickhouse/migrate.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { embeddedPostgres } from '#shared/adapters/postgres/embedded.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { migratePostgres } from '#shared/adapters/postgres/migrate.ts'
import { postgresNotificationLog } from '#shared/adapters/postgres/notification-log.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { postgresOutbox } from '#shared/adapters/postgres/outbox.ts'
import { systemRandomBytes } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Documents } from '#shared/ports/documents.ts'
import type { EventArchive } from '#shared/ports/event-archive.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { NotificationLog } from '#shared/ports/notification-log.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { Outbox } from '#shared/ports/outbox.ts'
import type { TickStore } from '#shared/ports/tick-store.ts'
import type { Log } from '#shared/runtime/log.ts'
import { closeAll } from './close-all.ts'
import { postgresDirectoryOf } from './places.ts'
import type { Troubles } from './troubles.ts'

export interface Stores {
  readonly orders: OrderStore
  readonly ledger: Ledger
  readonly outbox: Outbox
  readonly documents: Documents
  readonly instruments: Instruments
  readonly notifications: NotificationLog
  readonly ticks: TickStore
  readonly archive: EventArchive
  /** Writes what is buffered, then closes connections and servers. */
  close(): Promise<void>
}

export async function openStores(options: {
  readonly directory: string
  readonly log: Log
  readonly batchSize: number
  readonly bufferSize: number
  readonly flushIntervalMs: number
  readonly troubles: Pick<Troubles, 'tell'>
}): Promise<Stores> {
  const { directory, log, troubles } = options
  await mkdir(directory, { recursive: true })
  const server = await embeddedPostgres({
    directory: postgresDirectoryOf(directory),
    log,
    stopwatch: systemStopwatch,
    randomBytes: systemRandomBytes,
    onTrouble: (words) => troubles.tell('PostgreSQL', words),
  })
  const closers: (() => Promise<void>)[] = [() => server.stop()]
  const close = () => closeAll(closers.splice(0).toReversed())
  try {
    const database = await openPostgres({ url: server.url, applicationName: 'jts' })
    closers.push(() => database.close())
    await migratePostgres(database)

    const clickhouse = await openClickHouse({ directory: join(directory, 'clickhouse') })
    closers.push(() => clickhouse.close())
    await migrateClickHouse(clickhouse)
    const buffering = (part: string) => ({
      batchSize: options.batchSize,
      bufferSize: options.bufferSize,
      flushIntervalMs: options.flushIntervalMs,
      stopwatch: systemStopwatch,
      onFault: (error: Error) => troubles.tell(part, error.message),
      onWritten: () => troubles.tell(part, undefined),
    })
    const ticks = clickhouseTickStore(clickhouse, buffering('ticks and bars in ClickHouse'))
    const archive = clickhouseArchive(clickhouse, buffering('event log in ClickHouse'))
    closers.push(
      () => archive.close(),
      () => ticks.close(),
    )

    return {
      orders: postgresOrderStore(database),
      ledger: postgresLedger(database),
      outbox: postgresOutbox(database),
      documents: postgresDocuments(database),
      instruments: postgresInstruments(database),
      notifications: postgresNotificationLog(database),
      ticks,
      archive,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
