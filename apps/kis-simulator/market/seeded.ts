// A KRX session made from a seed: twenty instruments that walk, jump now and then, trade most at the open and the close, and
// show ten levels a side. The same seed and date make the same session, byte for byte, on every machine (random.ts).
//
// G1. Each instrument has a generator of its own, seeded by (seed, date, symbol): what one does moves no other.
// G2. Every price is on the tick grid and inside the daily limits; the base price of a day is the close of the day before.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import {
  CalendarRangeError,
  krxSessionOf,
  nextSessionDate,
  previousSessionDate,
} from '#shared/domain/krx-calendar.ts'
import { priceLimitsOf, roundToPriceIncrement } from '#shared/domain/krx-rules.ts'
import type { Aggressor, BookLevel } from '#shared/domain/market-data.ts'
import { type SessionDate, instant } from '#shared/domain/time.ts'
import { type Price, type Quantity, notionalOf, price as priceOf, toNumber } from '#shared/domain/values.ts'
import type { Depth, InstrumentEvent, MarketEvent } from '#shared/simulation/market-event.ts'
import { type Random, seedOf, seededRandom } from '#shared/simulation/random.ts'
import { SEEDED_INSTRUMENTS, type SeededInstrument, instrumentOf } from './listed-instruments.ts'
import { type PriceLadder, indexAtOrBelow, priceLadder } from './price-ladder.ts'
import {
  type DailyBar,
  type Hours,
  type Listed,
  type MarketSource,
  RecordingError,
  hoursOf,
} from './source.ts'

export interface SeededMarketOptions {
  readonly seed: number
  /** First session, or the first one after it. Default 2026-03-02. */
  readonly startDate?: SessionDate
  /** Of the whole market, on average over continuous trading. Default 12. */
  readonly eventsPerSecond?: number
}

const HISTORY_SESSIONS = 250
const LEVELS = 10
const QUOTE_ONLY_RATIO = 0.35
const JUMPS_PER_DAY = 0.25
const OPENING_VOLUME_RATIO = 0.04
const CLOSING_VOLUME_RATIO = 0.07

export function seededMarket(options: SeededMarketOptions): MarketSource {
  const { seed, eventsPerSecond = 12 } = options
  const firstDate = sessionAtOrAfter(options.startDate ?? ('2026-03-02' as SessionDate))
  const histories = new Map<InstrumentId, readonly DailyBar[]>()
  const listed = SEEDED_INSTRUMENTS.map((row) => ({ row, instrument: instrumentOf(row.symbol) }))
  const activity = SEEDED_INSTRUMENTS.reduce((sum, row) => sum + row.activity, 0)

  return {
    name: `seeded ${seed} from ${firstDate} at ${eventsPerSecond}/s`,
    firstDate,
    after(date) {
      try {
        return nextSessionDate(date)
      } catch (error) {
        if (error instanceof CalendarRangeError) return undefined
        throw error
      }
    },
    session(date, closes) {
      const session = krxSessionOf(date)
      if (session === undefined) throw new RecordingError(`${date} is not a session`)
      const day = listed.map(({ row, instrument }) => {
        const basePrice = closes.get(instrument.id) ?? priceOf(String(row.basePrice))
        const events = (eventsPerSecond * row.activity) / activity
        return { row, instrument: { ...instrument, basePrice, basePriceDate: date }, eventsPerSecond: events }
      })
      return seededSession(seed, date, hoursOf(session), day)
    },
    history(instrumentId) {
      const known = histories.get(instrumentId)
      if (known !== undefined) return known
      const found = listed.find(({ instrument }) => instrument.id === instrumentId)
      const bars = found === undefined ? [] : seededHistory(seed, found.row, firstDate)
      histories.set(instrumentId, bars)
      return bars
    },
  }
}

function sessionAtOrAfter(date: SessionDate): SessionDate {
  return krxSessionOf(date) === undefined ? nextSessionDate(date) : date
}

interface DayPlan {
  readonly row: SeededInstrument
  readonly instrument: Listed
  readonly eventsPerSecond: number
}

function* seededSession(
  seed: number,
  date: SessionDate,
  hours: Hours,
  plans: readonly DayPlan[],
): Generator<MarketEvent> {
  const at = instant(hours.entry)
  yield { kind: 'sessionOpened', at, date, instruments: plans.map(({ instrument }) => instrument) }
  const walkers = plans.map((plan) => new Walker(plan, date, hours, seedOf(seed, date, plan.row.symbol)))
  for (const walker of walkers) yield* walker.open()
  yield { kind: 'phaseChanged', at: instant(hours.open), phase: 'continuous' }
  for (;;) {
    let first: Walker | undefined
    for (const walker of walkers) if (first === undefined || walker.nextAt < first.nextAt) first = walker
    if (first === undefined || first.nextAt >= hours.closing) break
    yield first.step()
  }
  yield { kind: 'phaseChanged', at: instant(hours.closing), phase: 'closingAuction' }
  for (const walker of walkers) yield walker.close()
  yield { kind: 'phaseChanged', at: instant(hours.close), phase: 'closed' }
}

/** One instrument through one day. */
class Walker {
  readonly #plan: DayPlan
  readonly #hours: Hours
  readonly #random: Random
  readonly #ladder: PriceLadder
  readonly #meanIntervalMs: number
  readonly #stepVolatility: number
  readonly #printMean: number
  #mid: number
  #drift = 0
  nextAt: number

  constructor(plan: DayPlan, date: SessionDate, hours: Hours, seed: number) {
    this.#plan = plan
    this.#hours = hours
    this.#random = seededRandom(seed)
    this.#ladder = priceLadder(plan.instrument, plan.instrument.basePrice, date)
    const steps = Math.max(1, (plan.eventsPerSecond * (hours.closing - hours.open)) / 1000)
    this.#meanIntervalMs = 1000 / plan.eventsPerSecond
    this.#stepVolatility = plan.row.dailyVolatility / Math.sqrt(steps)
    const continuous = 1 - OPENING_VOLUME_RATIO - CLOSING_VOLUME_RATIO
    this.#printMean = (plan.row.dayVolume * continuous) / (steps * (1 - QUOTE_ONLY_RATIO))
    this.#mid =
      (this.#ladder.won[this.#indexOfBase()] ?? 0) *
      (1 + 0.35 * plan.row.dailyVolatility * this.#random.normal())
    this.nextAt = hours.open + 1 + this.#random.integer(Math.ceil(this.#meanIntervalMs))
  }

  #indexOfBase(): number {
    return this.#ladder.prices.indexOf(this.#plan.instrument.basePrice)
  }

  *open(): Generator<InstrumentEvent> {
    const { id } = this.#plan.instrument
    const at = instant(this.#hours.open)
    const quantity = this.#auctionQuantity(OPENING_VOLUME_RATIO)
    yield { kind: 'uncrossed', at, instrumentId: id, price: this.#priceAt(this.#bid()), quantity }
    yield { kind: 'quoted', at, instrumentId: id, depth: this.#depth(this.#bid(), this.#spread()) }
  }

  close(): InstrumentEvent {
    const price = this.#priceAt(this.#bid() + this.#random.integer(2))
    const quantity = this.#auctionQuantity(CLOSING_VOLUME_RATIO)
    return {
      kind: 'uncrossed',
      at: instant(this.#hours.close),
      instrumentId: this.#plan.instrument.id,
      price,
      quantity,
    }
  }

  step(): InstrumentEvent {
    const at = instant(this.nextAt)
    this.#move()
    const bid = this.#bid()
    const spread = this.#spread()
    const depth = this.#depth(bid, spread)
    const instrumentId = this.#plan.instrument.id
    this.nextAt += this.#interval()
    if (this.#random.next() < QUOTE_ONLY_RATIO) return { kind: 'quoted', at, instrumentId, depth }
    const isBuy = this.#random.next() < 0.5 + (this.#drift > 0 ? 0.2 : -0.2)
    const aggressor: Aggressor = isBuy ? 'buy' : 'sell'
    const price = this.#priceAt(isBuy ? bid + spread : bid)
    return { kind: 'printed', at, instrumentId, price, quantity: this.#printQuantity(), aggressor, depth }
  }

  #move(): void {
    const jumps = this.#random.next() * this.#meanSteps() < JUMPS_PER_DAY
    const shock = this.#stepVolatility * this.#random.normal()
    const jump = jumps ? (this.#random.next() < 0.5 ? -1 : 1) * (0.008 + 0.02 * this.#random.next()) : 0
    this.#drift = shock + jump
    const { won } = this.#ladder
    const lowest = won[LEVELS] ?? 0
    const highest = won[won.length - 1 - LEVELS] ?? 0
    this.#mid = Math.min(Math.max(this.#mid * (1 + this.#drift), lowest), highest)
  }

  #meanSteps(): number {
    return (this.#hours.closing - this.#hours.open) / this.#meanIntervalMs
  }

  /** Busy at the open and the close, calm around noon. */
  #interval(): number {
    const progress = (this.nextAt - this.#hours.open) / (this.#hours.closing - this.#hours.open)
    const fromNoon = 2 * progress - 1
    const intensity = 0.65 + 1.75 * fromNoon * fromNoon * fromNoon * fromNoon
    return 1 + Math.floor(((0.05 + 1.9 * this.#random.next()) * this.#meanIntervalMs) / intensity)
  }

  #bid(): number {
    return Math.min(indexAtOrBelow(this.#ladder, this.#mid), this.#ladder.prices.length - 3)
  }

  #spread(): number {
    return this.#random.next() < 0.08 ? 2 : 1
  }

  #priceAt(index: number): Price {
    const found = this.#ladder.prices[Math.min(Math.max(index, 0), this.#ladder.prices.length - 1)]
    if (found === undefined) throw new RecordingError(`no price step ${index} for ${this.#plan.row.symbol}`)
    return found
  }

  #printQuantity(): Quantity {
    const shape = this.#random.next()
    const size = shape < 0.04 ? 6 + 8 * this.#random.next() : shape * shape * 1.4 + 0.05
    return BigInt(Math.max(1, Math.floor(this.#printMean * size))) as Quantity
  }

  #auctionQuantity(part: number): Quantity {
    return BigInt(Math.floor(this.#plan.row.dayVolume * part * (0.6 + 0.8 * this.#random.next()))) as Quantity
  }

  #depth(bid: number, spread: number): Depth {
    const asks: BookLevel[] = []
    const bids: BookLevel[] = []
    const { prices } = this.#ladder
    const unit = this.#printMean * 2.5
    for (let level = 0; level < LEVELS; level += 1) {
      const scale = unit * (0.6 + 0.12 * level)
      const ask = prices[bid + spread + level]
      const askQuantity = BigInt(1 + Math.floor(scale * (0.3 + 1.4 * this.#random.next()))) as Quantity
      if (ask !== undefined) asks.push({ price: ask, quantity: askQuantity })
      const under = prices[bid - level]
      const bidQuantity = BigInt(1 + Math.floor(scale * (0.3 + 1.4 * this.#random.next()))) as Quantity
      if (under !== undefined) bids.push({ price: under, quantity: bidQuantity })
    }
    return { asks, bids }
  }
}

/** A walk backwards from the first base price, so that its last close is that price. Oldest first. */
function seededHistory(seed: number, row: SeededInstrument, firstDate: SessionDate): readonly DailyBar[] {
  const random = seededRandom(seedOf(seed, 'history', row.symbol))
  const instrument = instrumentOf(row.symbol)
  const bars: DailyBar[] = []
  let date = firstDate
  let close = priceOf(String(row.basePrice))
  for (let session = 0; session < HISTORY_SESSIONS; session += 1) {
    const before = dateBefore(date)
    if (before === undefined) break
    date = before
    const near = (size: number): Price => priceNear(instrument, close, row.dailyVolatility * size, before)
    const open = near(0.7 * random.normal())
    const high = [close, open, near(0.8 * random.next())].reduce((left, right) =>
      left > right ? left : right,
    )
    const low = [close, open, near(-0.8 * random.next())].reduce((left, right) =>
      left < right ? left : right,
    )
    const volume = BigInt(Math.floor(row.dayVolume * (0.6 + 0.8 * random.next()))) as Quantity
    const notional = notionalOf(((open + close) / 2n) as Price, volume)
    bars.push({ date, open, high, low, close, volume, notional })
    close = near(random.normal())
  }
  return bars.toReversed()
}

/** On the grid and inside the limits that `from` as a base price would have. */
function priceNear(instrument: Instrument, from: Price, change: number, date: SessionDate): Price {
  const { kind, market } = instrument
  const { lower, upper } = priceLimitsOf(instrument, from, date)
  const at = priceOf(String(Math.max(1, Math.floor(toNumber(from) * (1 + change)))))
  const onGrid = roundToPriceIncrement(kind, at, date, 'down', market)
  return onGrid < lower ? lower : onGrid > upper ? upper : onGrid
}

function dateBefore(date: SessionDate): SessionDate | undefined {
  try {
    return previousSessionDate(date)
  } catch (error) {
    if (error instanceof CalendarRangeError) return undefined
    throw error
  }
}
