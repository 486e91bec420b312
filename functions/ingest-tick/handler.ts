// Frame → ticks → outputs, stored ticks, hot prices. Phase → closed bars.
//
// I1. Outputs come trades first, in the order of the frame, then quotes, then bars: the index of a trade, and so its
//     event's id, depends on the frame alone.
// I2. An event delivered again to this process gets the answer that it got the first time; the state does not move. To
//     another process the running volume tells what was seen (D1).
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { venueOf } from '#shared/domain/instrument.ts'
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { type Instant, addMs, formatInstant, kstDate, parseInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice, formatQuantity } from '#shared/domain/values.ts'
import { type DataOf, type EventOf, type Output, isOf, output } from '#shared/events/contract.ts'
import { BarClosed, FrameReceived, QuoteChanged, TickTraded } from '#shared/events/market.ts'
import type { SessionPhaseChanged } from '#shared/events/timers.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { FrameDecoder } from '#shared/ports/frame-decoder.ts'
import type { HotState, LastPrice } from '#shared/ports/hot-state.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { StoredTick, TickStore } from '#shared/ports/tick-store.ts'
import type { Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type FormingBar, endPhase, isComplete } from './bars.ts'
import { type IngestCount, decideQuote, decideTick } from './decide.ts'
import type { ingestTick } from './function.ts'
import { type TrackedInstrument, trackedInstruments } from './instruments.ts'
import { lastPriceWriter } from './last-prices.ts'

export interface IngestTickDeps {
  readonly decoder: FrameDecoder
  readonly hotState: Pick<HotState, 'get' | 'set' | 'putLastPrices'>
  readonly tickStore: Pick<TickStore, 'appendTicks' | 'appendBars'>
  /** For base prices, and for the instruments whose bars a phase closes. */
  readonly instruments: Pick<Instruments, 'get' | 'list'>
  readonly clock: Clock
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  /**
   * Business time to wait after a phase began before its bars are closed, for prints still on their way: the closing
   * auction's comes seconds after the close. 0 where the driver of a replay delivers in order.
   */
  readonly phaseGraceMs: number
  /** Least time between two hot copies of one instrument's forming bars. */
  readonly copyIntervalMs: number
  readonly count: (what: IngestCount, instrumentId: InstrumentId) => void
}

export type IngestTickHandler = Handler<typeof ingestTick> & {
  /** Writes what is only in the process. To be called when no event is in hand. */
  drain(): Promise<void>
}

type IngestOutput = OutputOf<typeof ingestTick>
type Context = HandlerContext<typeof ingestTick>

interface Answer {
  readonly outputs: readonly IngestOutput[]
  readonly ticks: readonly StoredTick[]
  readonly bars: readonly FormingBar[]
  readonly prices: readonly LastPrice[]
}

/** Answers kept for deliveries that come again (I2). A trigger retries what it has in flight, not older events. */
const ANSWERS_MAX = 2_000
const CLOSING_PHASES: ReadonlySet<string> = new Set(['closingAuction', 'closed'])

const tickOutput = (tick: TradeTick, receivedTime: string): Output<typeof TickTraded> =>
  output(TickTraded, {
    instrumentId: tick.instrumentId,
    eventTime: formatInstant(tick.eventTime),
    receivedTime,
    price: formatPrice(tick.price),
    quantity: formatQuantity(tick.quantity),
    aggressor: tick.aggressor,
    sessionVolume: formatQuantity(tick.sessionVolume),
    bidPrice: formatPrice(tick.bidPrice),
    askPrice: formatPrice(tick.askPrice),
  })

const quoteOutput = (quote: QuoteTick, receivedTime: string): Output<typeof QuoteChanged> =>
  output(QuoteChanged, {
    instrumentId: quote.instrumentId,
    eventTime: formatInstant(quote.eventTime),
    receivedTime,
    bidPrice: formatPrice(quote.bidPrice),
    bidQuantity: formatQuantity(quote.bidQuantity),
    askPrice: formatPrice(quote.askPrice),
    askQuantity: formatQuantity(quote.askQuantity),
  })

const barOutput = (bar: FormingBar): Output<typeof BarClosed> =>
  output(BarClosed, {
    instrumentId: bar.instrumentId,
    interval: bar.interval,
    openTime: formatInstant(bar.openTime),
    closeTime: formatInstant(bar.closeTime),
    open: formatPrice(bar.open),
    high: formatPrice(bar.high),
    low: formatPrice(bar.low),
    close: formatPrice(bar.close),
    volume: formatQuantity(bar.volume),
    notional: formatMoney(bar.notional),
    trades: bar.trades,
  })

const byInstrument = (left: FormingBar, right: FormingBar): number =>
  left.instrumentId < right.instrumentId ? -1 : left.instrumentId > right.instrumentId ? 1 : 0

export function ingestTickHandler(deps: IngestTickDeps): IngestTickHandler {
  const { decoder, tickStore, clock, phaseGraceMs, count } = deps
  const onFailure = (instrumentId: InstrumentId): void => count('hotStateFailure', instrumentId)
  const tracked = trackedInstruments({ ...deps, onFailure })
  const lastPrices = lastPriceWriter(deps.hotState, onFailure)
  const answers = new Map<string, Answer>()

  const remember = (eventId: string, answer: Answer): Answer => {
    answers.set(eventId, answer)
    if (answers.size > ANSWERS_MAX) {
      const [oldest] = answers.keys()
      if (oldest !== undefined) answers.delete(oldest)
    }
    return answer
  }

  const completeOnly = (closed: readonly FormingBar[]): readonly FormingBar[] =>
    closed.filter((bar) => {
      if (isComplete(bar)) return true
      count('incompleteBar', bar.instrumentId)
      return false
    })

  const takeTick = (tick: TradeTick, entry: TrackedInstrument, receivedTime: Instant) => {
    const limits = entry.limitsDate === kstDate(tick.eventTime) ? entry.limits : undefined
    const decision = decideTick(entry.state, tick, receivedTime, limits)
    for (const what of decision.counts) count(what, tick.instrumentId)
    entry.isDirty ||= decision.state !== entry.state
    entry.state = decision.state
    return decision
  }

  const answerFrame = async (
    event: EventOf<DataOf<typeof FrameReceived>>,
    context: Context,
  ): Promise<Answer> => {
    const { broker, frame } = event.data
    if (broker !== decoder.broker) throw new PoisonError(`no decoder for frames of broker ${broker}`)
    const receivedTime = parseInstant(event.data.receivedTime)
    const received = formatInstant(receivedTime)
    const { trades, quotes } = decoder.decode(frame, receivedTime)
    const ids = [...new Set([...trades, ...quotes].map((record) => record.instrumentId))]
    await tracked.prepare(ids, receivedTime)

    for (const id of ids) tracked.copyIfDue(id)
    const kept: TradeTick[] = []
    const closed: FormingBar[] = []
    const prices = new Map<InstrumentId, LastPrice>()
    for (const tick of trades) {
      const decision = takeTick(tick, tracked.get(tick.instrumentId), receivedTime)
      closed.push(...decision.closed)
      if (!decision.isKept) continue
      kept.push(tick)
      const { instrumentId, price, eventTime } = tick
      const known = prices.get(instrumentId)
      if (known === undefined || known.eventTime <= eventTime) {
        prices.set(instrumentId, { instrumentId, price, eventTime })
      }
    }
    const changed = quotes.filter((quote) => {
      const entry = tracked.get(quote.instrumentId)
      const { state, hasChanged } = decideQuote(entry.state, quote)
      entry.state = state
      return hasChanged
    })

    const bars = completeOnly(closed)
    const outputs: readonly IngestOutput[] = [
      ...kept.map((tick) => tickOutput(tick, received)),
      ...changed.map((quote) => quoteOutput(quote, received)),
      ...bars.map(barOutput),
    ]
    const events = kept.length === 0 ? [] : context.finish(outputs)
    const ticks = kept.map((tick, index) => ({ ...tick, tickId: events[index]?.id ?? '', receivedTime }))
    return { outputs, ticks, bars, prices: [...prices.values()] }
  }

  const answerPhase = async (
    { data }: EventOf<DataOf<typeof SessionPhaseChanged>>,
    context: Context,
  ): Promise<Answer> => {
    const nothing: Answer = { outputs: [], ticks: [], bars: [], prices: [] }
    if (!CLOSING_PHASES.has(data.phase)) return nothing
    const at = parseInstant(data.changedTime)
    if (phaseGraceMs > 0) await clock.sleepUntil(addMs(at, phaseGraceMs), context.signal)
    const listed = (await deps.instruments.list()).map(({ id }) => id)
    await tracked.prepare(
      listed.filter((id) => venueOf(id) === data.venue),
      at,
    )

    const closed: FormingBar[] = []
    for (const [id, entry] of tracked.all()) {
      if (venueOf(id) !== data.venue) continue
      tracked.copyIfDue(id)
      const ended = endPhase(entry.state.forming, data.phase, at)
      if (ended.closed.length === 0) continue
      closed.push(...ended.closed)
      entry.state = { ...entry.state, forming: ended.forming }
      entry.isDirty = true
    }
    const bars = completeOnly(closed.toSorted(byInstrument))
    return { ...nothing, outputs: bars.map(barOutput), bars }
  }

  const handle: Handler<typeof ingestTick> = async (event, context) => {
    const answer =
      answers.get(event.id) ??
      remember(
        event.id,
        isOf(FrameReceived, event) ? await answerFrame(event, context) : await answerPhase(event, context),
      )
    const writes: Promise<void>[] = []
    if (answer.prices.length > 0) writes.push(lastPrices.put(answer.prices))
    if (answer.ticks.length > 0) writes.push(tickStore.appendTicks(answer.ticks))
    if (answer.bars.length > 0) writes.push(tickStore.appendBars(answer.bars))
    if (writes.length > 0) await Promise.all(writes)
    return answer.outputs
  }

  return Object.assign(handle, {
    async drain() {
      await lastPrices.settle()
      await tracked.drain()
    },
  })
}
