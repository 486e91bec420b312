// Market event → strategies → signals and order requests. Order events → what is in flight and held.
//
// E1. Deterministic: the same events, documents and history give the same signals and orders, ids included. An event
//     delivered again to this process gets the answer that it got the first time.
// E2. A tick costs microseconds: nothing is awaited unless a strategy begins to warm up or what an order needs is not at
//     hand. An order is planned on the account as its events keep it, or, cold or in doubt, as the ledger has it then
//     (accounts.ts). It is the strategy's view; risk-check decides on the ledger's.
// E3. A failure of one strategy, its document or its history leaves the others alone. What cannot be read makes no order.
import { isOf } from '#shared/events/contract.ts'
import { BarClosed, TickTraded } from '#shared/events/market.ts'
import {
  OrderCanceled,
  OrderDenied,
  OrderExpired,
  OrderFilled,
  OrderRejected,
} from '#shared/events/orders.ts'
import type { Handler } from '#shared/runtime/function.ts'
import type { evaluateStrategy } from './function.ts'
import { onBar } from './on-bar.ts'
import { onTick } from './on-tick.ts'
import { type EvaluateOutput, type EvaluateStrategyDeps, worldOf } from './world.ts'

export type { EvaluateSettings, EvaluateStrategyDeps } from './world.ts'

const NOTHING: readonly EvaluateOutput[] = []
const ENDS: ReadonlySet<string> = new Set(
  [OrderFilled, OrderDenied, OrderRejected, OrderCanceled, OrderExpired].map(({ type }) => type),
)
/** Answers kept for deliveries that come again (E1). */
const ANSWERS_MAX = 2_000

export function evaluateStrategyHandler(deps: EvaluateStrategyDeps): Handler<typeof evaluateStrategy> {
  const world = worldOf(deps)
  const answers = new Map<string, readonly EvaluateOutput[]>()

  const remember = (eventId: string, outputs: readonly EvaluateOutput[]): readonly EvaluateOutput[] => {
    if (outputs.length === 0) return outputs
    answers.set(eventId, outputs)
    const [oldest] = answers.size > ANSWERS_MAX ? answers.keys() : []
    if (oldest !== undefined) answers.delete(oldest)
    return outputs
  }

  return async (event, context) => {
    const isTick = isOf(TickTraded, event)
    if (!isTick && !isOf(BarClosed, event)) {
      world.accounts.note(event)
      if (ENDS.has(event.type) && 'clientOrderId' in event.data) world.inFlight.end(event.data.clientOrderId)
      return NOTHING
    }
    const answered = answers.get(event.id)
    if (answered !== undefined) return answered
    const found = world.roster.current()
    const roster = found instanceof Promise ? await found : found
    if (!isTick) return remember(event.id, await onBar(world, roster, event, context.signal))
    const outputs = onTick(world, roster, event, context)
    return outputs instanceof Promise ? remember(event.id, await outputs) : outputs
  }
}
