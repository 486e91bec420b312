import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { archivedEvent, eventArchiveContract } from '#shared/ports/event-archive.contract.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { clickhouseArchive, linkHash } from './archive.ts'
import { canonicalJson } from './canonical-json.ts'
import type { ClickHouse } from './clickhouse.ts'
import { clickHousePlaces } from './test-server.ts'

const options = { stopwatch: systemStopwatch, batchSize: 100, flushIntervalMs: 5 }
const TEN = Array.from({ length: 10 }, (_, index) => archivedEvent(index))

/** Puts ten events of one account in, then runs a statement that an intruder might. */
const tampered = async (db: ClickHouse, sql: string) => {
  const archive = clickhouseArchive(db, options)
  await archive.append(TEN)
  await archive.flush()
  await db.command(`${sql.replaceAll('events', `${db.database}.events`)} SETTINGS mutations_sync = 2`)
  const fault = await archive.verify('orders', 'account-1')
  await archive.close()
  return fault
}

describe.each(clickHousePlaces())('%s', (place, open) => {
  eventArchiveContract(`clickhouseArchive on ${place}`, async () => {
    const db = await open()
    return { archive: clickhouseArchive(db, options), reopen: async () => clickhouseArchive(db, options) }
  })

  test.each([
    // what is done                                                          what verify says
    [
      `ALTER TABLE events UPDATE event = replaceAll(event, '71000', '17000') WHERE sequence = 4`,
      'event-3',
      'altered',
    ],
    [`ALTER TABLE events UPDATE correlation_id = 'x' WHERE sequence = 4`, 'event-3', 'does not say'],
    [
      `ALTER TABLE events UPDATE type = 'jts.order.approved.v1' WHERE sequence = 4`,
      'event-3',
      'does not say',
    ],
    [`ALTER TABLE events UPDATE event_id = 'x' WHERE sequence = 1`, 'x', 'does not say'],
    [`ALTER TABLE events DELETE WHERE sequence = 4`, 'event-4', 'positions 4 to 4 are missing'],
    [`ALTER TABLE events DELETE WHERE sequence = 1`, 'event-1', 'positions 1 to 1 are missing'],
    [`ALTER TABLE events DELETE WHERE sequence >= 8`, 'event-6', 'rows after position 7 are missing'],
    [`ALTER TABLE events DELETE WHERE 1`, '', 'rows after position 0 are missing'],
  ])('%s shows at %s', async (sql, eventId, reason) => {
    expect(await tampered(await open(), sql)).toEqual({ eventId, reason: expect.stringContaining(reason) })
  })

  test('an altered row whose own hash was made to fit breaks the link after it', async () => {
    const db = await open()
    const archive = clickhouseArchive(db, options)
    await archive.append(TEN)
    await archive.flush()
    const [row] = await db.select(`SELECT event, previous_hash FROM ${db.database}.events WHERE sequence = 4`)
    const forged = (row?.['event'] ?? '').replace('71000.5', '17000.5')
    await db.command(`CREATE TABLE ${db.database}.forged AS ${db.database}.events`)
    await db.command(
      `INSERT INTO ${db.database}.forged SELECT * REPLACE (replaceAll(event, '71000.5', '17000.5') AS event,
       '${linkHash(row?.['previous_hash'] ?? '', forged)}' AS hash) FROM ${db.database}.events WHERE sequence = 4`,
    )
    await db.command(
      `ALTER TABLE ${db.database}.events DELETE WHERE sequence = 4 SETTINGS mutations_sync = 2`,
    )
    await db.command(`INSERT INTO ${db.database}.events SELECT * FROM ${db.database}.forged`)
    expect(await archive.verify('orders', 'account-1')).toEqual({
      eventId: 'event-4',
      reason: 'row 5 does not follow the row before it',
    })
    await archive.close()
  })

  test('a second row slipped in at a position that is taken stays visible', async () => {
    const db = await open()
    const fault = await tampered(
      db,
      `INSERT INTO events SELECT * REPLACE ('0000' AS hash, 'slipped-in' AS event_id) FROM events WHERE sequence = 4`,
    )
    expect(fault?.reason).toMatch(/position 4|row 4/)
  })

  test('when the head was not written because the process died, the chain goes on from its real end', async () => {
    const db = await open()
    const first = clickhouseArchive(db, options)
    await first.append(TEN)
    await first.close()
    await db.command(`TRUNCATE TABLE ${db.database}.chain_heads`)
    const next = clickhouseArchive(db, options)
    await next.append([archivedEvent(10), archivedEvent(11)])
    await next.flush()
    expect(await next.verify('orders', 'account-1')).toBeUndefined()
    expect(await next.count()).toBe(12)
    await next.close()
  })

  test('a batch that was stored although the answer was lost, with its head or without, is not stored again', async () => {
    const db = await open()
    let inserts = 0
    const lossy: ClickHouse = {
      ...db,
      async insert(table, columns, rows) {
        await db.insert(table, columns, rows)
        inserts += 1
        if (inserts === 3) await db.command(`TRUNCATE TABLE ${db.database}.chain_heads`)
        if (inserts === 1 || inserts === 3) throw new RetryableError('the connection was lost')
      },
    }
    const archive = clickhouseArchive(lossy, options)
    await archive.append(TEN)
    await expect(archive.flush()).rejects.toThrow(RetryableError)
    await archive.append([archivedEvent(10)])
    await archive.flush()
    await archive.append([archivedEvent(11)])
    await expect(archive.flush()).rejects.toThrow(RetryableError)
    await archive.append([archivedEvent(12)])
    await archive.flush()
    expect(await archive.count()).toBe(13)
    expect(await archive.verify('orders', 'account-1')).toBeUndefined()
    await archive.close()
  })

  test('a writer that gets a chain back goes on where another left it', async () => {
    const db = await open()
    const [a, b] = [clickhouseArchive(db, options), clickhouseArchive(db, options)]
    for (const [index, writer] of [a, b, a, b, b, a].entries()) {
      await writer.append([archivedEvent(index)])
      await writer.flush()
    }
    expect(await a.verify('orders', 'account-1')).toBeUndefined()
    expect(await b.count()).toBe(6)
    await Promise.all([a.close(), b.close()])
  })

  test('text that is no valid Unicode, or looks like SQL, does not stop the archive', async () => {
    const archive = clickhouseArchive(await open(), options)
    const odd = ["it's \\' OR 1=1 --", 'half a pair \ud83d', 'tab\t{x:String}\0', '\\']
    const events = odd.map((text, index) =>
      archivedEvent(index, { id: text, partitionkey: text, correlationid: text, data: { text } }),
    )
    await archive.append(events)
    await archive.append(events)
    await archive.flush()
    expect(await archive.count()).toBe(odd.length)
    for (const [index, text] of odd.entries()) {
      expect(await archive.byId(text)).toEqual(events[index]?.event)
      expect(await archive.verify('orders', text)).toBeUndefined()
    }
    await archive.close()
  })

  test('an event without a readable time is refused, not stored under another', async () => {
    const archive = clickhouseArchive(await open(), options)
    await expect(archive.append([archivedEvent(0, { time: 'yesterday' })])).rejects.toThrow(PoisonError)
    await archive.close()
  })
})

test('canonical JSON does not depend on the order of keys and means the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(JSON.parse(text))).toBe(text)
    }),
  )
  expect(canonicalJson({ b: 1, a: { d: [2, { f: 3, e: undefined }], c: '한글' } })).toBe(
    '{"a":{"c":"한글","d":[2,{"f":3}]},"b":1}',
  )
})
