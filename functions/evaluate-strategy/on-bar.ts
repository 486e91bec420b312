// A closed bar: every strategy of its interval takes the close, and what opinions come of it are acted on at that close.
// Ticks are another topic, and nothing orders the two: with the last tick's price the same bar could make other orders in
// another process.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { type Instant, kstDate, parseInstant } from '#shared/domain/time.ts'
import { price } from '#shared/domain/values.ts'
import type { DataOf, EventOf } from '#shared/events/contract.ts'
import type { BarClosed } from '#shared/events/market.ts'
import { act, signalOf } from './act.ts'
import { followsSession } from './decide.ts'
import { refreshFlags } from './desk.ts'
import { type Close, type Instance, chill, closeOfBar, take } from './instance.ts'
import type { Roster } from './roster.ts'
import { settleWarmUp } from './warm-up.ts'
import { type EvaluateOutput, type World, isOld, positionOf } from './world.ts'

/** Closes that wait behind a history on its way, at most; the oldest go first. */
const BACKLOG_MAX = 2_000

export async function onBar(
  world: World,
  roster: Roster,
  event: EventOf<DataOf<typeof BarClosed>>,
  signal: AbortSignal,
): Promise<readonly EvaluateOutput[]> {
  const { data } = event
  const desk = world.desks.of(data.instrumentId as InstrumentId, roster)
  const openTime = parseInstant(data.openTime)
  const close = closeOfBar({ interval: data.interval, openTime, close: price(data.close) })
  const fresh = desk.instances.filter(
    ({ entry, lastTime }) => entry.prepared.trading.interval === data.interval && close.time > lastTime,
  )
  for (const instance of fresh) takeOrKeep(world, instance, close, openTime)
  const { settings, stopwatch } = world.deps
  await settleWarmUp(fresh, settings.warmUpWaitMs, stopwatch, signal)

  const outputs: EvaluateOutput[] = []
  for (const instance of fresh) {
    const opinion = instance.lastTime === close.time ? instance.lastOpinion : undefined
    if (opinion === undefined) continue
    if (data.interval === '1d') {
      if (instance.waiting !== undefined) instance.waiting = { ...instance.waiting, isSignaled: true }
      outputs.push(signalOf(world, instance, opinion, close.price, 'next session'))
      continue
    }
    const cause = {
      causeId: event.id,
      isShared: false,
      lastPrice: close.price,
      isOld: isOld(world, event),
      isSignaled: false,
    }
    outputs.push(...(await act(world, instance, opinion, cause)))
  }
  refreshFlags(desk)
  return outputs
}

/** W3. Bars that were not whole are never emitted, and this process may have slept. */
const missedSession = ({ entry, phase, lastTime, instrumentId }: Instance, close: Close): boolean =>
  entry.prepared.trading.interval === '1d' &&
  phase === 'ready' &&
  Number.isFinite(lastTime) &&
  !followsSession(instrumentId, kstDate(lastTime as Instant), kstDate(close.time))

function takeOrKeep(world: World, instance: Instance, close: Close, openTime: Instant): void {
  if (missedSession(instance, close)) chill(instance)
  if (instance.phase === 'ready') {
    take(instance, close, positionOf(world, instance))
    return
  }
  instance.backlog.push(close)
  if (instance.backlog.length > BACKLOG_MAX) instance.backlog.shift()
  world.warmer.begin(instance, openTime)
}
