// inquire-price, inquire-asking-price-exp-ccn, inquire-ccnl, chk-holiday.
import { instrumentId } from '#shared/domain/instrument.ts'
import { krxSessionOf } from '#shared/domain/krx-calendar.ts'
import { tickSizeOf } from '#shared/domain/krx-rules.ts'
import type { BookLevel } from '#shared/domain/market-data.ts'
import { type SessionDate, addDays, weekdayOf } from '#shared/domain/time.ts'
import { averagePriceOf } from '#shared/domain/values.ts'
import type { DayView } from '../market/day-view.ts'
import {
  type Call,
  type Desk,
  QUOTED,
  type Reply,
  codeOf,
  dateFromKis,
  failed,
  fieldInvalid,
  kisDate,
  kisTime,
  ok,
  percent,
  signOf,
  won,
  wonExact,
} from './reply.ts'

const LEVELS = 10

/** The instrument that a quote asks for; KIS also reads lower-case names. */
export function dayOf(desk: Desk, call: Call): DayView | Reply {
  const market = call.field('FID_COND_MRKT_DIV_CODE')
  if (market !== 'J' && !(market === 'UN' && desk.profile === 'real')) {
    return failed(200, 'OPSQ2001', 'ERROR : INPUT INVALID_CHECK_MRKT_DIV_CODE')
  }
  try {
    const day = desk.broker.tape.day(instrumentId(`${call.field('FID_INPUT_ISCD').trim()}.KRX`))
    if (day !== undefined) return day
  } catch {
    // Not a code at all: answered like an unknown one.
  }
  return failed(200, 'OPSQ2001', 'ERROR : INPUT INVALID_CHECK_ISCD')
}

/** Change against the base price, as three fields. */
export function changeOf(day: DayView): { prdy_vrss: string; prdy_vrss_sign: string; prdy_ctrt: string } {
  const { basePrice } = day.instrument
  const { upper, lower } = day.limits
  const change = day.last - basePrice
  return {
    prdy_vrss: won(change),
    prdy_vrss_sign: signOf(change, day.last === upper, day.last === lower),
    prdy_ctrt: percent(change, basePrice),
  }
}

export function price(desk: Desk, call: Call): Reply {
  const day = dayOf(desk, call)
  if ('status' in day) return day
  const { basePrice, kind, market, isTradable, id } = day.instrument
  const { upper, lower } = day.limits
  const vwap = day.volume === 0n ? day.last : averagePriceOf(day.notional as never, day.volume as never)
  const output = {
    iscd_stat_cls_code: isTradable ? '55' : '58',
    marg_rate: '20.00',
    rprs_mrkt_kor_name: market === 'KOSPI' ? 'KOSPI200' : market,
    bstp_kor_isnm: '',
    temp_stop_yn: isTradable ? 'N' : 'Y',
    oprc_rang_cont_yn: 'N',
    clpr_rang_cont_yn: 'N',
    crdt_able_yn: 'N',
    grmn_rate_cls_code: '40',
    elw_pblc_yn: 'N',
    stck_prpr: won(day.last),
    ...changeOf(day),
    acml_tr_pbmn: won(day.notional),
    acml_vol: day.volume.toString(),
    prdy_vrss_vol_rate: percent(day.volume, day.previous?.volume ?? 0n),
    stck_oprc: won(day.open ?? 0n),
    stck_hgpr: won(day.open === undefined ? 0n : day.high),
    stck_lwpr: won(day.open === undefined ? 0n : day.low),
    stck_mxpr: won(upper),
    stck_llam: won(lower),
    stck_sdpr: won(basePrice),
    wghn_avrg_stck_prc: wonExact(vwap).slice(0, -2),
    rstc_wdth_prc: won(upper - basePrice),
    aspr_unit: won(tickSizeOf(kind, day.last, day.date, market)),
    hts_deal_qty_unit_val: '1',
    lstn_stcn: '0',
    stck_shrn_iscd: codeOf(id),
    vi_cls_code: 'N',
    ovtm_vi_cls_code: 'N',
    invt_caful_yn: 'N',
    mrkt_warn_cls_code: '00',
    short_over_yn: 'N',
    sltr_yn: 'N',
    mang_issu_cls_code: 'N',
  }
  return ok({ output }, QUOTED)
}

function levels(prefix: 'ask' | 'bid', book: readonly BookLevel[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let level = 1; level <= LEVELS; level += 1) {
    const found = book[level - 1]
    fields[`${prefix}p${level}`] = won(found?.price ?? 0n)
    fields[`${prefix}p_rsqn${level}`] = String(found?.quantity ?? 0)
    fields[`${prefix}p_rsqn_icdc${level}`] = '0'
  }
  return fields
}

export const totalOf = (book: readonly BookLevel[]): bigint =>
  book.reduce((sum, level) => sum + level.quantity, 0n)

export function askingPrice(desk: Desk, call: Call): Reply {
  const day = dayOf(desk, call)
  if ('status' in day) return day
  const { asks, bids } = day.depth
  const isAuction = desk.broker.exchange.venue.isInAuction(day.instrument.id)
  const change = changeOf(day)
  const output1 = {
    aspr_acpt_hour: kisTime(desk.broker.now()),
    ...levels('ask', asks),
    ...levels('bid', bids),
    total_askp_rsqn: totalOf(asks).toString(),
    total_bidp_rsqn: totalOf(bids).toString(),
    total_askp_rsqn_icdc: '0',
    total_bidp_rsqn_icdc: '0',
    ovtm_total_askp_icdc: '0',
    ovtm_total_bidp_icdc: '0',
    ovtm_total_askp_rsqn: '0',
    ovtm_total_bidp_rsqn: '0',
    ntby_aspr_rsqn: (totalOf(bids) - totalOf(asks)).toString(),
    new_mkop_cls_code: isAuction ? '11' : '20',
  }
  const output2 = {
    antc_mkop_cls_code: isAuction ? '112' : '311',
    stck_prpr: won(day.last),
    stck_oprc: won(day.open ?? 0n),
    stck_hgpr: won(day.open === undefined ? 0n : day.high),
    stck_lwpr: won(day.open === undefined ? 0n : day.low),
    stck_sdpr: won(day.instrument.basePrice),
    antc_cnpr: won(day.last),
    antc_cntg_vrss_sign: change.prdy_vrss_sign,
    antc_cntg_vrss: change.prdy_vrss,
    antc_cntg_prdy_ctrt: change.prdy_ctrt,
    antc_vol: '0',
    stck_shrn_iscd: codeOf(day.instrument.id),
    vi_cls_code: 'N',
  }
  return ok({ output1, output2 }, QUOTED)
}

export function latestTrades(desk: Desk, call: Call): Reply {
  const day = dayOf(desk, call)
  if ('status' in day) return day
  const output = day.latestTrades().map(({ at, price: traded, quantity }) => {
    const change = traded - day.instrument.basePrice
    return {
      stck_cntg_hour: kisTime(at),
      stck_prpr: won(traded),
      prdy_vrss: won(change),
      prdy_vrss_sign: signOf(change),
      cntg_vol: quantity.toString(),
      tday_rltv: percent(day.buyVolume, day.sellVolume),
      prdy_ctrt: percent(change, day.instrument.basePrice),
    }
  })
  return ok({ output }, QUOTED)
}

const HOLIDAY_DAYS = 24

/** Real host only. Days outside the bundled calendar end the list. */
export function holidays(_desk: Desk, call: Call): Reply {
  const from = dateFromKis(call.field('CTX_AREA_NK').trim() || call.field('BASS_DT'))
  if (from === undefined) return fieldInvalid('BASS_DT')
  const output: Record<string, string>[] = []
  let date: SessionDate = from
  for (; output.length < HOLIDAY_DAYS; date = addDays(date, 1)) {
    let isOpen: boolean
    try {
      isOpen = krxSessionOf(date) !== undefined
    } catch {
      break
    }
    const yes = isOpen ? 'Y' : 'N'
    output.push({
      bass_dt: kisDate(date),
      wday_dvsn_cd: `0${weekdayOf(date) + 1}`,
      bzdy_yn: yes,
      tr_day_yn: yes,
      opnd_yn: yes,
      sttl_day_yn: yes,
    })
  }
  const next = output.length === HOLIDAY_DAYS ? kisDate(date) : ''
  const keys = { ctx_area_nk: next.padEnd(20), ctx_area_fk: ''.padEnd(20) }
  return ok({ ...keys, output }, ['KIOK0500', '조회가 계속됩니다..다음버튼을 Click 하십시오.'], {
    tr_cont: next === '' ? 'E' : 'F',
  })
}
