// A broker's books for one customer: cash, holdings, what is not settled yet. Pure.
//
// A1. Cash is what the account has once everything traded has settled. It never goes below what working buys hold.
// A2. Every change of cash or holdings comes from `applyTrade`; a sell never takes a holding below zero.
import type { Position } from '#shared/domain/account.ts'
import { type Charges, chargesOn } from '#shared/domain/charges.ts'
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import type { Side } from '#shared/domain/order.ts'
import { applyFill, cashChangeOf } from '#shared/domain/position.ts'
import type { SessionDate } from '#shared/domain/time.ts'
import type { Money, Price, Quantity, Ratio } from '#shared/domain/values.ts'
import { ZERO_MONEY, addMoney, notionalOf } from '#shared/domain/values.ts'

/** Traded on one day, per account or per instrument of it. */
export interface DayTurnover {
  readonly date: SessionDate
  readonly bought: Quantity
  readonly sold: Quantity
  readonly boughtNotional: Money
  readonly soldNotional: Money
  readonly charges: Money
  /** What cash changed by: negative when more was bought. */
  readonly cashChange: Money
}

export interface Holding {
  readonly position: Position
  /** Newest last, at most two days. */
  readonly turnover: readonly DayTurnover[]
}

export interface BrokerAccount {
  readonly accountNumber: string
  readonly cash: Money
  readonly holdings: ReadonlyMap<InstrumentId, Holding>
  /** Newest last, at most two days: later ones have settled. */
  readonly turnover: readonly DayTurnover[]
}

export const openAccount = (accountNumber: string, cash: Money): BrokerAccount => ({
  accountNumber,
  cash,
  holdings: new Map(),
  turnover: [],
})

export interface Trade {
  readonly instrument: Instrument
  readonly side: Side
  readonly date: SessionDate
  readonly price: Price
  readonly quantity: Quantity
  /** Of the same order and of those that it replaced, before this fill: charges are counted on the whole. */
  readonly notionalBefore: Money
}

const NO_TURNOVER = {
  bought: 0n as Quantity,
  sold: 0n as Quantity,
  boughtNotional: ZERO_MONEY,
  soldNotional: ZERO_MONEY,
  charges: ZERO_MONEY,
  cashChange: ZERO_MONEY,
}
const TURNOVER_DAYS_MAX = 2

function addTurnover(days: readonly DayTurnover[], trade: Trade, paid: Money, cashChange: Money) {
  const last = days.at(-1)
  const today = last?.date === trade.date ? last : { date: trade.date, ...NO_TURNOVER }
  const notional = notionalOf(trade.price, trade.quantity)
  const isBuy = trade.side === 'buy'
  const next: DayTurnover = {
    date: trade.date,
    bought: (today.bought + (isBuy ? trade.quantity : 0n)) as Quantity,
    sold: (today.sold + (isBuy ? 0n : trade.quantity)) as Quantity,
    boughtNotional: isBuy ? addMoney(today.boughtNotional, notional) : today.boughtNotional,
    soldNotional: isBuy ? today.soldNotional : addMoney(today.soldNotional, notional),
    charges: addMoney(today.charges, paid),
    cashChange: addMoney(today.cashChange, cashChange),
  }
  return [...(last === today ? days.slice(0, -1) : days), next].slice(-TURNOVER_DAYS_MAX)
}

/** @throws RangeError when a sell is larger than the holding: admission must have stopped it (A2). */
export function applyTrade(
  account: BrokerAccount,
  trade: Trade,
  feeRatio: Ratio,
): { readonly account: BrokerAccount; readonly charges: Charges } {
  const { instrument, side, date, quantity } = trade
  const notional = notionalOf(trade.price, quantity)
  const charges = chargesOn(
    { side, kind: instrument.kind, market: instrument.market, date, feeRatio },
    trade.notionalBefore,
    addMoney(trade.notionalBefore, notional),
  )
  const fill = { instrumentId: instrument.id, side, quantity, notional, ...charges }
  const held = account.holdings.get(instrument.id)
  const position = applyFill(held?.position, fill)
  if (position.quantity < 0n)
    throw new RangeError(`${account.accountNumber} sold more ${instrument.id} than it had`)

  const cashChange = cashChangeOf(fill)
  const paid = addMoney(charges.fee, charges.tax)
  const holdings = new Map(account.holdings)
  holdings.set(instrument.id, {
    position,
    turnover: addTurnover(held?.turnover ?? [], trade, paid, cashChange),
  })
  return {
    account: {
      ...account,
      cash: addMoney(account.cash, cashChange),
      holdings,
      turnover: addTurnover(account.turnover, trade, paid, cashChange),
    },
    charges,
  }
}

export const heldQuantity = (account: BrokerAccount, instrumentId: InstrumentId): Quantity =>
  (account.holdings.get(instrumentId)?.position.quantity ?? 0n) as Quantity

export const turnoverOn = (
  days: readonly DayTurnover[],
  date: SessionDate | undefined,
): DayTurnover | undefined => days.find((day) => day.date === date)
