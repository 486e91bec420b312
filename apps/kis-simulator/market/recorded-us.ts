// US trade ticks, for throughput: played as if they were Korean. One dollar becomes 1,000 won; the regular session of New
// York (six and a half hours) is laid over 09:00 to 15:30; the day becomes the first KRX session of 2025 at or after the same
// day of the year; the symbol is padded to six characters. Trades before and after hours are left out. Prices are off the
// KRX grid and there is no book, so orders meet prints only.
import { krxSessionOf, nextSessionDate } from '#shared/domain/krx-calendar.ts'
import { roundToPriceIncrement } from '#shared/domain/krx-rules.ts'
import { type SessionDate, addDays, instant, sessionDate } from '#shared/domain/time.ts'
import type { Price } from '#shared/domain/values.ts'
import type { InstrumentEvent } from '#shared/simulation/market-event.ts'
import { type CsvFile, stemOf } from './csv.ts'
import { instrumentOf } from './listed-instruments.ts'
import { recordedDays } from './recorded-days.ts'
import { type MarketSource, RecordingError, hoursOf, sessionOn } from './source.ts'

const WON_PER_DOLLAR = 1000n
const PRICE_UNITS_PER_WON = 10_000n
const NEW_YORK_OPEN = 'T09:30:00-04:00'

function stageDate(recorded: string): SessionDate {
  const date = sessionDate(`2025-${recorded.slice(5, 10)}`)
  return krxSessionOf(date) === undefined ? nextSessionDate(addDays(date, -1)) : date
}

export function recordedUsTicks(name: string, file: CsvFile): MarketSource {
  const symbol = (/^([a-z]+)_/.exec(stemOf(file.path))?.[1] ?? stemOf(file.path))
    .toUpperCase()
    .padStart(6, '0')
  const instrument = instrumentOf(symbol)
  const events: InstrumentEvent[] = []
  let date: SessionDate | undefined
  let shiftMs = 0
  let closeMs = 0
  for (const row of file.rows()) {
    const text = row.text('time')
    if (date === undefined) {
      date = stageDate(text)
      const hours = hoursOf(sessionOn(date))
      shiftMs = hours.open - Date.parse(`${text.slice(0, 10)}${NEW_YORK_OPEN}`)
      closeMs = hours.close
    }
    const at = Date.parse(text) + shiftMs
    const dollars = row.price('price')
    const quantity = row.quantity('size')
    if (dollars === undefined || quantity === undefined || quantity === 0n) continue
    if (at < closeMs - 6.5 * 3_600_000 || at >= closeMs) continue
    const won = (dollars * WON_PER_DOLLAR) / PRICE_UNITS_PER_WON
    const price = (won * PRICE_UNITS_PER_WON) as Price
    const trade = { at: instant(at), instrumentId: instrument.id, price, quantity }
    if (events.length === 0) events.push({ kind: 'uncrossed', ...trade })
    else events.push({ kind: 'printed', ...trade, aggressor: 'none' })
  }
  const first = events[0]
  if (date === undefined || first?.kind !== 'uncrossed')
    throw new RecordingError(`${file.path} holds no trade`)
  const hours = hoursOf(sessionOn(date))
  const basePrice = roundToPriceIncrement(instrument.kind, first.price, date, 'down', instrument.market)
  const day = {
    date,
    hours: { ...hours, closing: hours.close },
    instruments: [{ ...instrument, basePrice, basePriceDate: date }],
    events: () => events,
  }
  return recordedDays(name, [day], new Map())
}
