// Trades with the five best levels, one row an update. The first row's size is all that traded before it, the opening
// auction with it, so it is played as the auction. There is no closing auction in these files.
import { roundToPriceIncrement } from '#shared/domain/krx-rules.ts'
import type { BookLevel } from '#shared/domain/market-data.ts'
import { type SessionDate, kstDate, parseInstant } from '#shared/domain/time.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'
import type { Depth, InstrumentEvent } from '#shared/simulation/market-event.ts'
import { type CsvFile, type CsvRow, stemOf } from './csv.ts'
import { instrumentOf } from './listed-instruments.ts'
import { type RecordedDay, merged, recordedDays } from './recorded-days.ts'
import { type MarketSource, RecordingError, hoursOf, sessionOn } from './source.ts'

const LEVELS = 5

function levelsOf(row: CsvRow, side: 'ask' | 'bid'): readonly BookLevel[] {
  const levels: BookLevel[] = []
  for (let level = 1; level <= LEVELS; level += 1) {
    const price = row.price(`${side}${level}`)
    const quantity = row.quantity(`${side}${level}_qty`)
    if (price !== undefined && quantity !== undefined && price > 0n && quantity > 0n) {
      levels.push({ price, quantity })
    }
  }
  return levels
}

interface TickTape {
  readonly date: SessionDate
  readonly firstPrice: Price
  readonly symbol: string
  readonly events: readonly InstrumentEvent[]
}

function tapeOf(file: CsvFile): TickTape {
  const symbol = stemOf(file.path)
  const instrumentId = instrumentOf(symbol).id
  const events: InstrumentEvent[] = []
  let firstPrice: Price | undefined
  let bestAsk: Price | undefined
  let bestBid: Price | undefined
  for (const row of file.rows()) {
    const at = row.parsed('time', parseInstant)
    const price = row.price('price')
    const quantity = row.quantity('size')
    const depth: Depth = { asks: levelsOf(row, 'ask'), bids: levelsOf(row, 'bid') }
    const hasDepth = depth.asks.length > 0 || depth.bids.length > 0
    const isTrade =
      row.text('kind') === 'trade' && price !== undefined && quantity !== undefined && quantity > 0n
    if (isTrade) {
      const isFirst = firstPrice === undefined
      firstPrice ??= price
      if (isFirst && opensTheDay(row, quantity)) {
        events.push({ kind: 'uncrossed', at, instrumentId, price, quantity })
        if (hasDepth) events.push({ kind: 'quoted', at, instrumentId, depth })
      } else {
        // The book of a row can lag its trade: the side comes from the book before it.
        const isBuy = bestAsk !== undefined && price >= bestAsk
        const isSell = bestBid !== undefined && price <= bestBid
        const aggressor = isBuy ? 'buy' : isSell ? 'sell' : 'none'
        events.push({
          kind: 'printed',
          at,
          instrumentId,
          price,
          quantity,
          aggressor,
          ...(hasDepth ? { depth } : {}),
        })
      }
    } else if (hasDepth) events.push({ kind: 'quoted', at, instrumentId, depth })
    bestAsk = depth.asks[0]?.price ?? bestAsk
    bestBid = depth.bids[0]?.price ?? bestBid
  }
  const first = events[0]
  if (first === undefined || firstPrice === undefined) throw new RecordingError(`${file.path} holds no trade`)
  return { date: kstDate(first.at), firstPrice, symbol, events }
}

const opensTheDay = (row: CsvRow, size: Quantity): boolean => row.quantity('cum_volume') === size

/** The base price is not in the files: the first trade's, cut to the grid, stands in for it. */
export function recordedTicks(name: string, files: readonly CsvFile[]): MarketSource {
  const tapes = files.map(tapeOf)
  const dates = [...new Set(tapes.map((tape) => tape.date))].toSorted()
  const days = dates.map((date): RecordedDay => {
    const own = tapes.filter((tape) => tape.date === date)
    const events = merged(own.map((tape) => tape.events))
    const instruments = own.map(({ symbol, firstPrice }) => {
      const instrument = instrumentOf(symbol)
      const basePrice = roundToPriceIncrement(instrument.kind, firstPrice, date, 'down', instrument.market)
      return { ...instrument, basePrice, basePriceDate: date }
    })
    return { date, hours: hoursOf(sessionOn(date)), instruments, events: () => events }
  })
  return recordedDays(name, days, new Map())
}
