// What KRX fixes for an order's price, and what the state takes from a sale. Every rule has the date it holds from,
// because a test over several years with one rule is wrong. Nothing is known before KRX_RULES_FROM: asking throws.
import type { Instrument, InstrumentKind, Market } from './instrument.ts'
import { type SessionDate, sessionDate } from './time.ts'
import { type Price, type Ratio, price, ratio } from './values.ts'

/** Thrown for a date that the tables below do not reach back to. */
export class KrxRuleError extends Error {
  override name = 'KrxRuleError'
}

interface Effective<T> {
  readonly from: SessionDate
  readonly rule: T
}

/** `below` is exclusive; the last row has none. Each bound is a multiple of the ticks on both sides of it. */
interface TickRow {
  readonly below?: Price
  readonly tick: Price
}

const row = (tick: string, below?: string): TickRow => ({
  tick: price(tick),
  ...(below === undefined ? {} : { below: price(below) }),
})
const since = <T>(from: string, rule: T): Effective<T> => ({ from: sessionDate(from), rule })

/** The tick reform before last: the oldest table kept here. */
export const KRX_RULES_FROM = sessionDate('2010-10-04')

const LOW_PRICES_2010 = [row('1', '1000'), row('5', '5000'), row('10', '10000'), row('50', '50000')]
const KOSPI_2010 = [...LOW_PRICES_2010, row('100', '100000'), row('500', '500000'), row('1000')]
const KOSDAQ_2010 = [...LOW_PRICES_2010, row('100')]
/** One table for the three markets. */
const STOCK_2023 = [
  row('1', '2000'),
  row('5', '5000'),
  row('10', '20000'),
  row('50', '50000'),
  row('100', '200000'),
  row('500', '500000'),
  row('1000'),
]
const ETP_2010 = [row('5')]
const ETP_2023 = [row('1', '2000'), row('5')]

// Oldest first. KRX business regulations, detailed rules, "quotation price unit"; announced 2022-11-01 for stocks and
// 2023-10-05 for ETF and ETN (in force 2023-12-18 by that notice; one newspaper printed 12-08).
const STOCK_2023_FROM = since('2023-01-25', STOCK_2023)
const TICKS: Record<InstrumentKind, Record<Market, readonly Effective<readonly TickRow[]>[]>> = {
  stock: {
    KOSPI: [since(KRX_RULES_FROM, KOSPI_2010), STOCK_2023_FROM],
    KOSDAQ: [since(KRX_RULES_FROM, KOSDAQ_2010), STOCK_2023_FROM],
    KONEX: [since(KRX_RULES_FROM, KOSDAQ_2010), STOCK_2023_FROM],
  },
  etp: everyMarket([since(KRX_RULES_FROM, ETP_2010), since('2023-12-18', ETP_2023)]),
}

// Daily limit as a part of the base price. An ETF or ETN that moves N times its index, up or down, has N times the limit.
const LIMITS: Record<Market, readonly Effective<Ratio>[]> = {
  KOSPI: [since(KRX_RULES_FROM, ratio('0.15')), since('2015-06-15', ratio('0.3'))],
  KOSDAQ: [since(KRX_RULES_FROM, ratio('0.15')), since('2015-06-15', ratio('0.3'))],
  KONEX: [since(KRX_RULES_FROM, ratio('0.15'))],
}

// Securities transaction tax with the special rural tax that KOSPI adds to it. The rate is that of the day of
// settlement (Enforcement Decree of the Securities Transaction Tax Act), so a new year's rate begins with the trades
// that settle in it: the dates here are trade dates, two sessions earlier than the decree's.
const SELL_TAX_MAIN = [
  since(KRX_RULES_FROM, ratio('0.003')),
  since('2019-05-30', ratio('0.0025')), // settles 2019-06-03
  since('2020-12-29', ratio('0.0023')), // settles 2021-01-04
  since('2022-12-28', ratio('0.002')), // settles 2023-01-02
  since('2023-12-27', ratio('0.0018')), // settles 2024-01-02
  since('2024-12-27', ratio('0.0015')), // settles 2025-01-02
  since('2025-12-29', ratio('0.002')), // settles 2026-01-02
]
const SELL_TAX: Record<Market, readonly Effective<Ratio>[]> = {
  KOSPI: SELL_TAX_MAIN,
  KOSDAQ: SELL_TAX_MAIN,
  KONEX: [since(KRX_RULES_FROM, ratio('0.003')), since('2019-05-30', ratio('0.001'))],
}
const NO_TAX = ratio('0')

function everyMarket<T>(rule: T): Record<Market, T> {
  return { KOSPI: rule, KOSDAQ: rule, KONEX: rule }
}

function ruleOn<T>(table: readonly Effective<T>[], date: SessionDate): T {
  const found = table.findLast((entry) => entry.from <= date)
  if (found === undefined) throw new KrxRuleError(`no KRX rule known for ${date}, before ${KRX_RULES_FROM}`)
  return found.rule
}

/**
 * The price step at a price. `market` matters for stocks before 2023-01-25 only: KOSDAQ and KONEX stopped at 100 won.
 * Left out it is KOSPI, whose prices are on the grid of every market.
 * @throws KrxRuleError before KRX_RULES_FROM.
 */
export function tickSizeOf(
  kind: InstrumentKind,
  at: Price,
  date: SessionDate,
  market: Market = 'KOSPI',
): Price {
  const rows = ruleOn(TICKS[kind][market], date)
  const found = rows.find((entry) => entry.below === undefined || at < entry.below)
  if (found === undefined) throw new KrxRuleError(`tick table of ${kind} on ${market} has no last row`)
  return found.tick
}

/** Whether an order may name this price. Zero and less never. Trades of a midpoint order can print off the grid. */
export const isOnTick = (kind: InstrumentKind, at: Price, date: SessionDate, market?: Market): boolean =>
  at > 0n && at % tickSizeOf(kind, at, date, market) === 0n

/** The nearest price on the grid at or below (`down`) or at or above (`up`). Below the smallest price, `down` is zero. */
export function roundToPriceIncrement(
  kind: InstrumentKind,
  at: Price,
  date: SessionDate,
  rounding: 'down' | 'up',
  market?: Market,
): Price {
  if (at <= 0n) throw new RangeError(`price must be positive: ${at}`)
  const tick = tickSizeOf(kind, at, date, market)
  const down = at - (at % tick)
  return (rounding === 'up' && down < at ? down + tick : down) as Price
}

export interface PriceLimits {
  readonly lower: Price
  readonly upper: Price
}

const RATIO_ONE = ratio('1')

/**
 * The lowest and the highest price of the session. KRX cuts the width (base × ratio) to the tick of the base price, then
 * cuts each limit inward to its own tick: a base of 272,000 gives 190,500 and 353,500, though 190,400 is within 30 %.
 * KONEX is narrower, what is leveraged wider.
 */
export function priceLimitsOf(
  { kind, market, leverage = RATIO_ONE }: Pick<Instrument, 'kind' | 'market' | 'leverage'>,
  basePrice: Price,
  date: SessionDate,
): PriceLimits {
  if (basePrice <= 0n) throw new RangeError(`base price must be positive: ${basePrice}`)
  const full = (basePrice * ruleOn(LIMITS[market], date) * leverage) / (RATIO_ONE * RATIO_ONE)
  const width = full - (full % tickSizeOf(kind, basePrice, date, market))
  return {
    lower: roundToPriceIncrement(kind, (basePrice - width) as Price, date, 'up', market),
    upper: roundToPriceIncrement(kind, (basePrice + width) as Price, date, 'down', market),
  }
}

/** What a sale traded on `date` is taxed, as a part of its notional. ETF and ETN are exempt. */
export const sellTaxRatioOf = (kind: InstrumentKind, market: Market, date: SessionDate): Ratio =>
  kind === 'etp' ? NO_TAX : ruleOn(SELL_TAX[market], date)
