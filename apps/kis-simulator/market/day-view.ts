// The day so far of one instrument, as KIS shows it in quotes, charts and frames.
import { type PriceLimits, priceLimitsOf } from '#shared/domain/krx-rules.ts'
import type { Aggressor } from '#shared/domain/market-data.ts'
import { type Instant, type SessionDate, instant } from '#shared/domain/time.ts'
import { type Money, type Price, type Quantity, ZERO_QUANTITY, notionalOf } from '#shared/domain/values.ts'
import type { Depth, InstrumentEvent } from '#shared/simulation/market-event.ts'
import type { DailyBar, Listed } from './source.ts'

export interface MinuteBar {
  /** Start of the minute. */
  readonly at: Instant
  readonly open: Price
  high: Price
  low: Price
  close: Price
  volume: bigint
  /** Of the session, to the end of this minute. */
  sessionNotional: bigint
}

export interface RecentTrade {
  readonly at: Instant
  readonly price: Price
  readonly quantity: Quantity
}

const RECENT_MAX = 30
const MINUTE_MS = 60_000

/** Changes in place with every event of its instrument: it is read at once, never kept. */
export class DayView {
  readonly instrument: Listed
  readonly date: SessionDate
  readonly limits: PriceLimits
  /** Of the session before, where known. */
  readonly previous: DailyBar | undefined
  open: Price | undefined
  high: Price
  low: Price
  last: Price
  lastQuantity: Quantity = ZERO_QUANTITY
  lastAggressor: Aggressor = 'none'
  lastTime: Instant
  openTime: Instant
  highTime: Instant
  lowTime: Instant
  volume = 0n
  notional = 0n
  buyTrades = 0
  sellTrades = 0
  buyVolume = 0n
  sellVolume = 0n
  depth: Depth = { asks: [], bids: [] }
  readonly minutes: MinuteBar[] = []
  readonly recent: RecentTrade[] = []

  constructor(instrument: Listed, date: SessionDate, at: Instant, previous: DailyBar | undefined) {
    this.instrument = instrument
    this.date = date
    this.limits = priceLimitsOf(instrument, instrument.basePrice, date)
    this.previous = previous
    this.high = instrument.basePrice
    this.low = instrument.basePrice
    this.last = instrument.basePrice
    this.lastTime = at
    this.openTime = at
    this.highTime = at
    this.lowTime = at
  }

  apply(event: InstrumentEvent): void {
    if (event.kind !== 'quoted' && event.quantity > 0n) {
      this.#trade(event.at, event.price, event.quantity, event.kind === 'printed' ? event.aggressor : 'none')
    }
    if (event.kind !== 'uncrossed' && event.depth !== undefined) this.depth = event.depth
  }

  #trade(at: Instant, price: Price, quantity: Quantity, aggressor: Aggressor): void {
    if (this.open === undefined || price > this.high) {
      this.high = price
      this.highTime = at
    }
    if (this.open === undefined || price < this.low) {
      this.low = price
      this.lowTime = at
    }
    if (this.open === undefined) {
      this.open = price
      this.openTime = at
    }
    this.last = price
    this.lastTime = at
    this.lastQuantity = quantity
    this.lastAggressor = aggressor
    this.volume += quantity
    this.notional += notionalOf(price, quantity)
    if (aggressor === 'buy') {
      this.buyTrades += 1
      this.buyVolume += quantity
    } else if (aggressor === 'sell') {
      this.sellTrades += 1
      this.sellVolume += quantity
    }
    this.#bar(at, price, quantity)
    this.recent.push({ at, price, quantity })
    if (this.recent.length > RECENT_MAX * 2) this.recent.splice(0, RECENT_MAX)
  }

  #bar(at: Instant, price: Price, quantity: Quantity): void {
    const start = instant(at - (at % MINUTE_MS))
    let bar = this.minutes.at(-1)
    if (bar?.at !== start) {
      bar = { at: start, open: price, high: price, low: price, close: price, volume: 0n, sessionNotional: 0n }
      this.minutes.push(bar)
    }
    if (price > bar.high) bar.high = price
    if (price < bar.low) bar.low = price
    bar.close = price
    bar.volume += quantity
    bar.sessionNotional = this.notional
  }

  /** `undefined` before the first trade. */
  dailyBar(): DailyBar | undefined {
    if (this.open === undefined) return undefined
    const { date, open, high, low, last: close } = this
    return { date, open, high, low, close, volume: this.volume as Quantity, notional: this.notional as Money }
  }

  latestTrades(): readonly RecentTrade[] {
    return this.recent.slice(-RECENT_MAX).toReversed()
  }
}
