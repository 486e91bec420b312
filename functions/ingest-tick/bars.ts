// Bars from ticks, one tick at a time.
//
// B1. A bar covers [openTime, closeTime) of the clock: 1m and 5m from the full minute. The 1d bar takes everything
//     from midnight to midnight at the venue, auctions included, and is dated by the regular session (09:00 to 15:30 in
//     Seoul), as the broker dates it: the closing auction prints at its closeTime and still belongs to it.
// B2. Nothing closes a bar but a tick of a later one or the session's phase: no bar is seen before it is complete.
//     A span without a trade makes no bar.
// B3. A closed bar never changes. A tick that belongs to it, or to one before it, is late and is not merged.
// B4. A bar says how much volume it missed (`missedVolume`): the venue's running volume told of trades that never came.
import { type InstrumentId, type Venue, venueOf } from '#shared/domain/instrument.ts'
import { BAR_INTERVALS, type Bar, type BarInterval, type TradeTick } from '#shared/domain/market-data.ts'
import type { SessionPhase } from '#shared/domain/session.ts'
import { type Instant, MS_PER_DAY } from '#shared/domain/time.ts'
import { type Money, type Quantity, ZERO_QUANTITY, notionalOf } from '#shared/domain/values.ts'

export type FormingBar = Bar & { readonly missedVolume: Quantity }

export interface FormingSlot {
  readonly bar?: FormingBar
  /** Close of the last bar that closed; 0 before the first. */
  readonly closedUntil: Instant
}

/** What one instrument has in the making. */
export type Forming = Readonly<Record<BarInterval, FormingSlot>>

export interface Formed {
  readonly forming: Forming
  readonly closed: readonly FormingBar[]
  /** Intervals whose bar was closed before this tick came. */
  readonly late: readonly BarInterval[]
}

const MS_PER_HOUR = 3_600_000
/**
 * What is added to UTC to have a trading day between two midnights. New York keeps daylight saving time, but its session,
 * extended hours included, lies within one day at UTC−5 all year.
 */
const DAY_OFFSET_MS: Record<Venue, number> = {
  KRX: 9 * MS_PER_HOUR,
  NXT: 9 * MS_PER_HOUR,
  NASDAQ: -5 * MS_PER_HOUR,
  NYSE: -5 * MS_PER_HOUR,
  AMEX: -5 * MS_PER_HOUR,
}
const LENGTH_MS: Record<BarInterval, number> = { '1m': 60_000, '5m': 300_000, '1d': MS_PER_DAY }
/** From midnight to the open and to the close of the regular session. Elsewhere the whole day. */
const KRX_HOURS = { open: 9 * MS_PER_HOUR, close: 15.5 * MS_PER_HOUR }
const WHOLE_DAY = { open: 0, close: MS_PER_DAY }
const hoursOf = (instrumentId: InstrumentId): typeof KRX_HOURS => {
  const venue = venueOf(instrumentId)
  return venue === 'KRX' || venue === 'NXT' ? KRX_HOURS : WHOLE_DAY
}

const EMPTY: FormingSlot = { closedUntil: 0 as Instant }
export const NOTHING_FORMING: Forming = { '1m': EMPTY, '5m': EMPTY, '1d': EMPTY }

/** The open time of the bar that an instant belongs to. */
export function openTimeOf(instrumentId: InstrumentId, interval: BarInterval, at: Instant): Instant {
  const length = LENGTH_MS[interval]
  if (interval !== '1d') return (Math.floor(at / length) * length) as Instant
  const offset = DAY_OFFSET_MS[venueOf(instrumentId)]
  const midnight = Math.floor((at + offset) / length) * length - offset
  return (midnight + hoursOf(instrumentId).open) as Instant
}

function closeTimeOf(instrumentId: InstrumentId, interval: BarInterval, openTime: Instant): Instant {
  if (interval !== '1d') return (openTime + LENGTH_MS[interval]) as Instant
  const { open, close } = hoursOf(instrumentId)
  return (openTime + close - open) as Instant
}

const beginBar = (
  tick: TradeTick,
  interval: BarInterval,
  openTime: Instant,
  missed: Quantity,
): FormingBar => ({
  instrumentId: tick.instrumentId,
  interval,
  openTime,
  closeTime: closeTimeOf(tick.instrumentId, interval, openTime),
  open: tick.price,
  high: tick.price,
  low: tick.price,
  close: tick.price,
  volume: tick.quantity,
  notional: notionalOf(tick.price, tick.quantity),
  trades: 1,
  missedVolume: missed,
})

const extendBar = (bar: FormingBar, tick: TradeTick, missed: Quantity): FormingBar => ({
  ...bar,
  high: tick.price > bar.high ? tick.price : bar.high,
  low: tick.price < bar.low ? tick.price : bar.low,
  close: tick.price,
  volume: (bar.volume + tick.quantity) as Quantity,
  notional: (bar.notional + notionalOf(tick.price, tick.quantity)) as Money,
  trades: bar.trades + 1,
  missedVolume: (bar.missedVolume + missed) as Quantity,
})

type Step = { readonly slot: FormingSlot; readonly closed?: FormingBar; readonly isLate?: true }

function stepSlot(slot: FormingSlot, tick: TradeTick, interval: BarInterval, missed: Quantity): Step {
  const openTime = openTimeOf(tick.instrumentId, interval, tick.eventTime)
  const { bar, closedUntil } = slot
  if (openTime < closedUntil || (bar !== undefined && openTime < bar.openTime)) return { slot, isLate: true }
  if (bar === undefined) return { slot: { bar: beginBar(tick, interval, openTime, missed), closedUntil } }
  if (openTime === bar.openTime) return { slot: { bar: extendBar(bar, tick, missed), closedUntil } }
  // Trades were missed somewhere between the two ticks: either bar may lack them.
  return {
    slot: { bar: beginBar(tick, interval, openTime, missed), closedUntil: bar.closeTime },
    closed: { ...bar, missedVolume: (bar.missedVolume + missed) as Quantity },
  }
}

/** Adds a tick. `missedVolume` is what the venue says was traded between the tick before and this one, unseen by us. */
export function addTick(forming: Forming, tick: TradeTick, missedVolume: Quantity = ZERO_QUANTITY): Formed {
  const oneMinute = stepSlot(forming['1m'], tick, '1m', missedVolume)
  const fiveMinutes = stepSlot(forming['5m'], tick, '5m', missedVolume)
  const day = stepSlot(forming['1d'], tick, '1d', missedVolume)
  const closed: FormingBar[] = []
  const late: BarInterval[] = []
  if (oneMinute.closed !== undefined) closed.push(oneMinute.closed)
  if (fiveMinutes.closed !== undefined) closed.push(fiveMinutes.closed)
  if (day.closed !== undefined) closed.push(day.closed)
  if (oneMinute.isLate) late.push('1m')
  if (fiveMinutes.isLate) late.push('5m')
  if (day.isLate) late.push('1d')
  return { forming: { '1m': oneMinute.slot, '5m': fiveMinutes.slot, '1d': day.slot }, closed, late }
}

/** Which bars a phase ends: continuous trading ends those of minutes, the close ends the day as well. */
const ENDS: Record<SessionPhase, readonly BarInterval[]> = {
  openingAuction: [],
  continuous: [],
  closingAuction: ['1m', '5m'],
  closed: ['1m', '5m', '1d'],
}

export const endsBars = (phase: SessionPhase): boolean => ENDS[phase].length > 0

/** Closes what a phase that began at `at` ends. Bars that opened later stay. */
export function endPhase(forming: Forming, phase: SessionPhase, at: Instant): Omit<Formed, 'late'> {
  const closed: FormingBar[] = []
  const next: Record<BarInterval, FormingSlot> = { ...forming }
  for (const interval of BAR_INTERVALS) {
    const { bar } = forming[interval]
    // The closing auction prints within the minute after the close, so that minute is closed with the day.
    if (bar === undefined || !ENDS[phase].includes(interval) || bar.openTime > at) continue
    closed.push(bar)
    next[interval] = { closedUntil: bar.closeTime }
  }
  return { forming: next, closed }
}

/**
 * Whether a bar is what it says: at least 99 % of the volume that the venue reports for it was seen. One that is not
 * is neither emitted nor stored; history has it from the broker later.
 */
export const isComplete = ({ volume, missedVolume }: FormingBar): boolean =>
  missedVolume * 100n <= volume + missedVolume
