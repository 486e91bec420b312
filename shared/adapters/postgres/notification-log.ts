import { formatInstant } from '#shared/domain/time.ts'
import type { NotificationLog, NotificationRecord } from '#shared/ports/notification-log.ts'
import type { PostgresDatabase } from './database.ts'
import { instantOf } from './order-rows.ts'
import { once, receiptAfter, receiptValues } from './receipts.ts'

const COLUMNS = `event_id, recipient, channel, severity, title, status, attempts, reason, at`

const FIND_DELIVERED = {
  name: 'find a delivered notification',
  text: `SELECT 1 FROM trading.notifications WHERE event_id = $1 AND channel = $2 AND status = 'delivered' LIMIT 1`,
}

const RECORD = {
  name: 'record notifications',
  text: `
  WITH ${receiptAfter('(SELECT) AS always')},
  recorded AS (
    INSERT INTO trading.notifications (${COLUMNS})
    SELECT r.event_id, r.recipient, r.channel, r.severity, r.title, r.status, r.attempts, r.reason, r.at
    FROM receipt, unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::integer[],
                         $12::text[], $13::timestamptz[]) WITH ORDINALITY
      AS r (event_id, recipient, channel, severity, title, status, attempts, reason, at, position)
    ORDER BY r.position
  )
  SELECT 1`,
}

const READ_RECENT = {
  name: 'read recent notifications',
  text: `SELECT ${COLUMNS} FROM trading.notifications ORDER BY sequence DESC LIMIT $1`,
}

type NotificationRow = Pick<
  NotificationRecord,
  'recipient' | 'channel' | 'severity' | 'title' | 'status' | 'attempts'
> & { readonly event_id: string; readonly reason: string | null; readonly at: Date }

export const postgresNotificationLog = (database: PostgresDatabase): NotificationLog => ({
  async wasDelivered(eventId, channel) {
    return (await database.run(FIND_DELIVERED, [eventId, channel])).length > 0
  },
  async record(records, receipt) {
    const values = [
      ...receiptValues(receipt),
      records.map((record) => record.eventId),
      records.map((record) => record.recipient),
      records.map((record) => record.channel),
      records.map((record) => record.severity),
      records.map((record) => record.title),
      records.map((record) => record.status),
      records.map((record) => record.attempts),
      records.map((record) => record.reason ?? null),
      records.map((record) => formatInstant(record.at)),
    ]
    await once(database, receipt, () => database.run(RECORD, values))
  },
  async recent(limit) {
    const rows = await database.run<NotificationRow>(READ_RECENT, [limit])
    return rows.map(({ event_id: eventId, reason, at, ...row }) => ({
      ...row,
      eventId,
      ...(reason === null ? {} : { reason }),
      at: instantOf(at),
    }))
  },
})
