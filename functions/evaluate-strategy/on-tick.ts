// A tick: evaluates tick strategies, and acts on daily opinions that waited for this session.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { type Instant, kstDate, parseInstant } from '#shared/domain/time.ts'
import { price } from '#shared/domain/values.ts'
import type { DataOf, Event, EventOf } from '#shared/events/contract.ts'
import type { TickTraded } from '#shared/events/market.ts'
import { act } from './act.ts'
import { followsSession } from './decide.ts'
import { type Desk, refreshFlags } from './desk.ts'
import { type Close, type Instance, take } from './instance.ts'
import type { Roster } from './roster.ts'
import { settleWarmUp } from './warm-up.ts'
import { type EvaluateOutput, type World, isOld, positionOf } from './world.ts'

const NOTHING: readonly EvaluateOutput[] = []
const NOBODY: readonly Instance[] = []

/** Answers at once, without a promise, where no strategy needs more than the price. */
export function onTick(
  world: World,
  roster: Roster,
  event: EventOf<DataOf<typeof TickTraded>>,
  context: { readonly signal: AbortSignal },
): readonly EvaluateOutput[] | Promise<readonly EvaluateOutput[]> {
  const { data } = event
  const desk = world.desks.of(data.instrumentId as InstrumentId, roster)
  const eventTime = parseInstant(data.eventTime)
  const begun = desk.hasCold ? beginCold(world, desk, eventTime) : NOBODY
  if (begun.length === 0 && desk.tickInstances.length === 0 && !desk.hasWaiting) return NOTHING
  return evaluate(world, desk, event, { time: eventTime, price: price(data.price) }, begun, context)
}

function beginCold(world: World, desk: Desk, before: Instant): readonly Instance[] {
  const begun = desk.instances.filter((instance) => world.warmer.begin(instance, before))
  refreshFlags(desk)
  return begun
}

async function evaluate(
  world: World,
  desk: Desk,
  event: Event,
  close: Close,
  begun: readonly Instance[],
  context: { readonly signal: AbortSignal },
): Promise<readonly EvaluateOutput[]> {
  const { settings, stopwatch } = world.deps
  if (begun.length > 0) {
    await settleWarmUp(begun, settings.warmUpWaitMs, stopwatch, context.signal)
    refreshFlags(desk)
  }
  const waited = desk.hasWaiting ? await actOnWaiting(world, desk, event, close) : NOTHING
  if (desk.tickInstances.length === 0) return waited
  return [...waited, ...(await evaluateTick(world, desk, event, close))]
}

async function actOnWaiting(
  world: World,
  desk: Desk,
  event: Event,
  close: Close,
): Promise<readonly EvaluateOutput[]> {
  if (isOld(world, event)) return NOTHING // catching up: a tick of now will come
  const outputs: EvaluateOutput[] = []
  const date = kstDate(close.time)
  for (const instance of desk.instances) {
    const { waiting, instrumentId } = instance
    if (waiting === undefined || date <= waiting.barDate) continue
    instance.waiting = undefined
    if (!followsSession(instrumentId, waiting.barDate, date)) continue
    const cause = {
      causeId: `1d/${waiting.barDate}`,
      isShared: true,
      lastPrice: close.price,
      isOld: false,
      isSignaled: waiting.isSignaled,
    }
    outputs.push(...(await act(world, instance, waiting.opinion, cause)))
  }
  refreshFlags(desk)
  return outputs
}

async function evaluateTick(
  world: World,
  desk: Desk,
  event: Event,
  close: Close,
): Promise<readonly EvaluateOutput[]> {
  const { executionIntervalMs } = world.deps.settings
  const outputs: EvaluateOutput[] = []
  for (const instance of desk.tickInstances) {
    if (instance.phase !== 'ready' || close.time < instance.lastTime + executionIntervalMs) continue
    const opinion = take(instance, close, positionOf(world, instance))
    if (opinion === undefined) continue
    const cause = {
      causeId: event.id,
      isShared: false,
      lastPrice: close.price,
      isOld: isOld(world, event),
      isSignaled: false,
    }
    outputs.push(...(await act(world, instance, opinion, cause)))
  }
  return outputs
}
