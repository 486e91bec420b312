// inquire-daily-ccld and inquire-psbl-rvsecncl: one row an order number, aggregated; pages by order number.
import { averagePriceOf } from '#shared/domain/values.ts'
import type { SessionDate } from '#shared/domain/time.ts'
import type { VenueOrder } from '#shared/simulation/venue-order.ts'
import { orderTypeName } from './order-types.ts'
import { accountOf, branchOf, formatOrderNumber, wrongAccount } from './orders.ts'
import {
  type Call,
  type Desk,
  type Profile,
  type Reply,
  codeOf,
  dateFromKis,
  failed,
  fieldInvalid,
  inquired,
  kisDate,
  kisTime,
  ok,
  won,
} from './reply.ts'

const DAILY_PAGE = { real: 100, paper: 15 } as const
const CHANGEABLE_PAGE = 50
const CONTEXT_LENGTH = 100

const sideName = (order: VenueOrder): string => {
  const side = order.side === 'buy' ? '매수' : '매도'
  return order.change === undefined ? side : `${side}${order.change === 'amend' ? '정정' : '취소'}*`
}

const numberOf = (orderNumber: number | undefined): string =>
  orderNumber === undefined ? '' : formatOrderNumber(orderNumber)

function nameOf(desk: Desk, order: VenueOrder): string {
  return desk.broker.exchange.venue.listing(order.instrumentId)?.instrument.name ?? codeOf(order.instrumentId)
}

/**
 * Captures of the paper server fill `orgn_odno` of a new order with its own number and spell the canceled quantity
 * `cncl_cfrm_qty`; the portal has it empty and `cnc_cfrm_qty`. What expired at the close is listed with the canceled: KIS does
 * not document it, and this way a row says that nothing more can come.
 */
function dailyRow(desk: Desk, order: VenueOrder): Record<string, string> {
  const { profile } = desk
  const ended = (order.canceled + order.expired).toString()
  const own = profile === 'paper' ? formatOrderNumber(order.orderNumber) : ''
  return {
    ord_dt: kisDate(order.date),
    ord_gno_brno: branchOf[profile],
    odno: formatOrderNumber(order.orderNumber),
    orgn_odno: order.originalNumber === undefined ? own : formatOrderNumber(order.originalNumber),
    ord_dvsn_name: orderTypeName(order.typeCode),
    sll_buy_dvsn_cd: order.side === 'sell' ? '01' : '02',
    sll_buy_dvsn_cd_name: sideName(order),
    pdno: codeOf(order.instrumentId),
    prdt_name: nameOf(desk, order),
    ord_qty: order.quantity.toString(),
    ord_unpr: order.limitPrice === undefined || order.change === 'cancel' ? '0' : won(order.limitPrice),
    ord_tmd: kisTime(order.enteredTime),
    tot_ccld_qty: order.filled.toString(),
    avg_prvs: order.filled === 0n ? '0' : won(averagePriceOf(order.filledNotional, order.filled)),
    cncl_yn: order.change === 'cancel' || order.canceled > 0n ? 'Y' : 'N',
    tot_ccld_amt: won(order.filledNotional),
    loan_dt: '',
    ordr_empno: '',
    ord_dvsn_cd: order.typeCode,
    [profile === 'paper' ? 'cncl_cfrm_qty' : 'cnc_cfrm_qty']: ended,
    rmn_qty: order.remaining.toString(),
    rjct_qty: order.rejected.toString(),
    ccld_cndt_name: '',
    inqr_ip_addr: '',
    cpbc_ordp_ord_rcit_dvsn_cd: '',
    cpbc_ordp_infm_mthd_dvsn_cd: '',
    infm_tmd: kisTime(order.enteredTime),
    ctac_tlno: '',
    prdt_type_cd: '300',
    excg_dvsn_cd: '02',
    cpbc_ordp_mtrl_dvsn_cd: '',
    ord_orgno: '',
    rsvn_ord_end_dt: '',
    [profile === 'paper' ? 'excg_id_dvsn_cd' : 'excg_id_dvsn_Cd']: 'KRX',
    stpm_cndt_pric: '0',
    stpm_efct_occr_dtmd: '',
  }
}

interface Filter {
  readonly from: SessionDate
  readonly to: SessionDate
  readonly side: string
  readonly code: string
  readonly orderNumber: string
  readonly filled: string
}

const matches = (order: VenueOrder, filter: Filter): boolean =>
  order.date >= filter.from &&
  order.date <= filter.to &&
  (filter.side === '00' || filter.side === (order.side === 'sell' ? '01' : '02')) &&
  (filter.code === '' || filter.code === codeOf(order.instrumentId)) &&
  (filter.orderNumber === '' || Number(filter.orderNumber) === order.orderNumber) &&
  (filter.filled === '00' || (filter.filled === '01' ? order.filled > 0n : order.remaining > 0n))

/** Orders of the account that the list shows by now, oldest first. */
function visibleOrders(desk: Desk, accountNumber: string): VenueOrder[] {
  const hiddenAfterMs = desk.elapsedMs() - desk.faults.settings().orderListDelayMs
  return [...desk.broker.exchange.record.orders()].filter((order) => {
    const enteredMs = desk.broker.enteredMs(order.orderNumber) ?? Number.NEGATIVE_INFINITY
    return order.accountNumber === accountNumber && enteredMs <= hiddenAfterMs
  })
}

interface Page {
  readonly orders: readonly VenueOrder[]
  readonly headers: Readonly<Record<string, string>>
  readonly keys: { readonly ctx_area_fk100: string; readonly ctx_area_nk100: string }
}

/** The page that the context keys ask for. The next key holds the number of the last order shown. */
function pageOf(
  desk: Desk,
  call: Call,
  all: readonly VenueOrder[],
  size: number,
  conditions: string,
): Page | Reply {
  const isNext = call.header('tr_cont') === 'N'
  const [last = '', version = ''] = isNext ? call.field('CTX_AREA_NK100').trim().split('^') : []
  const isStale = last !== '' && version !== String(desk.broker.version())
  if (isStale && desk.faults.settings().refuseStalePages) {
    return failed(200, 'APBK0580', '조회 이후 자료가 변경되었습니다. 다시 조회하십시오.', '7')
  }
  const start = last === '' ? 0 : all.findIndex((order) => order.orderNumber === Number(last)) + 1
  const orders = all.slice(start, start + size)
  const hasMore = start + size < all.length
  const next = hasMore ? `${orders.at(-1)?.orderNumber ?? 0}^${desk.broker.version()}` : ''
  return {
    orders,
    headers: { tr_cont: hasMore ? (start === 0 ? 'F' : 'M') : start === 0 ? 'E' : 'D' },
    keys: {
      ctx_area_fk100: (all.length === 0 ? '' : conditions).slice(0, CONTEXT_LENGTH).padEnd(CONTEXT_LENGTH),
      ctx_area_nk100: next.padEnd(CONTEXT_LENGTH),
    },
  }
}

const message = (profile: Profile, page: Page): readonly [string, string] => {
  if (profile === 'paper') return inquired(profile)
  if (page.orders.length === 0) return ['KIOK0560', '조회할 내용이 없습니다']
  return page.keys.ctx_area_nk100.trim() === ''
    ? ['KIOK0460', '조회 되었습니다. (마지막 자료)']
    : ['KIOK0500', '조회가 계속됩니다..다음버튼을 Click 하십시오.']
}

export function dailyOrders(desk: Desk, call: Call): Reply {
  const wrong = wrongAccount(desk, call)
  if (wrong !== undefined) return wrong
  const from = dateFromKis(call.field('INQR_STRT_DT'))
  const to = dateFromKis(call.field('INQR_END_DT'))
  if (from === undefined) return fieldInvalid('INQR_STRT_DT')
  if (to === undefined || to < from) return fieldInvalid('INQR_END_DT')
  const filter = {
    from,
    to,
    side: call.field('SLL_BUY_DVSN_CD') || '00',
    code: call.field('PDNO'),
    orderNumber: call.field('ODNO').trim(),
    filled: call.field('CCLD_DVSN') || '00',
  }
  const found = visibleOrders(desk, accountOf(call)).filter((order) => matches(order, filter))
  const all = call.field('INQR_DVSN') === '01' ? found : found.toReversed()
  const conditions = `${call.field('CANO')}^${call.field('ACNT_PRDT_CD')}^${kisDate(from)}^${kisDate(to)}^${filter.side}^`
  const page = pageOf(desk, call, all, DAILY_PAGE[desk.profile], conditions)
  if ('status' in page) return page
  const sum = (of: (order: VenueOrder) => bigint): bigint =>
    found.reduce((total, order) => total + of(order), 0n)
  const filled = sum((order) => order.filled)
  const notional = sum((order) => order.filledNotional)
  const output2 = {
    tot_ord_qty: sum((order) => (order.change === 'cancel' ? 0n : order.quantity)).toString(),
    tot_ccld_qty: filled.toString(),
    tot_ccld_amt: won(notional),
    prsm_tlex_smtl: '0',
    pchs_avg_pric: filled === 0n ? '0.0000' : (Number(notional / filled) / 10_000).toFixed(4),
  }
  const output1 = page.orders.map((order) => dailyRow(desk, order))
  return ok({ ...page.keys, output1, output2 }, message(desk.profile, page), page.headers)
}

/** Real host only. */
export function changeableOrders(desk: Desk, call: Call): Reply {
  const wrong = wrongAccount(desk, call)
  if (wrong !== undefined) return wrong
  const side = call.field('INQR_DVSN_2')
  const all = visibleOrders(desk, accountOf(call)).filter(
    (order) =>
      order.remaining > 0n && (side === '0' || side === '' || (side === '1') === (order.side === 'sell')),
  )
  const conditions = `${call.field('CANO')}^${call.field('ACNT_PRDT_CD')}^${side}^`
  const page = pageOf(desk, call, all, CHANGEABLE_PAGE, conditions)
  if ('status' in page) return page
  const output = page.orders.map((order) => ({
    ord_gno_brno: branchOf[desk.profile],
    odno: formatOrderNumber(order.orderNumber),
    orgn_odno: numberOf(order.originalNumber),
    ord_dvsn_name: orderTypeName(order.typeCode),
    pdno: codeOf(order.instrumentId),
    prdt_name: nameOf(desk, order),
    rvse_cncl_dvsn_name: order.change === 'amend' ? '정정' : '',
    ord_qty: order.quantity.toString(),
    ord_unpr: order.limitPrice === undefined ? '0' : won(order.limitPrice),
    ord_tmd: kisTime(order.enteredTime),
    tot_ccld_qty: order.filled.toString(),
    tot_ccld_amt: won(order.filledNotional),
    psbl_qty: order.remaining.toString(),
    sll_buy_dvsn_cd: order.side === 'sell' ? '01' : '02',
    ord_dvsn_cd: order.typeCode,
    mgco_aptm_odno: '',
    excg_dvsn_cd: '02',
    excg_id_dvsn_cd: 'KRX',
    excg_id_dvsn_name: 'KRX',
    stpm_cndt_pric: '0',
    stpm_efct_occr_yn: 'N',
  }))
  return ok({ ...page.keys, output }, message(desk.profile, page), page.headers)
}
