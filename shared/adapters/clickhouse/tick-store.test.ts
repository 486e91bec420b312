import { describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import { tickAt, tickStoreContract } from '#shared/ports/tick-store.contract.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { clickHousePlaces } from './test-server.ts'
import { clickhouseTickStore, setTickRetention } from './tick-store.ts'

describe.each(clickHousePlaces())('%s', (place, open) => {
  tickStoreContract(`clickhouseTickStore on ${place}`, async () =>
    clickhouseTickStore(await open(), { stopwatch: systemStopwatch, batchSize: 500, flushIntervalMs: 5 }),
  )

  test('a tick that no column can hold is refused with its field named, and does not hold up the rest', async () => {
    const store = clickhouseTickStore(await open(), { stopwatch: systemStopwatch })
    const huge = tickAt(0, { askPrice: (10n ** 18n) as Price })
    await expect(store.appendTicks([tickAt(1), huge])).rejects.toThrow(PoisonError)
    await expect(store.appendTicks([huge])).rejects.toThrow('askPrice')
    await store.appendTicks([tickAt(2)])
    await store.flush()
    const stored = await store.ticks(instrumentId('005930.KRX'), instant(0), instant(2_000_000_000_000), 10)
    expect(stored).toEqual([tickAt(2)])
    await store.close()
  })

  test('the time that ticks are kept can be set, changed and lifted', async () => {
    const db = await open()
    const ttl = async (): Promise<string | undefined> => {
      const [table] = await db.select(
        `SELECT create_table_query AS ddl FROM system.tables WHERE database = '${db.database}' AND name = 'ticks'`,
      )
      return / TTL .*?toIntervalDay\((\d+)\)/.exec(table?.['ddl'] ?? '')?.[1]
    }
    expect(await ttl()).toBeUndefined()
    await setTickRetention(db, 730)
    expect(await ttl()).toBe('730')
    await setTickRetention(db, 3650)
    expect(await ttl()).toBe('3650')
    await setTickRetention(db, undefined)
    await setTickRetention(db, undefined)
    expect(await ttl()).toBeUndefined()
    await expect(setTickRetention(db, 0)).rejects.toThrow(RangeError)
  })
})
