// From an opinion to its outputs: a signal, and an order where the facts allow one.
import { formatInstant, kstDate } from '#shared/domain/time.ts'
import { type Price, formatPrice } from '#shared/domain/values.ts'
import { output } from '#shared/events/contract.ts'
import { SignalRaised } from '#shared/events/market.ts'
import { orderToWire } from '#shared/events/order-codec.ts'
import { OrderRequested } from '#shared/events/orders.ts'
import {
  type NoOrderReason,
  type OrderPlan,
  clientOrderIdOf,
  decideOrder,
  orderTagOf,
  reasonOf,
} from './decide.ts'
import type { Instance } from './instance.ts'
import { type Opinion, evidenceOf } from './strategy.ts'
import { type EvaluateOutput, type World, accountOf, isStarting } from './world.ts'

/** What an opinion is acted on with. */
export interface Cause {
  /** Goes into the order's id. */
  readonly causeId: string
  /** Other events have this cause too: what waits for a session may have been acted on before. */
  readonly isShared: boolean
  readonly lastPrice: Price
  readonly isOld: boolean
  readonly isSignaled: boolean
}

const none = (because: NoOrderReason): OrderPlan => ({ outcome: 'none', because })

/** Gathers the facts and plans the order. The strategy's place in flight is claimed by the caller. */
async function planOrder(
  world: World,
  instance: Instance,
  opinion: Opinion,
  cause: Cause,
  clientOrderId: string,
): Promise<OrderPlan> {
  const { clock, orders } = world.deps
  const { instrumentId, entry } = instance
  const accountId = accountOf(world, instance)
  const mayBeKnown = cause.isShared || isStarting(world)
  const [account, instrument, known] = await Promise.all([
    world.accounts.current(accountId) ?? world.accounts.read(accountId),
    world.instruments.of(instrumentId, kstDate(clock.now())),
    mayBeKnown ? orders.order(clientOrderId) : undefined,
  ])
  const now = clock.now()
  const working = [...(account?.working.values() ?? [])].filter((each) => each.instrumentId === instrumentId)
  const tag = orderTagOf(entry.strategyId, instrumentId)
  if (working.some((each) => each.clientOrderId.startsWith(tag))) return none('orderInFlight')

  const listed = new Set(working.map((each) => each.clientOrderId))
  const selling = working
    .filter(({ side }) => side === 'sell')
    .reduce((sum, { remainingQuantity }) => sum + remainingQuantity, 0n)
  const unlisted = world.inFlight.sellingQuantity(accountId, instrumentId, listed, now)
  const positionQuantity = world.accounts.positionOf(accountId, instrumentId).quantity
  const plan = decideOrder(opinion, entry.prepared.trading, {
    date: kstDate(now),
    lastPrice: cause.lastPrice,
    instrument,
    accountCurrency: account?.currency,
    positionQuantity,
    sellableQuantity: positionQuantity - selling - unlisted,
  })
  return plan.outcome === 'order' && known !== undefined ? none('orderKnown') : plan
}

/** Claims the place in flight, plans, and gives the place back where no order came of it. Never rejects. */
async function claimAndPlan(
  world: World,
  instance: Instance,
  opinion: Opinion,
  cause: Cause,
  clientOrderId: string,
): Promise<OrderPlan> {
  const { instrumentId } = instance
  const { strategyId } = instance.entry
  if (cause.isOld) return none('eventOld')
  if (!world.inFlight.claim(strategyId, instrumentId, world.deps.clock.now())) return none('orderInFlight')
  let plan = none('factsUnreadable')
  try {
    plan = await planOrder(world, instance, opinion, cause, clientOrderId)
  } catch (error) {
    world.onFault(strategyId, `no order in ${instrumentId}: ${String(error)}`)
  }
  if (plan.outcome === 'none') world.inFlight.yield(strategyId, instrumentId)
  return plan
}

/** `order` says what became of the opinion, for a person and for `jts why`. */
export function signalOf(
  world: World,
  instance: Instance,
  { direction, strength, reason }: Opinion,
  at: Price,
  order: string,
): EvaluateOutput {
  return output(SignalRaised, {
    strategyId: instance.entry.strategyId,
    parametersVersion: instance.entry.version,
    instrumentId: instance.instrumentId,
    direction,
    strength,
    evidence: { ...evidenceOf(instance.state), reason, order },
    price: formatPrice(at),
    decidedTime: formatInstant(world.deps.clock.now()),
  })
}

function requestOf(
  world: World,
  instance: Instance,
  opinion: Opinion,
  cause: Cause,
  clientOrderId: string,
  plan: Extract<OrderPlan, { outcome: 'order' }>,
): EvaluateOutput {
  const { instrumentId } = instance
  const { strategyId, prepared } = instance.entry
  const { side, quantity, limitPrice } = plan
  const accountId = accountOf(world, instance)
  const decidedTime = world.deps.clock.now()
  world.inFlight.begin({ strategyId, accountId, instrumentId, clientOrderId, side, quantity }, decidedTime)
  const wire = orderToWire({
    accountId,
    clientOrderId,
    requestedBy: strategyId,
    instrumentId,
    side,
    orderType: prepared.trading.orderType,
    timeInForce: prepared.trading.timeInForce,
    quantity,
    ...(limitPrice === undefined ? {} : { limitPrice }),
    decidedTime,
  })
  const reason = reasonOf(opinion, evidenceOf(instance.state), plan, cause.lastPrice)
  return output(OrderRequested, { ...wire, reason })
}

export async function act(
  world: World,
  instance: Instance,
  opinion: Opinion,
  cause: Cause,
): Promise<readonly EvaluateOutput[]> {
  const clientOrderId = clientOrderIdOf(instance.entry.strategyId, instance.instrumentId, cause.causeId, 0)
  const plan = await claimAndPlan(world, instance, opinion, cause, clientOrderId)
  const became = plan.outcome === 'order' ? `${plan.side} ${plan.quantity}` : `none: ${plan.because}`
  const outputs = cause.isSignaled ? [] : [signalOf(world, instance, opinion, cause.lastPrice, became)]
  if (plan.outcome === 'order') {
    outputs.push(requestOf(world, instance, opinion, cause, clientOrderId, plan))
  }
  return outputs
}
