import { describe, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import type { ArchivedEvent, EventArchive } from './event-archive.ts'

export interface EventArchiveBench {
  readonly archive: EventArchive
  /** Another archive on the same rows, as after a restart. Close the one before first. */
  readonly reopen: () => Promise<EventArchive>
}

type Open = () => Promise<EventArchiveBench>

/** The `second`-th event after nine, of one account unless told otherwise. */
export const archivedEvent = (second: number, changes: Partial<Event> = {}): ArchivedEvent => ({
  topic: 'orders',
  event: {
    specversion: '1.0',
    id: `event-${second}`,
    source: '/jts/functions/risk-check',
    type: 'jts.order.denied.v1',
    subject: 'order-1',
    time: new Date(Date.UTC(2025, 7, 28) + second * 1000).toISOString(),
    datacontenttype: 'application/json',
    partitionkey: 'account-1',
    correlationid: 'began-it-all',
    causationid: `event-${second - 1}`,
    data: { reason: '매수 거부: "한도"\n초과', price: '71000.5', nested: { b: 1, a: [true, null] } },
    ...changes,
  },
})

const series = (count: number, from = 0): readonly ArchivedEvent[] =>
  Array.from({ length: count }, (_, index) => archivedEvent(from + index))

/** What every EventArchive must do. `open` gives an empty archive. */
export const eventArchiveContract = (adapter: string, open: Open): void => {
  describe(`${adapter} as EventArchive`, () => {
    readRules(open)
    onceRules(open)
  })
}

const readRules = (open: Open): void => {
  test('an event comes back as it was, every letter of it', async () => {
    const { archive } = await open()
    await archive.append([archivedEvent(1)])
    await archive.flush()
    expect(await archive.byId('event-1')).toEqual(archivedEvent(1).event)
    expect(await archive.byId('event-2')).toBeUndefined()
    await archive.close()
  })

  test('what one cause began is found across topics and keys, oldest first', async () => {
    const { archive } = await open()
    const elsewhere: ArchivedEvent = {
      topic: 'notifications',
      event: archivedEvent(2, { partitionkey: '김철수' }).event,
    }
    const other = archivedEvent(3, { correlationid: 'something-else' })
    await archive.append([archivedEvent(4), other, elsewhere, archivedEvent(1)])
    await archive.flush()
    const found = await archive.byCorrelation('began-it-all', 10)
    expect(found).toEqual([archivedEvent(1).event, elsewhere.event, archivedEvent(4).event])
    expect(await archive.byCorrelation('began-it-all', 2)).toEqual(found.slice(0, 2))
    await archive.close()
  })

  test('chains of many keys are whole; a chain that does not exist has no fault', async () => {
    const { archive } = await open()
    const events = series(300).map(({ topic, event }, index) => ({
      topic,
      event: { ...event, partitionkey: `계좌-${index % 7}` },
    }))
    await archive.append(events)
    await archive.flush()
    for (let key = 0; key < 7; key += 1) expect(await archive.verify('orders', `계좌-${key}`)).toBeUndefined()
    expect(await archive.verify('orders', 'nobody')).toBeUndefined()
    expect(await archive.count()).toBe(300)
    await archive.close()
  })
}

const onceRules = (open: Open): void => {
  test('an event archived before is not appended again, in the same batch, a later one or at the same time', async () => {
    const { archive } = await open()
    await archive.append([...series(5), ...series(5)])
    await archive.flush()
    await Promise.all([archive.append(series(5)), archive.append(series(8)), archive.append(series(6))])
    await archive.flush()
    expect(await archive.count()).toBe(8)
    expect(await archive.verify('orders', 'account-1')).toBeUndefined()
    await archive.close()
  })

  test('after a restart, events that come again are known and the chain goes on', async () => {
    const { archive, reopen } = await open()
    await archive.append(series(10))
    await archive.close()
    const next = await reopen()
    await next.append(series(20, 5))
    await next.flush()
    expect(await next.count()).toBe(25)
    expect(await next.verify('orders', 'account-1')).toBeUndefined()
    await next.close()
  })

  test('closing stores what waits', async () => {
    const { archive, reopen } = await open()
    await archive.append(series(3))
    await archive.close()
    const next = await reopen()
    expect(await next.count()).toBe(3)
    await next.close()
  })
}
