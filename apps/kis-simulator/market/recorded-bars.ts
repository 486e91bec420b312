// Intraday bars. Each becomes four prints inside its interval: open, the nearer extreme, the other one, close; their
// quantities add up to the bar's. A bar without volume prints nothing. The first bar's open is the opening auction, with
// a quarter of that bar's volume; there is no closing auction in these files.
import { roundToPriceIncrement } from '#shared/domain/krx-rules.ts'
import { type Instant, type SessionDate, addMs, kstDate, parseInstant } from '#shared/domain/time.ts'
import { type Price, type Quantity, notionalOf } from '#shared/domain/values.ts'
import type { InstrumentEvent } from '#shared/simulation/market-event.ts'
import { type CsvFile, type CsvRow, stemOf } from './csv.ts'
import { instrumentOf } from './listed-instruments.ts'
import { type RecordedDay, merged, printsAlong, recordedDays } from './recorded-days.ts'
import { type DailyBar, type MarketSource, RecordingError, hoursOf, sessionOn } from './source.ts'

export interface BarRow {
  readonly at: Instant
  readonly open: Price
  readonly high: Price
  readonly low: Price
  readonly close: Price
  readonly volume: Quantity
}

/** @throws RecordingError for a bar that is none. */
export function barOf(file: CsvFile, row: CsvRow, at: Instant): BarRow {
  const [open, high, low, close] = (['open', 'high', 'low', 'close'] as const).map((name) => row.price(name))
  const volume = row.quantity('volume')
  if (
    open === undefined ||
    high === undefined ||
    low === undefined ||
    close === undefined ||
    volume === undefined
  ) {
    throw new RecordingError(`${file.path}:${row.line} lacks a price or the volume`)
  }
  // Adjusted files round each price by itself, so an extreme can lie a won inside (data README).
  const highest = [open, high, low, close].reduce((left, right) => (left > right ? left : right))
  const lowest = [open, high, low, close].reduce((left, right) => (left < right ? left : right))
  return { at, open, high: highest, low: lowest, close, volume }
}

/** Which extreme came first is not recorded: a bar that rose is taken to have fallen first. */
export const turningPoints = ({ open, high, low, close }: BarRow): readonly Price[] =>
  close >= open ? [open, low, high, close] : [open, high, low, close]

const symbolOfFile = (path: string): string =>
  /(?:^bars_\d+m_)?([0-9A-Z]{6})(?:_|$)/.exec(stemOf(path))?.[1] ?? stemOf(path)

interface BarTape {
  readonly symbol: string
  readonly intervalMs: number
  readonly days: ReadonlyMap<SessionDate, readonly BarRow[]>
}

function tapeOf(file: CsvFile, intervalMs: number): BarTape {
  const days = new Map<SessionDate, BarRow[]>()
  for (const row of file.rows()) {
    const bar = barOf(file, row, row.parsed('time', parseInstant))
    const date = kstDate(bar.at)
    const own = days.get(date) ?? []
    own.push(bar)
    days.set(date, own)
  }
  return { symbol: symbolOfFile(file.path), intervalMs, days }
}

function eventsOf(
  { symbol, intervalMs }: BarTape,
  bars: readonly BarRow[],
  date: SessionDate,
): InstrumentEvent[] {
  const instrument = instrumentOf(symbol)
  const events: InstrumentEvent[] = []
  for (const [index, bar] of bars.entries()) {
    const prices = turningPoints(bar)
    const step = Math.floor(intervalMs / prices.length)
    const path = prices.map((price, turn) => ({ at: addMs(bar.at, turn * step), price }))
    const prints = [...printsAlong(instrument, path, bar.volume, date)]
    const [first] = prints
    if (index === 0 && first?.kind === 'printed') {
      const { at, instrumentId, price, quantity } = first
      prints[0] = { kind: 'uncrossed', at, instrumentId, price, quantity }
    }
    events.push(...prints)
  }
  return events
}

function dailyBarOf(date: SessionDate, bars: readonly BarRow[]): DailyBar | undefined {
  const [first, last] = [bars[0], bars.at(-1)]
  if (first === undefined || last === undefined) return undefined
  return {
    date,
    open: first.open,
    high: bars.reduce((high, bar) => (bar.high > high ? bar.high : high), first.high),
    low: bars.reduce((low, bar) => (bar.low < low ? bar.low : low), first.low),
    close: last.close,
    volume: bars.reduce((sum, bar) => sum + bar.volume, 0n) as Quantity,
    notional: bars.reduce((sum, bar) => sum + notionalOf(bar.close, bar.volume), 0n) as DailyBar['notional'],
  }
}

/** The base price of a day is the last price of the day before; of the first day its own first price. */
export function recordedBars(name: string, files: readonly CsvFile[], intervalMs: number): MarketSource {
  const tapes = files.map((file) => tapeOf(file, intervalMs))
  const dates = [...new Set(tapes.flatMap((tape) => [...tape.days.keys()]))].toSorted()
  const last = new Map<string, Price>()
  const days = dates.map((date): RecordedDay => {
    const own = tapes.filter((tape) => tape.days.has(date))
    const instruments = own.map(({ symbol, days: recorded }) => {
      const instrument = instrumentOf(symbol)
      const daily = dailyBarOf(date, recorded.get(date) ?? [])
      const before = last.get(symbol) ?? daily?.open
      if (before === undefined || daily === undefined)
        throw new RecordingError(`${name}: ${symbol} has no bar on ${date}`)
      last.set(symbol, daily.close)
      const basePrice = roundToPriceIncrement(instrument.kind, before, date, 'down', instrument.market)
      return { ...instrument, basePrice, basePriceDate: date }
    })
    const events = () => merged(own.map((tape) => eventsOf(tape, tape.days.get(date) ?? [], date)))
    return { date, hours: hoursOf(sessionOn(date)), instruments, events }
  })
  return recordedDays(name, days, new Map())
}
