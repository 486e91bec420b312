// Prices, books and bars. One TR id each for real and paper; the keys of any account may read them.
import { type InstrumentId, symbolOf, venueOf } from '#shared/domain/instrument.ts'
import type { Bar, BookLevel, OrderBook } from '#shared/domain/market-data.ts'
import {
  type Instant,
  type SessionDate,
  addDays,
  addMs,
  kstDate,
  kstInstant,
  kstTimeOfDay,
  timeOfDay,
} from '#shared/domain/time.ts'
import type { Money, Quantity } from '#shared/domain/values.ts'
import { notionalOf } from '#shared/domain/values.ts'
import type { Quote } from '#shared/ports/broker-gateway.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { type Row, digitsOf, isBlank, rowOf, rowsOf } from './fields.ts'
import type { KisRest } from './rest.ts'
import { PATH, QUOTE_TR } from './tr-ids.ts'

const READ_MS_MAX = 10_000
const BOOK_LEVELS = 10
const MINUTE_MS = 60_000
/** Twenty years of days at 100 a call. */
const CHART_CALLS_MAX = 60
const HALTED = '58'
const SESSION_OPEN = timeOfDay('09:00')
const SESSION_CLOSE = timeOfDay('15:30')

const MARKET_DIVISION: Readonly<Record<string, string>> = { KRX: 'J', NXT: 'NX' }

async function read(
  rest: KisRest,
  path: string,
  trId: string,
  instrumentId: InstrumentId,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const division = MARKET_DIVISION[venueOf(instrumentId)]
  if (division === undefined)
    throw new BrokerRefusedError(`${instrumentId}: only KRX and NXT are quoted here`)
  const whole = { FID_COND_MRKT_DIV_CODE: division, FID_INPUT_ISCD: symbolOf(instrumentId), ...query }
  const call = { path, trId, priority: 'read' as const, deadlineMs: READ_MS_MAX, query: whole }
  return (await rest.read(call, signal)).root
}

export async function readQuote(
  rest: KisRest,
  instrumentId: InstrumentId,
  signal: AbortSignal,
): Promise<Quote> {
  const root = await read(rest, PATH.price, QUOTE_TR.price, instrumentId, {}, signal)
  return quoteOf(instrumentId, rowOf(root['output'], `KIS ${QUOTE_TR.price}.output`))
}

export const quoteOf = (instrumentId: InstrumentId, row: Row): Quote => ({
  instrumentId,
  lastPrice: row.price('stck_prpr'),
  basePrice: row.price('stck_sdpr'),
  upperLimit: row.price('stck_mxpr'),
  lowerLimit: row.price('stck_llam'),
  tickSize: row.price('aspr_unit'),
  // A flag that is missing or new is not a permission.
  isTradable: row.text('iscd_stat_cls_code') !== HALTED && row.text('temp_stop_yn') === 'N',
})

export async function readOrderBook(
  rest: KisRest,
  instrumentId: InstrumentId,
  now: Instant,
  signal: AbortSignal,
): Promise<OrderBook> {
  const root = await read(rest, PATH.book, QUOTE_TR.book, instrumentId, {}, signal)
  return orderBookOf(instrumentId, rowOf(root['output1'], `KIS ${QUOTE_TR.book}.output1`), now)
}

export function orderBookOf(instrumentId: InstrumentId, row: Row, now: Instant): OrderBook {
  const levels = (side: 'askp' | 'bidp'): BookLevel[] => {
    const found: BookLevel[] = []
    for (let level = 1; level <= BOOK_LEVELS; level += 1) {
      const price = row.price(`${side}${level}`)
      const quantity = row.quantity(`${side}_rsqn${level}`)
      if (price > 0n && quantity > 0n) found.push({ price, quantity })
    }
    return found
  }
  return {
    instrumentId,
    eventTime: row.time(kstDate(now), 'aspr_acpt_hour'),
    asks: levels('askp'),
    bids: levels('bidp'),
  }
}

/**
 * A day bar is placed on the regular session, 09:00 to 15:30. Days without a trade have none, and neither has a session
 * that is still running: its bar would change.
 */
export async function readDailyBars(
  rest: KisRest,
  instrumentId: InstrumentId,
  span: { readonly from: SessionDate; readonly to: SessionDate },
  now: Instant,
  signal: AbortSignal,
): Promise<readonly Bar[]> {
  const bars = new Map<SessionDate, Bar>()
  const place = `KIS ${QUOTE_TR.dailyChart}`
  let last = span.to
  for (let calls = 0; last >= span.from; calls += 1) {
    if (calls >= CHART_CALLS_MAX) {
      throw new BrokerRefusedError(
        `${place}: ${span.from} to ${span.to} needs more than ${CHART_CALLS_MAX} calls`,
      )
    }
    const query = {
      FID_INPUT_DATE_1: digitsOf(span.from),
      FID_INPUT_DATE_2: digitsOf(last),
      FID_PERIOD_DIV_CODE: 'D',
      FID_ORG_ADJ_PRC: '0', // pitfall 22: adjusted here, raw in inquire-daily-price
    }
    const root = await read(rest, PATH.dailyChart, QUOTE_TR.dailyChart, instrumentId, query, signal)
    const rows = rowsOf(root, 'output2', place).filter((row) => !isBlank(row, 'stck_bsop_date'))
    const dates = rows.map((row) => row.date('stck_bsop_date'))
    const oldest = dates.reduce<SessionDate | undefined>(
      (low, date) => (low && low < date ? low : date),
      undefined,
    )
    for (const row of rows) {
      const bar = dailyBarOf(instrumentId, row)
      const date = row.date('stck_bsop_date')
      const inside = date >= span.from && date <= last
      if (bar !== undefined && inside && bar.closeTime <= now) bars.set(date, bar)
    }
    // No context keys here: the next page ends the day before the oldest row. A page that is empty or does not lead
    // back is the end.
    if (oldest === undefined || oldest > last) break
    last = addDays(oldest, -1)
  }
  return [...bars.values()].toSorted((left, right) => left.openTime - right.openTime)
}

export function dailyBarOf(instrumentId: InstrumentId, row: Row): Bar | undefined {
  const volume = row.quantity('acml_vol')
  const open = row.price('stck_oprc')
  if (volume === 0n || open === 0n) return undefined // suspended that day
  const date = row.date('stck_bsop_date')
  const prices = {
    open,
    high: row.price('stck_hgpr'),
    low: row.price('stck_lwpr'),
    close: row.price('stck_clpr'),
  }
  checkPrices(row, prices)
  return {
    instrumentId,
    interval: '1d',
    openTime: kstInstant(date, SESSION_OPEN),
    closeTime: kstInstant(date, SESSION_CLOSE),
    ...prices,
    volume,
    notional: row.money('acml_tr_pbmn'),
    trades: 0, // KIS does not count them
  }
}

function checkPrices(
  row: Row,
  { open, high, low, close }: Pick<Bar, 'open' | 'high' | 'low' | 'close'>,
): void {
  if (low > open || low > close || high < open || high < close) {
    throw row.fault('stck_hgpr', `open ${open}, high ${high}, low ${low}, close ${close} do not fit together`)
  }
}

interface MinuteRow {
  readonly openTime: Instant
  readonly row: Row
  /** Value of the day up to the end of this minute. */
  readonly dayNotional: Money
  readonly volume: Quantity
}

/** The chart covers today only. Rows without volume are filler, as is every row of a minute that has not ended. */
export async function readMinuteBars(
  rest: KisRest,
  instrumentId: InstrumentId,
  span: { readonly before: Instant; readonly limit: number },
  now: Instant,
  signal: AbortSignal,
): Promise<readonly Bar[]> {
  const today = kstDate(now)
  const end = Math.min(span.before, now) as Instant
  if (kstDate(end) !== today || span.limit <= 0) return []
  const rows = new Map<Instant, MinuteRow>()
  let cursor = end
  // One row more than asked: a bar's own value is the difference of two rows' totals.
  for (let calls = 0; calls < CHART_CALLS_MAX; calls += 1) {
    const page = await minutePage(rest, instrumentId, cursor, signal)
    const known = rows.size
    for (const minute of page) {
      if (kstDate(minute.openTime) === today && minute.openTime + MINUTE_MS <= end)
        rows.set(minute.openTime, minute)
    }
    const oldest = page.reduce<Instant>(
      (low, minute) => (minute.openTime < low ? minute.openTime : low),
      cursor,
    )
    const traded = [...rows.values()].filter((minute) => minute.volume > 0n).length
    const advanced = rows.size > known || oldest < cursor
    if (traded > span.limit || page.length === 0 || !advanced) break
    cursor = addMs(oldest, -MINUTE_MS)
    if (kstDate(cursor) !== today || kstTimeOfDay(cursor) < timeOfDay('08:00')) break
  }
  return minuteBarsOf(instrumentId, [...rows.values()]).slice(-span.limit)
}

async function minutePage(
  rest: KisRest,
  instrumentId: InstrumentId,
  cursor: Instant,
  signal: AbortSignal,
): Promise<readonly MinuteRow[]> {
  const digits = new Date(cursor + 9 * 3_600_000).toISOString().slice(11, 19).replaceAll(':', '')
  const query = { FID_INPUT_HOUR_1: digits, FID_PW_DATA_INCU_YN: 'N', FID_ETC_CLS_CODE: '' }
  const root = await read(rest, PATH.minuteChart, QUOTE_TR.minuteChart, instrumentId, query, signal)
  return minuteRowsOf(root)
}

export const minuteRowsOf = (root: Record<string, unknown>): readonly MinuteRow[] =>
  rowsOf(root, 'output2', `KIS ${QUOTE_TR.minuteChart}`)
    .filter((row) => !isBlank(row, 'stck_cntg_hour'))
    .map((row) => ({
      // The label is the minute's start; seconds of an unfinished minute are cut.
      openTime: (Math.floor(row.time(row.date('stck_bsop_date'), 'stck_cntg_hour') / MINUTE_MS) *
        MINUTE_MS) as Instant,
      row,
      dayNotional: row.money('acml_tr_pbmn'),
      volume: row.quantity('cntg_vol'),
    }))

export function minuteBarsOf(instrumentId: InstrumentId, minutes: readonly MinuteRow[]): readonly Bar[] {
  const ordered = minutes.toSorted((left, right) => left.openTime - right.openTime)
  const bars: Bar[] = []
  for (const [index, { openTime, row, dayNotional, volume }] of ordered.entries()) {
    if (volume === 0n) continue
    const close = row.price('stck_prpr')
    const prices = {
      open: row.price('stck_oprc'),
      high: row.price('stck_hgpr'),
      low: row.price('stck_lwpr'),
      close,
    }
    checkPrices(row, prices)
    const before = ordered[index - 1]?.dayNotional
    const difference = before === undefined ? undefined : dayNotional - before
    bars.push({
      instrumentId,
      interval: '1m',
      openTime,
      closeTime: addMs(openTime, MINUTE_MS),
      ...prices,
      volume,
      // Without the row before it, or where the totals run backwards, at the close.
      notional: (difference !== undefined && difference > 0n
        ? difference
        : notionalOf(close, volume)) as Money,
      trades: 0,
    })
  }
  return bars
}
