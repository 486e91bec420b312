// One frame: decoded, checked, merged into bars.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { type Instant, formatInstant, kstDate, parseInstant } from '#shared/domain/time.ts'
import type { DataOf, EventOf } from '#shared/events/contract.ts'
import type { FrameReceived } from '#shared/events/market.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { LastPrice } from '#shared/ports/hot-state.ts'
import type { HandlerContext } from '#shared/runtime/function.ts'
import type { FormingBar } from './bars.ts'
import { type TickDecision, decideQuote, decideTick } from './decide.ts'
import type { ingestTick } from './function.ts'
import { barOutput, quoteOutput, tickOutput } from './outputs.ts'
import { type Answer, type IngestOutput, type World, completeOnly } from './world.ts'

/** @throws PoisonError for a frame that cannot be read, or of a broker that there is no decoder for. */
export async function answerFrame(
  world: World,
  event: EventOf<DataOf<typeof FrameReceived>>,
  context: HandlerContext<typeof ingestTick>,
): Promise<Answer> {
  const { decoder } = world.deps
  const { broker, frame } = event.data
  if (broker !== decoder.broker) throw new PoisonError(`no decoder for frames of broker ${broker}`)
  const receivedTime = parseInstant(event.data.receivedTime)
  const { trades, quotes } = decoder.decode(frame, receivedTime)
  const ids = [...new Set([...trades, ...quotes].map((record) => record.instrumentId))]
  const preparing = world.tracked.prepare(ids, receivedTime)
  if (preparing !== undefined) await preparing

  for (const id of ids) world.tracked.copyIfDue(id)
  const { kept, closed, prices } = takeTrades(world, trades, receivedTime)
  const changed = quotes.filter((quote) => takeQuote(world, quote))
  const bars = completeOnly(world, closed)
  const received = formatInstant(receivedTime)
  const outputs: readonly IngestOutput[] = [
    ...kept.map((tick) => tickOutput(tick, received)),
    ...changed.map((quote) => quoteOutput(quote, received)),
    ...bars.map(barOutput),
  ]
  const events = kept.length === 0 ? [] : context.finish(outputs)
  const ticks = kept.map((tick, index) => ({ ...tick, tickId: events[index]?.id ?? '', receivedTime }))
  return { outputs, ticks, bars, prices }
}

function takeTrades(world: World, trades: readonly TradeTick[], receivedTime: Instant) {
  const kept: TradeTick[] = []
  const closed: FormingBar[] = []
  const prices = new Map<InstrumentId, LastPrice>()
  for (const tick of trades) {
    const decision = takeTrade(world, tick, receivedTime)
    closed.push(...decision.closed)
    if (!decision.isKept) continue
    kept.push(tick)
    const { instrumentId, price, eventTime } = tick
    const known = prices.get(instrumentId)
    if (known === undefined || known.eventTime <= eventTime) {
      prices.set(instrumentId, { instrumentId, price, eventTime })
    }
  }
  return { kept, closed, prices: [...prices.values()] }
}

function takeTrade(world: World, tick: TradeTick, receivedTime: Instant): TickDecision {
  const entry = world.tracked.get(tick.instrumentId)
  const limits = entry.limitsDate === kstDate(tick.eventTime) ? entry.limits : undefined
  const decision = decideTick(entry.state, tick, receivedTime, limits)
  for (const what of decision.counts) world.deps.count(what, tick.instrumentId)
  entry.isDirty ||= decision.state !== entry.state
  entry.state = decision.state
  return decision
}

/** True when the quote is news. */
function takeQuote(world: World, quote: QuoteTick): boolean {
  const entry = world.tracked.get(quote.instrumentId)
  const { state, hasChanged } = decideQuote(entry.state, quote)
  entry.state = state
  return hasChanged
}
