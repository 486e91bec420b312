import { describe, expect, test } from 'vitest'
import { NOON } from '../../test/build.ts'
import type { NotificationLog, NotificationRecord } from './notification-log.ts'
import { deniedEvent, fault, receiptOf } from './order-store.bench.ts'
import { AlreadyHandledError } from './receipt.ts'

/** What every NotificationLog must do. `open` gives one that no other test has written to. */
export const notificationLogContract = (adapter: string, open: () => Promise<NotificationLog>): void => {
  describe(`${adapter} as NotificationLog`, () => {
    test('records come back whole, newest first', async () => {
      const log = await open()
      const records = [record({}), record({ channel: 'slack', status: 'failed', reason: 'HTTP 500, "삼성"' })]
      await log.record(records, receiptOf())
      const later = record({ eventId: 'event-2', attempts: 0, status: 'suppressed', reason: '' })
      await log.record([later], receiptOf())
      expect(await log.recent(10)).toEqual([later, ...records.toReversed()])
      expect(await log.recent(1)).toEqual([later])
    })

    test('only a delivered message counts as delivered, and only on its channel', async () => {
      const log = await open()
      await log.record(
        [
          record({ channel: 'email' }),
          record({ channel: 'slack', status: 'failed' }),
          record({ channel: 'webhook', status: 'suppressed' }),
        ],
        receiptOf(),
      )
      expect(await log.wasDelivered('event-1', 'email')).toBe(true)
      expect(await log.wasDelivered('event-1', 'slack')).toBe(false)
      expect(await log.wasDelivered('event-1', 'webhook')).toBe(false)
      expect(await log.wasDelivered('event-2', 'email')).toBe(false)
    })

    test('a message that failed and was delivered later counts as delivered', async () => {
      const log = await open()
      await log.record([record({ status: 'failed' })], receiptOf())
      await log.record([record({ attempts: 2 })], receiptOf())
      expect(await log.wasDelivered('event-1', 'email')).toBe(true)
    })

    test('an event that was handled gives the outputs of then and records nothing', async () => {
      const log = await open()
      const outputs = [deniedEvent('out-1')]
      await log.record([record({})], receiptOf(outputs, 'event-x', 'notify'))
      const error = await fault(
        log.record([record({ channel: 'slack' })], receiptOf([], 'event-x', 'notify')),
      )
      expect(error).toBeInstanceOf(AlreadyHandledError)
      expect((error as AlreadyHandledError).outputs).toEqual(outputs)
      expect(await log.recent(10)).toEqual([record({})])
    })

    test('an event that nobody wants to hear of is noted all the same', async () => {
      const log = await open()
      await log.record([], receiptOf([], 'event-x'))
      expect(await log.recent(10)).toEqual([])
      expect(await fault(log.record([], receiptOf([], 'event-x')))).toBeInstanceOf(AlreadyHandledError)
    })
  })
}

const record = (over: Partial<NotificationRecord>): NotificationRecord => ({
  eventId: 'event-1',
  recipient: 'operators',
  channel: 'email',
  severity: 'critical',
  title: '주문 {실패}, "sell" \\ 10',
  status: 'delivered',
  attempts: 1,
  at: NOON,
  ...over,
})
