// What an account holds and what it ordered.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { symbolOf } from '#shared/domain/instrument.ts'
import { type Instant, type SessionDate, addDays, kstDate } from '#shared/domain/time.ts'
import { type Money, type Price, formatPrice } from '#shared/domain/values.ts'
import type { BrokerBalance, BrokerOrder, BrokerPosition } from '#shared/ports/broker-gateway.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { SendContext } from './sends.ts'
import { type Row, digitsOf, isBlank, orderNumber, quoted, rowOf, rowsOf } from './fields.ts'
import { allPages } from './pages.ts'
import { PATH, tradingTr } from './tr-ids.ts'

/** Up to three months back one transaction answers, before that another. A day of margin on our side. */
const RECENT_DAYS = 89
const READ_MS_MAX = 10_000

const accountQuery = ({ account }: SendContext) => ({
  CANO: account.number,
  ACNT_PRDT_CD: account.product,
})

/**
 * Rows are per order and cumulative; there is no row and no id for a single fill. A row can lag its acknowledgement, and
 * paper accounts have missed rows for filled orders (pitfall 18): absence proves nothing by itself.
 */
export async function listOrders(
  context: SendContext,
  date: SessionDate,
  now: Instant,
  signal: AbortSignal,
): Promise<readonly BrokerOrder[]> {
  const recent = date >= addDays(kstDate(now), -RECENT_DAYS)
  const trId = tradingTr(recent ? 'orders' : 'ordersBefore', context.paperTrading)
  const query = {
    ...accountQuery(context),
    INQR_STRT_DT: digitsOf(date),
    INQR_END_DT: digitsOf(date),
    SLL_BUY_DVSN_CD: '00',
    INQR_DVSN: '01', // oldest first: what is ordered while we page comes at the end
    PDNO: '',
    CCLD_DVSN: '00',
    ORD_GNO_BRNO: '',
    ODNO: '',
    INQR_DVSN_1: '',
    INQR_DVSN_3: '00',
    EXCG_ID_DVSN_CD: context.paperTrading ? 'KRX' : 'ALL',
  }
  const pages = await allPages(context.rest, { path: PATH.orders, trId, query }, signal)
  const orders = new Map<string, BrokerOrder>()
  for (const page of pages) {
    for (const row of rowsOf(page, 'output1', `KIS ${trId}`)) {
      if (isBlank(row, 'odno', 'pdno')) continue
      const order = brokerOrderOf(row)
      orders.set(order.brokerOrderId, order) // a row seen on two pages: the later page knows more
    }
  }
  return [...orders.values()].toSorted(
    (left, right) => left.orderTime - right.orderTime || (left.brokerOrderId < right.brokerOrderId ? -1 : 1),
  )
}

export function brokerOrderOf(row: Row): BrokerOrder {
  const brokerOrderId = orderNumber(row.text('odno'))
  if (brokerOrderId === undefined) throw row.fault('odno', `cannot be ${quoted(row.text('odno'))}`)
  // A new order repeats its own number here (captured), or leaves it empty.
  const original = orderNumber(row.textIfAny('orgn_odno'))
  const isChange = original !== undefined && original !== brokerOrderId
  const limitPrice = row.price('ord_unpr')
  const quantity = row.quantity('ord_qty')
  const filledQuantity = row.quantity('tot_ccld_qty')
  if (filledQuantity > quantity) throw row.fault('tot_ccld_qty', `${filledQuantity} of ${quantity} filled`)
  return {
    brokerOrderId,
    brokerRoute: row.textIfAny('ord_gno_brno') || row.textIfAny('ord_orgno'),
    ...(isChange ? { originalBrokerOrderId: original } : {}),
    instrumentId: row.instrument('pdno', row.textIfAny('excg_id_dvsn_Cd') === 'NXT' ? 'NXT' : 'KRX'),
    side: sideOf(row),
    quantity,
    ...(limitPrice === 0n ? {} : { limitPrice }),
    filledQuantity,
    filledNotional: row.money('tot_ccld_amt'),
    canceledQuantity: row.quantity('cnc_cfrm_qty', 'cncl_cfrm_qty'),
    rejectedQuantity: row.quantity('rjct_qty'),
    remainingQuantity: row.quantity('rmn_qty'),
    isChange,
    orderTime: row.time(row.date('ord_dt'), 'ord_tmd'),
  }
}

function sideOf(row: Row): 'buy' | 'sell' {
  const code = row.text('sll_buy_dvsn_cd')
  if (code === '01') return 'sell'
  if (code === '02') return 'buy'
  throw row.fault('sll_buy_dvsn_cd', `cannot be ${quoted(code)}`)
}

/** Symbols that were sold out stay in KIS's list with quantity 0 for two days; they are left out here. */
export async function accountBalance(context: SendContext, signal: AbortSignal): Promise<BrokerBalance> {
  const trId = tradingTr('balance', context.paperTrading)
  const query = {
    ...accountQuery(context),
    AFHR_FLPR_YN: 'N',
    OFL_YN: '',
    INQR_DVSN: '02', // by symbol: one row each
    UNPR_DVSN: '01',
    FUND_STTL_ICLD_YN: 'N',
    FNCG_AMT_AUTO_RDPT_YN: 'N',
    PRCS_DVSN: '00', // yesterday's trades included
  }
  const pages = await allPages(context.rest, { path: PATH.balance, trId, query }, signal)
  const positions = new Map<string, BrokerPosition>()
  let cash: Money | undefined
  for (const page of pages) {
    for (const row of rowsOf(page, 'output1', `KIS ${trId}`)) {
      if (isBlank(row, 'pdno', 'hldg_qty')) continue
      const position = positionOf(row)
      if (position.quantity > 0n) positions.set(position.instrumentId, position)
    }
    // An array with one element, unlike everywhere else. D+2: what is left once everything traded has settled.
    const [totals] = rowsOf(page, 'output2', `KIS ${trId}`)
    if (totals !== undefined) cash = totals.money('prvs_rcdl_excc_amt')
  }
  if (cash === undefined) throw new RetryableError(`KIS ${trId}: output2 is empty`)
  return { cash, positions: [...positions.values()] }
}

const positionOf = (row: Row): BrokerPosition => ({
  instrumentId: row.instrument('pdno'),
  quantity: row.quantity('hldg_qty'),
  averagePrice: row.price('pchs_avg_pric'),
  lastPrice: row.price('prpr'),
})

/** Pitfall 13: a market buy is measured at the upper daily limit, which KIS does itself under ORD_DVSN 01. */
export async function orderableCash(
  context: SendContext,
  instrumentId: InstrumentId,
  limitPrice: Price | undefined,
  signal: AbortSignal,
): Promise<Money> {
  const trId = tradingTr('orderableCash', context.paperTrading)
  const query = {
    ...accountQuery(context),
    PDNO: symbolOf(instrumentId),
    ORD_UNPR: limitPrice === undefined ? '0' : formatPrice(limitPrice),
    ORD_DVSN: limitPrice === undefined ? '01' : '00',
    CMA_EVLU_AMT_ICLD_YN: 'N',
    OVRS_ICLD_YN: 'N',
  }
  const call = { path: PATH.orderableCash, trId, priority: 'read' as const, deadlineMs: READ_MS_MAX, query }
  const { root } = await context.rest.read(call, signal)
  // Without receivables: cash, never credit.
  return rowOf(root['output'], `KIS ${trId}.output`).money('nrcvb_buy_amt')
}

export const unknownAccount = (accountId: string): BrokerRefusedError =>
  new BrokerRefusedError(`no KIS account ${quoted(accountId)} is configured`)
