import { type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import {
  AGGRESSORS,
  type Aggressor,
  BAR_INTERVALS,
  type Bar,
  type BarInterval,
} from '#shared/domain/market-data.ts'
import { instant } from '#shared/domain/time.ts'
import { type Price, formatMoney, formatPrice, money, price, quantity } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { StoredTick, TickStore } from '#shared/ports/tick-store.ts'
import { type BufferOptions, bufferedWriter } from './buffered-writer.ts'
import { type ClickHouse, type Row, field } from './clickhouse.ts'
import { RowBinary } from './row-binary.ts'

export const TICK_COLUMNS = [
  'instrument_id',
  'event_time',
  'received_time',
  'price',
  'quantity',
  'aggressor',
  'session_volume',
  'bid_price',
  'ask_price',
  'tick_id',
] as const

const BAR_COLUMNS = [
  'instrument_id',
  'interval',
  'open_time',
  'close_time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'notional',
  'trades',
] as const

/** Decimal(18, 4) and UInt64 of the columns. A row beyond them would hold up all rows behind it for ever. */
const PRICE_MAX = 10n ** 18n - 1n
const COUNT_MAX = 2n ** 64n - 1n
/** About what a tick takes; rows make room for themselves. */
const TICK_BYTES = 128
const NOTIONAL_MAX = 10n ** 38n - 1n

function inRange(name: string, value: bigint, max: bigint): bigint {
  if (value < 0n || value > max) throw new PoisonError(`${name} cannot be stored: ${value}`)
  return value
}

function priceText(name: string, value: Price): string {
  inRange(name, value, PRICE_MAX)
  return `"${formatPrice(value)}"`
}

/** @throws PoisonError for a tick beyond what a column can hold. */
function storable(tick: StoredTick): StoredTick {
  inRange('price', tick.price, PRICE_MAX)
  inRange('quantity', tick.quantity, COUNT_MAX)
  inRange('sessionVolume', tick.sessionVolume, COUNT_MAX)
  inRange('bidPrice', tick.bidPrice, PRICE_MAX)
  inRange('askPrice', tick.askPrice, PRICE_MAX)
  return tick
}

/** In the order of TICK_COLUMNS. Prices are scaled as Decimal(18, 4) is. */
export function tickRows(ticks: readonly StoredTick[]): Uint8Array {
  const rows = new RowBinary(ticks.length * TICK_BYTES)
  for (const tick of ticks) {
    rows.string(tick.instrumentId).milliseconds(tick.eventTime).milliseconds(tick.receivedTime)
    rows.int64(tick.price).int64(tick.quantity).string(tick.aggressor).int64(tick.sessionVolume)
    rows.int64(tick.bidPrice).int64(tick.askPrice).string(tick.tickId)
  }
  return rows.bytes()
}

function barRow(bar: Bar): string {
  inRange('notional', bar.notional, NOTIONAL_MAX)
  return (
    `["${bar.instrumentId}","${bar.interval}",${bar.openTime},${bar.closeTime},${priceText('open', bar.open)},` +
    `${priceText('high', bar.high)},${priceText('low', bar.low)},${priceText('close', bar.close)},` +
    `${inRange('volume', bar.volume, COUNT_MAX)},"${formatMoney(bar.notional)}",${bar.trades}]`
  )
}

const time = (row: Row, name: string) => instant(Number(field(row, name)))

function oneOf<T extends string>(known: readonly T[], text: string): T {
  const found = known.find((value) => value === text)
  if (found === undefined)
    throw new TypeError(`stored ${JSON.stringify(text)} is none of ${known.join(', ')}`)
  return found
}

const tickOf = (row: Row): StoredTick => ({
  instrumentId: instrumentId(field(row, 'instrument_id')),
  eventTime: time(row, 'event_ms'),
  receivedTime: time(row, 'received_ms'),
  price: price(field(row, 'price_text')),
  quantity: quantity(field(row, 'quantity')),
  aggressor: oneOf<Aggressor>(AGGRESSORS, field(row, 'aggressor')),
  sessionVolume: quantity(field(row, 'session_volume')),
  bidPrice: price(field(row, 'bid_text')),
  askPrice: price(field(row, 'ask_text')),
  tickId: field(row, 'tick_id'),
})

const barOf = (row: Row): Bar => ({
  instrumentId: instrumentId(field(row, 'instrument_id')),
  interval: oneOf<BarInterval>(BAR_INTERVALS, field(row, 'interval')),
  openTime: time(row, 'open_ms'),
  closeTime: time(row, 'close_ms'),
  open: price(field(row, 'open_text')),
  high: price(field(row, 'high_text')),
  low: price(field(row, 'low_text')),
  close: price(field(row, 'close_text')),
  volume: quantity(field(row, 'volume')),
  notional: money(field(row, 'notional_text')),
  trades: Number(field(row, 'trades_text')),
})

const selectTicks = (database: string): string => `
  SELECT instrument_id, toUnixTimestamp64Milli(event_time) AS event_ms,
    toUnixTimestamp64Milli(received_time) AS received_ms, toString(price) AS price_text, quantity, aggressor,
    session_volume, toString(bid_price) AS bid_text, toString(ask_price) AS ask_text, tick_id
  FROM ${database}.ticks FINAL
  WHERE instrument_id = {instrument:String}
    AND event_time >= fromUnixTimestamp64Milli({from:Int64}) AND event_time < fromUnixTimestamp64Milli({to:Int64})
  ORDER BY event_time, session_volume, tick_id
  LIMIT {limit:UInt32}`

const selectBars = (database: string): string => `
  SELECT instrument_id, interval, toUnixTimestamp64Milli(open_time) AS open_ms,
    toUnixTimestamp64Milli(close_time) AS close_ms, toString(open) AS open_text, toString(high) AS high_text,
    toString(low) AS low_text, toString(close) AS close_text, volume, toString(notional) AS notional_text,
    toString(trades) AS trades_text
  FROM ${database}.bars FINAL
  WHERE instrument_id = {instrument:String} AND interval = {interval:String}
    AND open_time < fromUnixTimestamp64Milli({before:Int64}) AND close_time <= fromUnixTimestamp64Milli({before:Int64})
  ORDER BY open_time DESC
  LIMIT {limit:UInt32}`

/**
 * `append…` rejects with `PoisonError`, taking none of the rows, when one is beyond what a column can hold.
 * The rows of a tick query are `from` ≤ eventTime < `to`, oldest first. Closing leaves the connection open.
 */
export function clickhouseTickStore(db: ClickHouse, options: BufferOptions): TickStore {
  const ticks = bufferedWriter<StoredTick>(
    'ticks',
    (batch) => db.insertBinary('ticks', TICK_COLUMNS, tickRows(batch)),
    options,
  )
  const bars = bufferedWriter<string>('bars', (rows) => db.insert('bars', BAR_COLUMNS, rows), options)

  return {
    appendTicks: async (added) => await ticks.append(added.map(storable)),
    appendBars: async (added) => await bars.append(added.map(barRow)),
    async flush() {
      await Promise.all([ticks.flush(), bars.flush()])
    },
    async bars(instrument, interval, before, limit) {
      const rows = await db.select(selectBars(db.database), { instrument, interval, before, limit })
      return rows.map(barOf).toReversed()
    },
    async ticks(instrument: InstrumentId, from, to, limit) {
      const rows = await db.select(selectTicks(db.database), { instrument, from, to, limit })
      return rows.map(tickOf)
    },
    async close() {
      await Promise.all([ticks.close(), bars.close()])
    },
  }
}

/** Ticks older than this are removed by ClickHouse in its own time; `undefined` keeps them for ever (the default). */
export async function setTickRetention(db: ClickHouse, days: number | undefined): Promise<void> {
  if (days !== undefined && !(Number.isInteger(days) && days > 0)) {
    throw new RangeError(`days must be a whole number above zero: ${days}`)
  }
  const [table] = await db.select(
    `SELECT create_table_query AS ddl FROM system.tables WHERE database = {database:String} AND name = 'ticks'`,
    { database: db.database },
  )
  const hasTtl = / TTL /.test(table?.['ddl'] ?? '')
  const alter = `ALTER TABLE ${db.database}.ticks`
  if (days !== undefined)
    await db.command(`${alter} MODIFY TTL toDateTime(event_time) + INTERVAL ${days} DAY`)
  else if (hasTtl) await db.command(`${alter} REMOVE TTL`)
}
