// What is written here is read back by ClickHouse's own engine, in this process and over HTTP, byte for byte.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clickHousePlaces } from './test-server.ts'
import { RowBinary } from './row-binary.ts'

const COLUMNS = ['number', 'word', 'amount', 'count', 'at']
const TABLE = `(number UInt64, word String, amount Decimal(18, 4), count UInt64, at DateTime64(3, 'UTC'))
  ENGINE = MergeTree ORDER BY number`

interface Written {
  readonly word: string
  /** Scaled by four places. */
  readonly amount: bigint
  readonly count: bigint
  readonly at: number
}

const rowsOf = (written: readonly Written[]): Uint8Array => {
  const rows = new RowBinary(16)
  for (const [number, { word, amount, count, at }] of written.entries())
    rows.int64(BigInt(number)).string(word).int64(amount).int64(count).milliseconds(at)
  return rows.bytes()
}

const decimals = (scaled: bigint): string => {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(5, '0')
  const text = `${scaled < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`
  return text.replace(/\.?0+$/, '')
}

describe.each(clickHousePlaces())('%s', (_name, open) => {
  const roundTrip = async (written: readonly Written[]) => {
    const db = await open()
    await db.command(`CREATE TABLE ${db.database}.one ${TABLE}`)
    await db.insertBinary('one', COLUMNS, rowsOf(written))
    return await db.select(
      `SELECT word, toString(amount) AS amount, toString(count) AS count, toString(toUnixTimestamp64Milli(at)) AS at
       FROM ${db.database}.one ORDER BY number`,
    )
  }
  const asRead = ({ word, amount, count, at }: Written) => ({
    word: word.toWellFormed(),
    amount: decimals(amount),
    count: count.toString(),
    at: at.toString(),
  })

  test('text of any script and length, and the ends of every range', async () => {
    const written: Written[] = [
      { word: '삼성전자', amount: 10n ** 18n - 1n, count: 2n ** 64n - 1n, at: 1_756_771_200_123 },
      { word: '', amount: 0n, count: 0n, at: 0 },
      { word: `'"\\\t\n\0{x:String}`, amount: 1n, count: 2n ** 53n + 1n, at: 1 },
      { word: '성'.repeat(50_000), amount: -1n, count: 1n, at: -1 },
      { word: 'a'.repeat(127), amount: 1n, count: 1n, at: 2 ** 32 },
      { word: 'b'.repeat(128), amount: 1n, count: 1n, at: 2 ** 32 - 1 },
      { word: 'half a pair \uD800', amount: 1n, count: 1n, at: 1 },
    ]
    expect(await roundTrip(written)).toEqual(written.map(asRead))
  })

  test('whatever rows there are', async () => {
    const row = fc.record({
      word: fc.string({ unit: 'binary', maxLength: 200 }),
      amount: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
      count: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    })
    const written = fc.sample(row, { numRuns: 2_000, seed: 7 })
    expect(await roundTrip(written)).toEqual(written.map(asRead))
  })
})
