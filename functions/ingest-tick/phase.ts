// A session phase: closes the bars that it ends, of every instrument of its venue.
import { venueOf } from '#shared/domain/instrument.ts'
import { addMs, parseInstant } from '#shared/domain/time.ts'
import type { DataOf, EventOf } from '#shared/events/contract.ts'
import type { SessionPhaseChanged } from '#shared/events/timers.ts'
import type { HandlerContext } from '#shared/runtime/function.ts'
import { type FormingBar, endPhase, endsBars } from './bars.ts'
import type { ingestTick } from './function.ts'
import { barOutput } from './outputs.ts'
import { type Answer, type World, completeOnly } from './world.ts'

const NOTHING: Answer = { outputs: [], ticks: [], bars: [], prices: [] }

const byInstrument = (left: FormingBar, right: FormingBar): number =>
  left.instrumentId < right.instrumentId ? -1 : left.instrumentId > right.instrumentId ? 1 : 0

export async function answerPhase(
  world: World,
  { data }: EventOf<DataOf<typeof SessionPhaseChanged>>,
  context: HandlerContext<typeof ingestTick>,
): Promise<Answer> {
  if (!endsBars(data.phase)) return NOTHING
  const { clock, phaseGraceMs, instruments } = world.deps
  const at = parseInstant(data.changedTime)
  if (phaseGraceMs > 0) await clock.sleepUntil(addMs(at, phaseGraceMs), context.signal)
  // Bars of instruments that this process has not seen wait in their hot copies.
  const listed = (await instruments.list()).map(({ id }) => id)
  await world.tracked.load(listed.filter((id) => venueOf(id) === data.venue))

  const closed: FormingBar[] = []
  for (const [id, entry] of world.tracked.all()) {
    if (venueOf(id) !== data.venue) continue
    world.tracked.copyIfDue(id)
    const ended = endPhase(entry.state.forming, data.phase, at)
    if (ended.closed.length === 0) continue
    closed.push(...ended.closed)
    entry.state = { ...entry.state, forming: ended.forming }
    entry.isDirty = true
  }
  const bars = completeOnly(world, closed.toSorted(byInstrument))
  return { ...NOTHING, outputs: bars.map(barOutput), bars }
}
