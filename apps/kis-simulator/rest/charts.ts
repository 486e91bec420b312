// inquire-daily-itemchartprice and inquire-time-itemchartprice: newest first, paged by moving the date or the hour back.
import {
  type Instant,
  type SessionDate,
  instant,
  kstInstant,
  kstTimeOfDay,
  timeOfDay,
} from '#shared/domain/time.ts'
import type { DayView, MinuteBar } from '../market/day-view.ts'
import type { DailyBar } from '../market/source.ts'
import { changeOf, dayOf } from './quotes.ts'
import {
  type Call,
  type Desk,
  QUOTED,
  type Reply,
  codeOf,
  dateFromKis,
  fieldInvalid,
  kisDate,
  kisTime,
  ok,
  signOf,
  won,
} from './reply.ts'

const DAILY_ROWS = 100
const MINUTE_ROWS = 30
const MINUTE_MS = 60_000

function dailyRow(bar: DailyBar, before: DailyBar | undefined): Record<string, string> {
  const change = before === undefined ? 0n : bar.close - before.close
  return {
    stck_bsop_date: kisDate(bar.date),
    stck_clpr: won(bar.close),
    stck_oprc: won(bar.open),
    stck_hgpr: won(bar.high),
    stck_lwpr: won(bar.low),
    acml_vol: bar.volume.toString(),
    acml_tr_pbmn: won(bar.notional),
    flng_cls_code: '00',
    prtt_rate: '0.00',
    mod_yn: 'N',
    prdy_vrss_sign: signOf(change),
    prdy_vrss: won(change),
    revl_issu_reas: '',
  }
}

/** Only the period D is served. Adjusted and raw prices are the same here. */
export function dailyChart(desk: Desk, call: Call): Reply {
  const day = dayOf(desk, call)
  if ('status' in day) return day
  const from = dateFromKis(call.field('FID_INPUT_DATE_1'))
  const to = dateFromKis(call.field('FID_INPUT_DATE_2'))
  if (from === undefined) return fieldInvalid('FID_INPUT_DATE_1')
  if (to === undefined) return fieldInvalid('FID_INPUT_DATE_2')
  if (call.field('FID_PERIOD_DIV_CODE') !== 'D') return fieldInvalid('FID_PERIOD_DIV_CODE')
  const bars = barsOf(desk, day)
  const output2: Record<string, string>[] = []
  for (let index = bars.length - 1; index >= 0 && output2.length < DAILY_ROWS; index -= 1) {
    const bar = bars[index]
    if (bar !== undefined && bar.date >= from && bar.date <= to) output2.push(dailyRow(bar, bars[index - 1]))
  }
  return ok({ output1: dailyHead(day), output2 }, QUOTED)
}

/** Finished sessions and, once it has traded, today's. */
function barsOf(desk: Desk, day: DayView): readonly DailyBar[] {
  const finished = desk.broker.tape.history(day.instrument.id)
  const today = day.dailyBar()
  return today === undefined || finished.at(-1)?.date === today.date ? finished : [...finished, today]
}

function dailyHead(day: DayView): Record<string, string> {
  const { previous } = day
  return {
    ...changeOf(day),
    stck_prdy_clpr: won(day.instrument.basePrice),
    acml_vol: day.volume.toString(),
    acml_tr_pbmn: won(day.notional),
    hts_kor_isnm: day.instrument.name,
    stck_prpr: won(day.last),
    stck_shrn_iscd: codeOf(day.instrument.id),
    prdy_vol: String(previous?.volume ?? 0),
    stck_oprc: won(day.open ?? 0n),
    stck_hgpr: won(day.open === undefined ? 0n : day.high),
    stck_lwpr: won(day.open === undefined ? 0n : day.low),
    stck_prdy_oprc: won(previous?.open ?? 0n),
    stck_prdy_hgpr: won(previous?.high ?? 0n),
    stck_prdy_lwpr: won(previous?.low ?? 0n),
    askp: won(day.depth.asks[0]?.price ?? 0n),
    bidp: won(day.depth.bids[0]?.price ?? 0n),
    prdy_vrss_vol: (day.volume - (previous?.volume ?? 0n)).toString(),
    vol_tnrt: '0.00',
  }
}

function minuteRow(date: SessionDate, bar: MinuteBar): Record<string, string> {
  return {
    stck_bsop_date: kisDate(date),
    stck_cntg_hour: kisTime(bar.at),
    stck_prpr: won(bar.close),
    stck_oprc: won(bar.open),
    stck_hgpr: won(bar.high),
    stck_lwpr: won(bar.low),
    cntg_vol: bar.volume.toString(),
    acml_tr_pbmn: won(bar.sessionNotional),
  }
}

/** Of the current session only. Minutes of the future come as flat rows at the current price, as KIS sends them. */
export function minuteChart(desk: Desk, call: Call): Reply {
  const day = dayOf(desk, call)
  if ('status' in day) return day
  const asked = hourOf(call.field('FID_INPUT_HOUR_1'), day.date)
  if (asked === undefined) return fieldInvalid('FID_INPUT_HOUR_1')
  const now = desk.broker.now()
  const known = new Map(day.minutes.map((bar) => [bar.at, bar]))
  const oldest = day.minutes[0]?.at ?? now
  const output2: Record<string, string>[] = []
  const start = asked - (kstTimeOfDay(asked) % MINUTE_MS)
  for (let at = start; at >= oldest && output2.length < MINUTE_ROWS; at -= MINUTE_MS) {
    const bar = known.get(instant(at))
    if (bar !== undefined) output2.push(minuteRow(day.date, bar))
    else if (at > now && day.open !== undefined) output2.push(minuteRow(day.date, flatBar(day, instant(at))))
  }
  const output1 = {
    ...changeOf(day),
    stck_prdy_clpr: won(day.instrument.basePrice),
    acml_vol: day.volume.toString(),
    acml_tr_pbmn: won(day.notional),
    hts_kor_isnm: day.instrument.name,
    stck_prpr: won(day.last),
  }
  return ok({ output1, output2 }, QUOTED)
}

function hourOf(text: string, date: SessionDate): Instant | undefined {
  const match = /^(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (match === null) return undefined
  try {
    return kstInstant(date, timeOfDay(`${match[1]}:${match[2]}:${match[3]}`))
  } catch {
    return undefined
  }
}

const flatBar = (day: DayView, at: Instant): MinuteBar => ({
  at,
  open: day.last,
  high: day.last,
  low: day.last,
  close: day.last,
  volume: 0n,
  sessionNotional: day.notional,
})
