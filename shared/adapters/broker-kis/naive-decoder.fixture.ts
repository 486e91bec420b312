// The second opinion of the decoder's tests: the same rules, written for the eye. Shares no code with decoder.ts.
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'

export interface NaiveFrame {
  readonly trades: readonly TradeTick[]
  readonly quotes: readonly QuoteTick[]
}

const HOUR_MS = 3_600_000

/** Undefined where the frame must be refused. */
export function naiveDecode(frame: string, receivedTime: number): NaiveFrame | undefined {
  // oxlint-disable-next-line no-control-regex
  if (!/^[\x00-\x7f]*$/.test(frame)) return undefined
  const [flag, channel, digits, ...rest] = frame.split('|')
  if (flag !== '0' || digits === undefined || !/^\d{3}$/.test(digits) || rest.length === 0) return undefined
  const narrowest = channel === 'H0STCNT0' ? 46 : channel === 'H0STASP0' ? 59 : undefined
  if (narrowest === undefined) return undefined
  const payload = rest.join('|')
  const fields = payload.split('^')
  const count = Number(digits)
  const width = fields.length / count
  if (!Number.isInteger(width) || width < narrowest || width > narrowest + 20) return undefined
  const records = Array.from({ length: count }, (_, record) =>
    fields.slice(record * width, record * width + width),
  )
  const isTrade = channel === 'H0STCNT0'
  const trades = isTrade ? records.map(tradeOf) : []
  const quotes = isTrade ? [] : records.map((record) => quoteOf(record, receivedTime))
  if ([...trades, ...quotes].includes(undefined)) return undefined
  return {
    trades: trades.filter((trade) => trade !== undefined),
    quotes: quotes.filter((quote) => quote !== undefined),
  }
}

const SYMBOL = /^[0-9A-Z]{6,7}$/
const PRICE = /^\d{1,9}(\.\d{1,4})?$/
const UNITS = /^\d{1,14}$/

function tradeOf(record: readonly string[]): TradeTick | undefined {
  const at = (index: number): string => record[index] ?? ''
  const day = dayMsOf(at(33))
  const time = timeMsOf(at(1))
  const prices = [at(2), at(10), at(11)]
  const volumes = [at(12), at(13)]
  if (!SYMBOL.test(at(0)) || day === undefined || time === undefined || at(21).length > 1) return undefined
  if (!prices.every((text) => PRICE.test(text)) || !volumes.every((text) => UNITS.test(text)))
    return undefined
  if (price(at(2)) === 0n || quantity(at(12)) === 0n || quantity(at(13)) < quantity(at(12))) return undefined
  return {
    instrumentId: instrumentId(`${at(0)}.KRX`),
    eventTime: instant(day + time),
    price: price(at(2)),
    quantity: quantity(at(12)),
    aggressor: at(21) === '1' ? 'buy' : at(21) === '5' ? 'sell' : 'none',
    sessionVolume: quantity(at(13)),
    bidPrice: price(at(11)),
    askPrice: price(at(10)),
  }
}

function quoteOf(record: readonly string[], receivedTime: number): QuoteTick | undefined {
  const at = (index: number): string => record[index] ?? ''
  const time = timeMsOf(at(1))
  if (!SYMBOL.test(at(0)) || time === undefined) return undefined
  if (!PRICE.test(at(3)) || !PRICE.test(at(13)) || !UNITS.test(at(23)) || !UNITS.test(at(33)))
    return undefined
  const today = new Date(receivedTime + 9 * HOUR_MS).toISOString().slice(0, 10)
  const sameDay = Date.parse(`${today}T00:00:00+09:00`) + time
  const side = (unit: string, units: string) => {
    const offered = price(unit) > 0n && quantity(units) > 0n
    return { price: price(offered ? unit : '0'), quantity: quantity(offered ? units : '0') }
  }
  const ask = side(at(3), at(23))
  const bid = side(at(13), at(33))
  return {
    instrumentId: instrumentId(`${at(0)}.KRX`),
    eventTime: instant(sameDay - receivedTime > 12 * HOUR_MS ? sameDay - 24 * HOUR_MS : sameDay),
    bidPrice: bid.price,
    bidQuantity: bid.quantity,
    askPrice: ask.price,
    askQuantity: ask.quantity,
  }
}

function timeMsOf(text: string): number | undefined {
  const match = /^(\d\d)(\d\d)(\d\d)$/.exec(text)
  if (match === null) return undefined
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  return hour * HOUR_MS + minute * 60_000 + second * 1_000
}

function dayMsOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text)
  if (match === null) return undefined
  const day = `${match[1]}-${match[2]}-${match[3]}`
  const ms = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day || text < '19') return undefined
  return ms - 9 * HOUR_MS
}
