// Frame → ticks → outputs, stored ticks, hot prices. Phase → closed bars.
//
// I1. Outputs come trades first, in the order of the frame, then quotes, then bars: the index of a trade, and so its
//     event's id, depends on the frame alone.
// I2. An event delivered again to this process gets the answer that it got the first time; the state does not move. To
//     another process the running volume tells what was seen (D1).
import { isOf } from '#shared/events/contract.ts'
import { FrameReceived } from '#shared/events/market.ts'
import type { Handler } from '#shared/runtime/function.ts'
import { answerFrame } from './frame.ts'
import type { ingestTick } from './function.ts'
import { lastPriceWriter } from './last-prices.ts'
import { answerPhase } from './phase.ts'
import { type Answer, type IngestTickDeps, worldOf } from './world.ts'

export type { IngestTickDeps } from './world.ts'

export type IngestTickHandler = Handler<typeof ingestTick> & {
  /** Writes what is only in the process. To be called when no event is in hand. */
  drain(): Promise<void>
}

/** Answers kept for deliveries that come again (I2). A trigger retries what it has in flight, not older events. */
const ANSWERS_MAX = 2_000

export function ingestTickHandler(deps: IngestTickDeps): IngestTickHandler {
  const { tickStore, hotState } = deps
  const world = worldOf(deps)
  const lastPrices = lastPriceWriter(hotState, world.onHotStateFailure)
  const answers = new Map<string, Answer>()

  const remember = (eventId: string, answer: Answer): Answer => {
    answers.set(eventId, answer)
    const [oldest] = answers.size > ANSWERS_MAX ? answers.keys() : []
    if (oldest !== undefined) answers.delete(oldest)
    return answer
  }

  const handle: Handler<typeof ingestTick> = async (event, context) => {
    const answer =
      answers.get(event.id) ??
      remember(
        event.id,
        isOf(FrameReceived, event)
          ? await answerFrame(world, event, context)
          : await answerPhase(world, event, context),
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
      await world.tracked.drain()
    },
  })
}
