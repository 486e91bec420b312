// inquire-balance and inquire-psbl-order.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { reservedCashOf } from '#shared/domain/reservation.ts'
import { averagePriceOfPosition } from '#shared/domain/position.ts'
import {
  type Money,
  type Price,
  type Quantity,
  ZERO_MONEY,
  notionalOf,
  price,
} from '#shared/domain/values.ts'
import {
  type BrokerAccount,
  type DayTurnover,
  type Holding,
  turnoverOn,
} from '#shared/simulation/broker-account.ts'
import type { DayView } from '../market/day-view.ts'
import { accountOf, wrongAccount } from './orders.ts'
import {
  type Call,
  type Desk,
  type Reply,
  codeOf,
  fieldInvalid,
  inquired,
  ok,
  percent,
  won,
  wonExact,
} from './reply.ts'

const PAGE = { real: 50, paper: 20 } as const
const CONTEXT_LENGTH = 100

const todayOf = (desk: Desk, days: readonly DayTurnover[]): DayTurnover | undefined =>
  turnoverOn(days, desk.broker.exchange.venue.date)
const yesterdayOf = (desk: Desk, days: readonly DayTurnover[]): DayTurnover | undefined =>
  turnoverOn(days, desk.broker.tape.previousDate())

function lastPriceOf(desk: Desk, id: InstrumentId, holding: Holding): Price {
  return desk.broker.tape.day(id)?.last ?? averagePriceOfPosition(holding.position) ?? (0n as Price)
}

function holdingRow(
  desk: Desk,
  accountNumber: string,
  id: InstrumentId,
  holding: Holding,
): Record<string, string> {
  const { quantity, openNotional } = holding.position
  const last = lastPriceOf(desk, id, holding)
  const worth = notionalOf(last, quantity as Quantity)
  const today = todayOf(desk, holding.turnover)
  const before = yesterdayOf(desk, holding.turnover)
  const day: DayView | undefined = desk.broker.tape.day(id)
  const change = day === undefined ? 0n : day.last - day.instrument.basePrice
  return {
    pdno: codeOf(id),
    prdt_name: desk.broker.exchange.venue.listing(id)?.instrument.name ?? codeOf(id),
    trad_dvsn_name: '현금',
    bfdy_buy_qty: String(before?.bought ?? 0),
    bfdy_sll_qty: String(before?.sold ?? 0),
    thdt_buyqty: String(today?.bought ?? 0),
    thdt_sll_qty: String(today?.sold ?? 0),
    hldg_qty: quantity.toString(),
    ord_psbl_qty: desk.broker.exchange.record.freeQuantity(accountNumber, id).toString(),
    pchs_avg_pric: wonExact(averagePriceOfPosition(holding.position) ?? 0n),
    pchs_amt: won(openNotional),
    prpr: won(last),
    evlu_amt: won(worth),
    evlu_pfls_amt: won(worth - openNotional),
    evlu_pfls_rt: percent(worth - openNotional, openNotional),
    evlu_erng_rt: percent(worth - openNotional, openNotional),
    loan_dt: '',
    loan_amt: '0',
    stln_slng_chgs: '0',
    expd_dt: '',
    fltt_rt: day === undefined ? '0.00' : percent(change, day.instrument.basePrice),
    bfdy_cprs_icdc: won(change),
    item_mgna_rt_name: '20%',
    grta_rt_name: '',
    sbst_pric: '0',
    stck_loan_unpr: '0.0000',
  }
}

/** Sold-out symbols stay while their turnover is of today or the session before. */
const isListed = (desk: Desk, { position, turnover }: Holding): boolean =>
  position.quantity > 0n || (todayOf(desk, turnover) ?? yesterdayOf(desk, turnover)) !== undefined

function totals(desk: Desk, account: BrokerAccount): Record<string, string> {
  const today = todayOf(desk, account.turnover)
  const before = yesterdayOf(desk, account.turnover)
  let worth = ZERO_MONEY as bigint
  let paid = ZERO_MONEY as bigint
  for (const [id, holding] of account.holdings) {
    worth += notionalOf(lastPriceOf(desk, id, holding), holding.position.quantity as Quantity)
    paid += holding.position.openNotional
  }
  const settledTomorrow = account.cash - (today?.cashChange ?? 0n)
  const settledToday = settledTomorrow - (before?.cashChange ?? 0n)
  const equity = account.cash + worth
  return {
    dnca_tot_amt: won(settledToday),
    nxdy_excc_amt: won(settledTomorrow),
    prvs_rcdl_excc_amt: won(account.cash),
    cma_evlu_amt: '0',
    bfdy_buy_amt: won(before?.boughtNotional ?? 0n),
    thdt_buy_amt: won(today?.boughtNotional ?? 0n),
    nxdy_auto_rdpt_amt: '0',
    bfdy_sll_amt: won(before?.soldNotional ?? 0n),
    thdt_sll_amt: won(today?.soldNotional ?? 0n),
    d2_auto_rdpt_amt: '0',
    bfdy_tlex_amt: won(before?.charges ?? 0n),
    thdt_tlex_amt: won(today?.charges ?? 0n),
    tot_loan_amt: '0',
    scts_evlu_amt: won(worth),
    tot_evlu_amt: won(equity),
    nass_amt: won(equity),
    fncg_gld_auto_rdpt_yn: '',
    pchs_amt_smtl_amt: won(paid),
    evlu_amt_smtl_amt: won(worth),
    evlu_pfls_smtl_amt: won(worth - paid),
    tot_stln_slng_chgs: '0',
    bfdy_tot_asst_evlu_amt: won(equity),
    asst_icdc_amt: '0',
    asst_icdc_erng_rt: '0.00000000',
  }
}

export function balance(desk: Desk, call: Call): Reply {
  const wrong = wrongAccount(desk, call)
  if (wrong !== undefined) return wrong
  const accountNumber = accountOf(call)
  const account = desk.broker.exchange.record.account(accountNumber)
  if (account === undefined) return fieldInvalid('CANO')
  const all = [...account.holdings].filter(([, holding]) => isListed(desk, holding))
  const size = PAGE[desk.profile]
  const key = call.field('CTX_AREA_NK100').trim()
  const isNext = call.header('tr_cont') === 'N' && key !== ''
  const start = isNext ? all.findIndex(([id]) => codeOf(id) === key) + 1 : 0
  const rows = all.slice(start, start + size)
  const hasMore = start + size < all.length
  const lastRow = rows.at(-1)
  const next = hasMore && lastRow !== undefined ? codeOf(lastRow[0]) : ''
  const conditions = `${call.field('CANO')}^${call.field('ACNT_PRDT_CD')}^N^N^01^01^N^`
  return ok(
    {
      ctx_area_fk100: (all.length === 0 ? '' : conditions).padEnd(CONTEXT_LENGTH),
      ctx_area_nk100: next.padEnd(CONTEXT_LENGTH),
      output1: rows.map(([id, holding]) => holdingRow(desk, accountNumber, id, holding)),
      output2: [totals(desk, account)],
    },
    inquired(desk.profile),
    { tr_cont: hasMore ? (start === 0 ? 'F' : 'M') : start === 0 ? 'E' : 'D' },
  )
}

function listingOf(desk: Desk, code: string) {
  try {
    return desk.broker.exchange.venue.listing(instrumentId(`${code.trim()}.KRX`))
  } catch {
    return undefined
  }
}

/** Largest quantity whose notional and fee the cash can hold. */
function quantityFor(cash: bigint, unit: Price, held: (quantity: Quantity) => Money): bigint {
  if (unit <= 0n || cash <= 0n) return 0n
  let quantity = cash / unit
  while (quantity > 0n && held(quantity as Quantity) > cash) quantity -= 1n
  return quantity
}

export function orderable(desk: Desk, call: Call): Reply {
  const wrong = wrongAccount(desk, call)
  if (wrong !== undefined) return wrong
  const listing = listingOf(desk, call.field('PDNO'))
  const cash = desk.broker.exchange.record.freeCash(accountOf(call))
  const free = cash > 0n ? cash : 0n
  let unit = 0n as Price
  try {
    unit = price(call.field('ORD_UNPR').trim() || '0')
  } catch {
    return fieldInvalid('ORD_UNPR')
  }
  // A market order is counted at the upper limit.
  const isMarket = call.field('ORD_DVSN') === '01' || unit === 0n
  const counted = isMarket ? (listing?.limits.upper ?? unit) : unit
  const { feeRatio } = desk.broker
  const most = quantityFor(free, counted, (quantity) =>
    reservedCashOf({ side: 'buy' }, counted, quantity, feeRatio),
  )
  const output = {
    ord_psbl_cash: won(free),
    ord_psbl_sbst: '0',
    ruse_psbl_amt: '0',
    fund_rpch_chgs: '0',
    psbl_qty_calc_unpr: won(counted),
    nrcvb_buy_amt: won(free),
    nrcvb_buy_qty: most.toString(),
    max_buy_amt: won(free),
    max_buy_qty: most.toString(),
    cma_evlu_amt: '0',
    ovrs_re_use_amt_wcrc: '0',
    ord_psbl_frcr_amt_wcrc: '0',
  }
  return ok({ output }, inquired(desk.profile))
}
