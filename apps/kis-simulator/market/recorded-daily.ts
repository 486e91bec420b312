// Daily bars, each played as a session: the opening auction at the open, a path of prints that touches high and low, the
// closing auction at the close. The volumes add up to the day's. The base price of a day is the close before it.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { roundToPriceIncrement } from '#shared/domain/krx-rules.ts'
import { type Instant, type SessionDate, instant, sessionDate } from '#shared/domain/time.ts'
import { type Price, type Quantity, notionalOf } from '#shared/domain/values.ts'
import type { InstrumentEvent } from '#shared/simulation/market-event.ts'
import { type CsvFile, stemOf } from './csv.ts'
import { instrumentOf } from './listed-instruments.ts'
import { type BarRow, barOf, turningPoints } from './recorded-bars.ts'
import { type PathPoint, type RecordedDay, merged, printsAlong, recordedDays } from './recorded-days.ts'
import {
  type DailyBar,
  type Hours,
  type Listed,
  type MarketSource,
  RecordingError,
  hoursOf,
  sessionOn,
} from './source.ts'

/** Sessions that are history rather than tape, so that strategies can warm up. */
const WARM_UP_SESSIONS = 60
const STEPS_PER_LEG = 8
const OPENING_PART = 20n
const CLOSING_PART = 12n

interface DailyTape {
  readonly symbol: string
  readonly bars: readonly (BarRow & { readonly date: SessionDate })[]
}

function tapeOf(file: CsvFile): DailyTape {
  const bars: (BarRow & { date: SessionDate })[] = []
  for (const row of file.rows()) {
    const date = row.parsed('date', sessionDate)
    bars.push({ ...barOf(file, row, 0 as Instant), date })
  }
  return { symbol: stemOf(file.path), bars }
}

/** From turning point to turning point on the grid, evenly over continuous trading; each turning point is touched. */
function pathOf(bar: BarRow, instrument: Listed, date: SessionDate, hours: Hours): readonly PathPoint[] {
  const points = turningPoints(bar)
  const prices: Price[] = []
  for (const [index, from] of points.slice(0, -1).entries()) {
    const to = points[index + 1] ?? from
    for (let step = 0; step < STEPS_PER_LEG; step += 1) {
      const between = (from + ((to - from) * BigInt(step)) / BigInt(STEPS_PER_LEG)) as Price
      const isTurn = step === 0
      prices.push(
        isTurn
          ? from
          : inside(bar, roundToPriceIncrement(instrument.kind, between, date, 'down', instrument.market)),
      )
    }
  }
  prices.push(bar.close)
  const stepMs = Math.floor((hours.closing - hours.open - 1000) / prices.length)
  return prices.map((price, index) => ({ at: instant(hours.open + 500 + index * stepMs), price }))
}

const inside = (bar: BarRow, price: Price): Price =>
  price < bar.low ? bar.low : price > bar.high ? bar.high : price

function eventsOf(
  bar: BarRow,
  instrument: Listed,
  date: SessionDate,
  hours: Hours,
): readonly InstrumentEvent[] {
  const opening = (bar.volume / OPENING_PART) as Quantity
  const closing = (bar.volume / CLOSING_PART) as Quantity
  const rest = (bar.volume - opening - closing) as Quantity
  const instrumentId = instrument.id
  return [
    { kind: 'uncrossed', at: instant(hours.open), instrumentId, price: bar.open, quantity: opening },
    ...printsAlong(instrument, pathOf(bar, instrument, date, hours), rest, date),
    { kind: 'uncrossed', at: instant(hours.close), instrumentId, price: bar.close, quantity: closing },
  ]
}

const dailyBarOf = (bar: BarRow & { readonly date: SessionDate }): DailyBar => ({
  date: bar.date,
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
  volume: bar.volume,
  notional: notionalOf(((bar.high + bar.low) / 2n) as Price, bar.volume),
})

/** The tape begins at `from`, or after sixty sessions (one, where there are fewer than twice that). */
export function recordedDaily(name: string, files: readonly CsvFile[], from?: SessionDate): MarketSource {
  const tapes = files.map(tapeOf)
  const dates = [...new Set(tapes.flatMap(({ bars }) => bars.map((bar) => bar.date)))].toSorted()
  const warmUp = dates.length >= 2 * WARM_UP_SESSIONS ? WARM_UP_SESSIONS : 1
  const firstDate = from ?? dates[warmUp]
  if (firstDate === undefined) throw new RecordingError(`${name} holds fewer than two sessions`)
  const byDate = new Map<SessionDate, { bar: BarRow; instrument: Listed }[]>()
  const histories = new Map<InstrumentId, readonly DailyBar[]>()
  for (const { symbol, bars } of tapes) {
    const instrument = instrumentOf(symbol)
    histories.set(instrument.id, bars.filter((bar) => bar.date < firstDate).map(dailyBarOf))
    for (const [index, bar] of bars.entries()) {
      const before = bars[index - 1]
      if (before === undefined || bar.date < firstDate) continue
      const listed = { ...instrument, basePrice: before.close, basePriceDate: bar.date }
      byDate.set(bar.date, [...(byDate.get(bar.date) ?? []), { bar, instrument: listed }])
    }
  }
  const days = [...byDate.keys()].toSorted().map((date): RecordedDay => {
    const rows = byDate.get(date) ?? []
    const hours = hoursOf(sessionOn(date))
    const events = () => merged(rows.map(({ bar, instrument }) => eventsOf(bar, instrument, date, hours)))
    return { date, hours, instruments: rows.map(({ instrument }) => instrument), events }
  })
  return recordedDays(name, days, histories)
}
