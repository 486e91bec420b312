// H0STCNT0 and H0STASP0 as text (reference §9.1, §9.2).
import type { Instant } from '#shared/domain/time.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'
import type { DayView } from '../market/day-view.ts'
import { changeOf, totalOf } from '../rest/quotes.ts'
import { codeOf, kisDate, kisTime, percent, signOf, won, wonExact } from '../rest/reply.ts'

export const TRADES = 'H0STCNT0'
export const BOOK = 'H0STASP0'

/** Fields a record. Widths have changed over the years and differ between KIS's own pages. */
export interface Widths {
  readonly trade: 46 | 47
  readonly book: 59 | 62 | 63
  readonly notice: 23 | 26
}

export const DEFAULT_WIDTHS: Widths = { trade: 47, book: 63, notice: 26 }

const LEVELS = 10

/** One trade, read from a day that has just followed it. */
export function tradeRecord(day: DayView, at: Instant, width: Widths['trade']): string {
  const { asks, bids } = day.depth
  const { last, volume } = day
  const open = day.open ?? last
  const change = changeOf(day)
  const time = kisTime(at)
  const traded = day.buyVolume + day.sellVolume
  const previousVolume = day.previous?.volume ?? 0n
  const fields = [
    codeOf(day.instrument.id),
    time,
    won(last),
    change.prdy_vrss_sign,
    change.prdy_vrss,
    change.prdy_ctrt,
    volume === 0n ? '0.00' : wonExact(day.notional / volume).slice(0, -2),
    won(open),
    won(day.high),
    won(day.low),
    won(asks[0]?.price ?? 0n),
    won(bids[0]?.price ?? 0n),
    day.lastQuantity.toString(),
    volume.toString(),
    won(day.notional),
    String(day.sellTrades),
    String(day.buyTrades),
    String(day.buyTrades - day.sellTrades),
    percent(day.buyVolume, day.sellVolume),
    day.sellVolume.toString(),
    day.buyVolume.toString(),
    day.lastAggressor === 'buy' ? '1' : day.lastAggressor === 'sell' ? '5' : '',
    traded === 0n ? '' : (Number(day.buyVolume) / Number(traded)).toFixed(2),
    percent(volume, previousVolume),
    kisTime(day.openTime),
    signOf(last - open),
    won(last - open),
    kisTime(day.highTime),
    signOf(last - day.high),
    won(last - day.high),
    kisTime(day.lowTime),
    signOf(last - day.low),
    won(last - day.low),
    kisDate(day.date),
    '20',
    'N',
    String(asks[0]?.quantity ?? 0),
    String(bids[0]?.quantity ?? 0),
    totalOf(asks).toString(),
    totalOf(bids).toString(),
    '0.00',
    '0',
    '0.00',
    '0',
    '',
    won(open),
  ]
  if (width === 47) fields.push('2')
  return fields.join('^')
}

function side(
  levels: DayView['depth']['asks'],
  read: (level: { price: Price; quantity: Quantity }) => string,
): string[] {
  return Array.from({ length: LEVELS }, (_, index) => {
    const level = levels[index]
    return level === undefined ? '0' : read(level)
  })
}

/** The book as it stands. In an auction the hour class is A (closing) or B (opening). */
export function bookRecord(
  day: DayView,
  at: Instant,
  hourClass: '0' | 'A' | 'B',
  width: Widths['book'],
): string {
  const { asks, bids } = day.depth
  const base = day.instrument.basePrice
  const mid = asks[0] !== undefined && bids[0] !== undefined ? (asks[0].price + bids[0].price) / 2n : 0n
  const fields = [
    codeOf(day.instrument.id),
    kisTime(at),
    hourClass,
    ...side(asks, (level) => won(level.price)),
    ...side(bids, (level) => won(level.price)),
    ...side(asks, (level) => level.quantity.toString()),
    ...side(bids, (level) => level.quantity.toString()),
    totalOf(asks).toString(),
    totalOf(bids).toString(),
    '0',
    '0',
    // No expected price outside auctions: KIS then shows the whole base price as the change.
    '0',
    '0',
    '0',
    won(0n - base),
    '5',
    '-100.00',
    day.volume.toString(),
    '0',
    '0',
    '0',
    '0',
    '0',
  ]
  if (width >= 62) fields.push(won(mid), '0', '0')
  if (width === 63) fields.push('2')
  return fields.join('^')
}

/** `count` records in one plain frame. */
export const plainFrame = (trId: string, records: readonly string[]): string =>
  `0|${trId}|${String(records.length).padStart(3, '0')}|${records.join('^')}`
