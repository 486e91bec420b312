// The rules and the calendar against recorded KRX sessions. What is left out, and why, is in the README of the data.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { InstrumentKind } from './instrument.ts'
import { krxSessionOf, nextSessionDate } from './krx-calendar.ts'
import { KRX_CALENDAR_FIRST, KRX_HOLIDAYS, KRX_PROVISIONAL_FROM, KRX_SPECIAL_HOURS } from './krx-holidays.ts'
import { isOnTick, priceLimitsOf } from './krx-rules.ts'
import { type SessionDate, kstInstant, sessionDate, timeOfDay } from './time.ts'
import { type Price, price } from './values.ts'

const DATA = join(process.cwd(), '../shared/data')
const rowsOf = (file: string): Record<string, string>[] => {
  const [header = '', ...lines] = readFileSync(join(DATA, file), 'utf8').trim().split(/\r?\n/)
  const names = header.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at] ?? '', cell])))
}

interface Close {
  readonly symbol: string
  readonly kind: InstrumentKind
  readonly date: SessionDate
  readonly close: Price
}

/** Adjusted for corporate actions, therefore off the grid. */
const ADJUSTED = ['006400', '068270']
const ETPS = ['069500', '114800', '360750', '122630', '252670']
/** Twice the index, up or down: twice the limit. */
const LEVERAGED = ['122630', '252670']

function closesOf(folder: string): readonly (readonly Close[])[] {
  return readdirSync(join(DATA, 'daily', folder)).map((file) => {
    const symbol = file.replace('.csv', '')
    const kind = ETPS.includes(symbol) ? 'etp' : 'stock'
    return rowsOf(join('daily', folder, file)).map((row) => ({
      symbol,
      kind,
      date: sessionDate(row['date'] ?? ''),
      close: price(row['close'] ?? ''),
    }))
  })
}

function closesOfTable(file: string): readonly (readonly Close[])[] {
  const rows = rowsOf(join('daily', file))
  const symbols = Object.keys(rows[0] ?? {}).filter((name) => name !== 'date')
  return symbols.map((symbol) =>
    rows.flatMap((row) =>
      row[symbol] === undefined || row[symbol] === ''
        ? []
        : [{ symbol, kind: 'stock', date: sessionDate(row['date'] ?? ''), close: price(row[symbol]) }],
    ),
  )
}

function recorded(): readonly (readonly Close[])[] {
  return [
    ...closesOf('stocks_2023-12-05_2025-06-16'),
    ...closesOf('etf_2025-01-02_2026-04-24'),
    ...closesOf('older_2022-01-03_2023-12-22'),
    ...closesOfTable('closes_2025-05-29_2026-05-12.csv'),
  ].filter((series) => series[0] !== undefined)
}

const isAdjusted = ({ symbol, date }: Close): boolean => ADJUSTED.includes(symbol) && date < '2025-06-05'

const checkRecorded = (): void => {
  const all = recorded()
  const closes = all.flat()

  test(`an official close lies off the tick grid: none of ${closes.length}`, () => {
    const off = closes.filter((row) => !isAdjusted(row) && !isOnTick(row.kind, row.close, row.date))
    expect(off).toEqual([])
    expect(closes.length).toBeGreaterThan(20_000)
  })

  test('a close lies outside the limits of its day', () => {
    let moves = 0
    const outside = all.flatMap((series) =>
      series.slice(1).filter((row, at) => {
        const before = series[at]
        if (before === undefined || isAdjusted(row) || LEVERAGED.includes(row.symbol)) return false
        // A table of closes leaves out sessions; only neighbors are a day's move.
        if (row.date >= '2023-01-03' && nextSessionDate(before.date) !== row.date) return false
        moves += 1
        const { lower, upper } = priceLimitsOf({ kind: row.kind, market: 'KOSPI' }, before.close, row.date)
        return row.close < lower || row.close > upper
      }),
    )
    expect(outside).toEqual([])
    expect(moves).toBeGreaterThan(15_000)
  })

  test('the calendar has a session that was not held, or misses one that was', () => {
    const held = new Set(closes.map((row) => row.date).filter((date) => date >= KRX_CALENDAR_FIRST))
    for (const date of held) expect([date, krxSessionOf(date)?.date]).toEqual([date, date])
    // These files leave no session out.
    for (const folder of ['stocks_2023-12-05_2025-06-16', 'etf_2025-01-02_2026-04-24']) {
      const [dates = []] = closesOf(folder).map((series) => series.map((row) => row.date))
      for (const [at, date] of dates.slice(1).entries()) expect(nextSessionDate(dates[at] ?? date)).toBe(date)
    }
  })

  test('our holidays and hours differ from the collected ones', () => {
    const published = KRX_HOLIDAYS.map(([date]) => date).filter((date) => date < KRX_PROVISIONAL_FROM)
    expect(published).toEqual(rowsOf('reference/krx_holidays_2023_2026.csv').map((row) => row['date']))
    for (const row of rowsOf('reference/krx_special_hours.csv')) {
      const date = sessionDate(row['date'] ?? '')
      const phases = krxSessionOf(date)?.phases
      expect(phases?.[1]?.from).toBe(kstInstant(date, timeOfDay(row['open_kst'] ?? '')))
      expect(phases?.[2]?.to).toBe(kstInstant(date, timeOfDay(row['close_kst'] ?? '')))
    }
    const hours = KRX_SPECIAL_HOURS.filter(({ date }) => date < KRX_PROVISIONAL_FROM)
    expect(hours).toHaveLength(rowsOf('reference/krx_special_hours.csv').length + 1)
  })
}

const reportAbsence = (): void => {
  test('recorded data not present: KRX rules and calendar are not checked against it', () => {
    console.info(`no recorded data at ${DATA}`)
    expect(existsSync(DATA)).toBe(false)
  })
}

const checks = existsSync(DATA) ? checkRecorded : reportAbsence

describe('what recorded sessions would show', () => {
  checks()
})
