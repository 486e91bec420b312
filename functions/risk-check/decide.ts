// What risk-check knows. The checks stand in the order of DENIAL_CODES: the first that fails is the answer.
import type { AccountSnapshot, RecentOrder, Reservation } from '#shared/domain/account.ts'
import {
  availableCash,
  equityOf,
  grossExposure,
  notionalOfInstrument,
  positionOf,
  reducesPosition,
  workingQuantity,
} from '#shared/domain/exposure.ts'
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { isOnTick, priceLimitsOf } from '#shared/domain/krx-rules.ts'
import type { ApprovedOrder, OrderRequest } from '#shared/domain/order.ts'
import { reservationOf } from '#shared/domain/reservation.ts'
import type { DenialCode, RiskLimits } from '#shared/domain/risk.ts'
import type { SessionPhase } from '#shared/domain/session.ts'
import { type Instant, type SessionDate } from '#shared/domain/time.ts'
import {
  type Price,
  type Ratio,
  addMoney,
  formatMoney,
  formatPrice,
  formatRatio,
  notionalOf,
  ratioOf,
  subtractMoney,
} from '#shared/domain/values.ts'

/** Everything the decision may look at, read at one instant. What is not known is absent, and denies. */
export interface RiskFacts {
  readonly now: Instant
  readonly sessionDate: SessionDate
  /** Undefined for a day that the bundled calendar does not reach. */
  readonly phase: SessionPhase | undefined
  readonly account: AccountSnapshot | undefined
  readonly instrument: Instrument | undefined
  /** Last price of each instrument that the account holds or orders, and of the one at hand. */
  readonly lastPrices: ReadonlyMap<InstrumentId, { readonly price: Price; readonly eventTime: Instant }>
  readonly feeRatio: Ratio
}

export type RiskDecision =
  | { readonly outcome: 'approved'; readonly order: ApprovedOrder; readonly reservation: Reservation }
  | { readonly outcome: 'denied'; readonly code: DenialCode; readonly detail: string }

type Denied = Extract<RiskDecision, { outcome: 'denied' }>

const denied = (code: DenialCode, detail = ''): Denied => ({ outcome: 'denied', code, detail })

/** Decides one order. Pure: same inputs, same decision. Denies when in doubt. */
export function decide(order: OrderRequest, facts: RiskFacts, limits: RiskLimits): RiskDecision {
  const { account } = facts
  if (account === undefined) return denied('FACTS_MISSING', `account=${order.accountId}`)
  if (account.tradingState === 'halted') return denied('TRADING_HALTED')

  const market = checkFacts(order, facts, limits)
  if ('outcome' in market) return market
  const { instrument, lastPrice, upperLimit } = market

  const shape = checkShape(order, facts, instrument) ?? checkFlow(order, account, facts, limits)
  if (shape !== undefined) return shape

  const orderPrice = valuationPriceOf(order, lastPrice, upperLimit)
  const size = checkSize(order, account, facts, limits, orderPrice, lastPrice)
  if (size !== undefined) return size

  const reservation = reservationOf(order, order.limitPrice ?? upperLimit, facts.feeRatio)
  const cash = availableCash(account)
  if (order.side === 'buy' && reservation.cash > cash) {
    return denied(
      'CASH_INSUFFICIENT',
      `needed=${formatMoney(reservation.cash)} available=${formatMoney(cash)}`,
    )
  }
  return {
    outcome: 'approved',
    order: { ...order, limitsVersion: limits.version } as ApprovedOrder,
    reservation,
  }
}

/** The most that one unit may come to; for a sell no less than the last price, so that a low limit hides nothing. */
function valuationPriceOf(order: OrderRequest, lastPrice: Price, upperLimit: Price): Price {
  if (order.side === 'buy') return order.limitPrice ?? upperLimit
  return order.limitPrice !== undefined && order.limitPrice > lastPrice ? order.limitPrice : lastPrice
}

interface MarketFacts {
  readonly instrument: Instrument
  readonly lastPrice: Price
  readonly upperLimit: Price
}

function checkFacts(order: OrderRequest, facts: RiskFacts, limits: RiskLimits): MarketFacts | Denied {
  const { instrument } = facts
  const last = facts.lastPrices.get(order.instrumentId)
  const isBased = (instrument?.basePrice ?? 0n) > 0n && instrument?.basePriceDate === facts.sessionDate
  if (instrument !== undefined && !isBased)
    return denied('FACTS_MISSING', `basePrice of ${instrument.id} for ${facts.sessionDate}`)
  if (instrument !== undefined && last === undefined)
    return denied('FACTS_MISSING', `lastPrice of ${order.instrumentId}`)
  if (facts.account?.openingEquity === undefined || facts.account.openingDate !== facts.sessionDate) {
    return denied('FACTS_MISSING', `opening equity for ${facts.sessionDate}`)
  }
  // A time that lies ahead is no fresher than one that lies behind: it would look fresh for as long.
  if (last !== undefined && Math.abs(facts.now - last.eventTime) > limits.factsAgeMsMax) {
    return denied('FACTS_STALE', `lastPriceAgeMs=${facts.now - last.eventTime}`)
  }
  if (facts.phase === undefined) return denied('FACTS_MISSING', `calendar of ${facts.sessionDate}`)
  const ageMs = facts.now - order.decidedTime
  if (Math.abs(ageMs) > limits.requestAgeMsMax) return denied('REQUEST_STALE', `ageMs=${ageMs}`)
  if (instrument?.basePrice === undefined || last === undefined)
    return denied('INSTRUMENT_UNKNOWN', order.instrumentId)
  if (!instrument.isTradable) return denied('INSTRUMENT_NOT_TRADABLE', instrument.id)
  const { upper } = priceLimitsOf(instrument, instrument.basePrice, facts.sessionDate)
  return { instrument, lastPrice: last.price, upperLimit: upper }
}

/** What the venue would refuse. */
function checkShape(order: OrderRequest, facts: RiskFacts, instrument: Instrument): Denied | undefined {
  if (facts.phase === 'closed') return denied('SESSION_CLOSED', facts.sessionDate)
  if (facts.phase !== 'continuous' && (order.orderType !== 'limit' || order.timeInForce !== 'day')) {
    return denied(
      'ORDER_TYPE_NOT_ALLOWED',
      `phase=${facts.phase} type=${order.orderType} timeInForce=${order.timeInForce}`,
    )
  }
  if (order.quantity <= 0n) return denied('QUANTITY_NOT_POSITIVE', `quantity=${order.quantity}`)
  if (order.quantity % instrument.quantityIncrement !== 0n) {
    return denied('QUANTITY_OFF_LOT', `quantity=${order.quantity} lot=${instrument.quantityIncrement}`)
  }
  if (order.limitPrice === undefined || instrument.basePrice === undefined) return undefined
  if (!isOnTick(instrument.kind, order.limitPrice, facts.sessionDate, instrument.market)) {
    return denied('PRICE_OFF_TICK', `price=${formatPrice(order.limitPrice)}`)
  }
  const { lower, upper } = priceLimitsOf(instrument, instrument.basePrice, facts.sessionDate)
  if (order.limitPrice < lower || order.limitPrice > upper) {
    return denied(
      'PRICE_OUTSIDE_LIMITS',
      `price=${formatPrice(order.limitPrice)} lower=${formatPrice(lower)} upper=${formatPrice(upper)}`,
    )
  }
  return undefined
}

/** Too much of the same, too fast, or against the trading state. */
function checkFlow(
  order: OrderRequest,
  account: AccountSnapshot,
  facts: RiskFacts,
  limits: RiskLimits,
): Denied | undefined {
  // By the times at which they were decided: a queue that stood still must not make room for a burst.
  const isWithin = (recent: RecentOrder, ms: number): boolean =>
    Math.min(facts.now, order.decidedTime) - recent.decidedTime < ms
  const twin = account.recentOrders.find(
    (recent) =>
      recent.clientOrderId !== order.clientOrderId &&
      recent.instrumentId === order.instrumentId &&
      recent.side === order.side &&
      recent.orderType === order.orderType &&
      recent.quantity === order.quantity &&
      recent.limitPrice === order.limitPrice &&
      isWithin(recent, limits.duplicateWindowMs),
  )
  if (twin !== undefined) return denied('DUPLICATE_ORDER', `of=${twin.clientOrderId}`)
  const lastSecond = account.recentOrders.filter(
    (recent) => recent.clientOrderId !== order.clientOrderId && isWithin(recent, 1_000),
  )
  if (lastSecond.length >= limits.ordersPerSecondMax)
    return denied('RATE_OVER_LIMIT', `max=${limits.ordersPerSecondMax}/s`)
  // Trading with oneself moves the price and nothing else; venues and regulators call it a wash trade.
  const opposite = account.reservations.find(
    (held) => held.instrumentId === order.instrumentId && held.side !== order.side && couldMatch(order, held),
  )
  if (opposite !== undefined) return denied('SELF_TRADE', `with=${opposite.clientOrderId}`)
  if (account.tradingState === 'reducing' && !reducesPosition(account, order))
    return denied('POSITION_WOULD_INCREASE')
  if (order.side === 'sell') {
    // KRX cash accounts cannot sell short: what is held, less what working sells may take.
    const held = positionOf(account, order.instrumentId)?.quantity ?? 0n
    const free = held - workingQuantity(account, order.instrumentId, 'sell')
    if (order.quantity > free)
      return denied('POSITION_INSUFFICIENT', `quantity=${order.quantity} free=${free}`)
  }
  return undefined
}

/** A market order meets any price. */
function couldMatch(order: OrderRequest, held: Reservation): boolean {
  if (order.limitPrice === undefined || held.limitPrice === undefined) return true
  return order.side === 'buy' ? order.limitPrice >= held.limitPrice : order.limitPrice <= held.limitPrice
}

function checkSize(
  order: OrderRequest,
  account: AccountSnapshot,
  facts: RiskFacts,
  limits: RiskLimits,
  orderPrice: Price,
  lastPrice: Price,
): Denied | undefined {
  if (order.quantity > limits.orderQuantityMax) {
    return denied('ORDER_QUANTITY_OVER_LIMIT', `quantity=${order.quantity} max=${limits.orderQuantityMax}`)
  }
  const notional = notionalOf(orderPrice, order.quantity)
  if (notional > limits.orderNotionalMax) {
    return denied('ORDER_NOTIONAL_OVER_LIMIT', over(notional, limits.orderNotionalMax))
  }
  // A sell here only shrinks a long position: the limits below bound growth.
  if (order.side === 'sell') return undefined

  const priceOf = (id: InstrumentId): Price | undefined => facts.lastPrices.get(id)?.price
  const equity = equityOf(account, priceOf)
  const gross = grossExposure(account, priceOf)
  if (equity === undefined || gross === undefined || account.openingEquity === undefined) {
    return denied('FACTS_MISSING', 'lastPrice of a held instrument')
  }
  const inInstrument = addMoney(notionalOfInstrument(account, order.instrumentId, lastPrice), notional)
  if (inInstrument > limits.positionNotionalMax) {
    return denied('POSITION_OVER_LIMIT', over(inInstrument, limits.positionNotionalMax))
  }
  if (equity <= 0n || ratioOf(inInstrument, equity) > limits.positionConcentrationMax) {
    return denied(
      'CONCENTRATION_OVER_LIMIT',
      `notional=${formatMoney(inInstrument)} equity=${formatMoney(equity)} max=${formatRatio(limits.positionConcentrationMax)}`,
    )
  }
  const portfolio = addMoney(gross, notional)
  if (portfolio > limits.portfolioNotionalMax) {
    return denied('PORTFOLIO_OVER_LIMIT', over(portfolio, limits.portfolioNotionalMax))
  }
  const dailyLoss = subtractMoney(account.openingEquity, equity)
  if (dailyLoss > limits.dailyLossMax)
    return denied('DAILY_LOSS_OVER_LIMIT', over(dailyLoss, limits.dailyLossMax))
  return undefined
}

const over = (value: Parameters<typeof formatMoney>[0], max: Parameters<typeof formatMoney>[0]): string =>
  `value=${formatMoney(value)} max=${formatMoney(max)}`
