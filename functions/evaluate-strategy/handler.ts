// Market event → strategies → signals and order requests. Order events → what is in flight and held.
//
// E1. Deterministic: the same events, documents and history give the same signals and orders, ids included. An event
//     delivered again to this process gets the answer that it got the first time.
// E2. A tick costs microseconds: nothing is awaited unless a strategy has an opinion. Then, before an order is requested,
//     the account is read from the ledger: positions and working orders are facts, not memories.
// E3. A failure of one strategy, its document or its history leaves the others alone. What cannot be read makes no order.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { type Instant, addMs, formatInstant, kstDate, parseInstant } from '#shared/domain/time.ts'
import { type Price, formatPrice, price } from '#shared/domain/values.ts'
import { type DataOf, type Event, type EventOf, isOf, output } from '#shared/events/contract.ts'
import { BarClosed, SignalRaised, TickTraded } from '#shared/events/market.ts'
import { orderToWire } from '#shared/events/order-codec.ts'
import { OrderRequested, PositionChanged } from '#shared/events/orders.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { Documents } from '#shared/ports/documents.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { Handler, OutputOf } from '#shared/runtime/function.ts'
import type { Log } from '#shared/runtime/log.ts'
import {
  type NoOrderReason,
  type OrderPlan,
  clientOrderIdOf,
  decideOrder,
  followsSession,
  orderTagOf,
  reasonOf,
} from './decide.ts'
import { type Desk, desks, newestPrice, noteTick, refreshFlags } from './desk.ts'
import type { evaluateStrategy } from './function.ts'
import type { History } from './history.ts'
import { ordersInFlight } from './in-flight.ts'
import { type Close, type Instance, closeOfBar, take, warmUp } from './instance.ts'
import { heldPositions } from './positions.ts'
import { type Roster, rosterSource } from './roster.ts'
import { STRATEGIES } from './strategies/registry.ts'
import { type Opinion, type Strategy, evidenceOf } from './strategy.ts'

export interface EvaluateStrategyDeps {
  readonly documents: Pick<Documents, 'list'>
  readonly history: History
  readonly ledger: Pick<Ledger, 'snapshot'>
  /** Whether an order is on record already: it is never asked for twice. */
  readonly orders: Pick<OrderStore, 'order'>
  readonly instruments: Pick<Instruments, 'get'>
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Stopwatch
  readonly log: Log
  readonly settings: EvaluateSettings
  /** All there are, unless told otherwise. */
  readonly strategies?: readonly Strategy[]
}

export interface EvaluateSettings {
  /** Least business time between two evaluations of one strategy and instrument on ticks. */
  readonly executionIntervalMs: number
  /** With it every strategy trades this account, whatever its document says: paper trading. */
  readonly paperAccountId?: string
  /** Process time between two readings of the strategy documents. */
  readonly refreshMs: number
  /** Longest process time that a closed bar waits for the history of a cold strategy. */
  readonly warmUpWaitMs: number
  /** Business time after which a request without any answer counts as lost. */
  readonly orderInFlightMs: number
  /** Business time since a market event was emitted, above which it makes no order. */
  readonly marketEventAgeMsMax: number
}

type EvaluateOutput = OutputOf<typeof evaluateStrategy>

/** What an opinion is acted on with. */
interface Cause {
  /** Goes into the order's id. */
  readonly causeId: string
  readonly lastPrice: Price
  readonly isOld: boolean
  readonly isSignaled: boolean
}

const NOTHING: readonly EvaluateOutput[] = []
const ANSWERS_MAX = 2_000
const BACKLOG_MAX = 2_000

const stateOf = (outcome: OrderPlan | { outcome: 'later' }): string =>
  outcome.outcome === 'order'
    ? `${outcome.side} ${outcome.quantity}`
    : outcome.outcome === 'none'
      ? `none: ${outcome.because}`
      : 'next session'

export function evaluateStrategyHandler(deps: EvaluateStrategyDeps): Handler<typeof evaluateStrategy> {
  const { clock, stopwatch, log, settings, ledger } = deps
  const onFault = (strategyId: string, fault: string): void =>
    log.error({ strategyId, fault }, 'strategy fault')
  const strategies = deps.strategies ?? STRATEGIES
  const roster = rosterSource({ ...deps, strategies, refreshMs: settings.refreshMs, onFault })
  const allDesks = desks()
  const positions = heldPositions()
  const inFlight = ordersInFlight(settings.orderInFlightMs)
  const answers = new Map<string, readonly EvaluateOutput[]>()
  const accountOf = (instance: Instance): string => settings.paperAccountId ?? instance.entry.accountId
  const positionOf = (instance: Instance) => positions.of(accountOf(instance), instance.instrumentId)

  const loadAccount = async (documentAccountId: string): Promise<void> => {
    const snapshot = await ledger.snapshot(settings.paperAccountId ?? documentAccountId, clock.now())
    if (snapshot !== undefined) positions.adopt(snapshot)
  }
  const warmer = warmUp({
    history: deps.history,
    instrumentOf: (id) => deps.instruments.get(id),
    loadAccount,
    positionOf: (accountId, id) => positions.of(settings.paperAccountId ?? accountId, id),
    stopwatch,
    onFault,
  })

  /** Reads what an order needs to know; the plan and its id. The place in flight is claimed. */
  const plan = async (instance: Instance, opinion: Opinion, cause: Cause) => {
    const { strategyId, prepared } = instance.entry
    const { instrumentId } = instance
    const accountId = accountOf(instance)
    const now = clock.now()
    const clientOrderId = clientOrderIdOf(strategyId, instrumentId, cause.causeId, 0)
    const no = (because: NoOrderReason) => ({
      plan: { outcome: 'none', because } as OrderPlan,
      clientOrderId,
    })
    const [snapshot, instrument, known] = await Promise.all([
      ledger.snapshot(accountId, now),
      deps.instruments.get(instrumentId),
      deps.orders.order(clientOrderId),
    ])
    if (snapshot !== undefined) positions.adopt(snapshot)
    const working = (snapshot?.reservations ?? []).filter((each) => each.instrumentId === instrumentId)
    const tag = orderTagOf(strategyId, instrumentId)
    if (working.some((each) => each.clientOrderId.startsWith(tag))) return no('orderInFlight')

    const selling = working
      .filter(({ side }) => side === 'sell')
      .reduce((sum, { remainingQuantity }) => sum + remainingQuantity, 0n)
    const listed = new Set(working.map((each) => each.clientOrderId))
    const positionQuantity = positions.of(accountId, instrumentId).quantity
    const unlisted = inFlight.sellingQuantity(accountId, instrumentId, listed, now)
    const decided = decideOrder(opinion, prepared.trading, {
      date: kstDate(now),
      lastPrice: cause.lastPrice,
      instrument,
      accountCurrency: snapshot?.currency,
      positionQuantity,
      sellableQuantity: positionQuantity - selling - unlisted,
    })
    return decided.outcome === 'order' && known !== undefined
      ? no('orderKnown')
      : { plan: decided, clientOrderId }
  }

  const planSafely = async (instance: Instance, opinion: Opinion, cause: Cause) => {
    const { strategyId } = instance.entry
    const no = (because: NoOrderReason) => ({
      plan: { outcome: 'none', because } as OrderPlan,
      clientOrderId: '',
    })
    if (cause.isOld) return no('eventOld')
    if (!inFlight.claim(strategyId, instance.instrumentId, clock.now())) return no('orderInFlight')
    let planned = no('factsUnreadable')
    try {
      planned = await plan(instance, opinion, cause)
    } catch (error) {
      onFault(strategyId, `no order in ${instance.instrumentId}: ${String(error)}`) // E3
    }
    if (planned.plan.outcome === 'none') inFlight.yield(strategyId, instance.instrumentId)
    return planned
  }

  const signalOf = (
    instance: Instance,
    { direction, strength, reason }: Opinion,
    evidence: Record<string, number | string>,
    at: Price,
  ): EvaluateOutput =>
    output(SignalRaised, {
      strategyId: instance.entry.strategyId,
      parametersVersion: instance.entry.version,
      instrumentId: instance.instrumentId,
      direction,
      strength,
      evidence: { ...evidence, reason },
      price: formatPrice(at),
      decidedTime: formatInstant(clock.now()),
    })

  const act = async (
    instance: Instance,
    opinion: Opinion,
    cause: Cause,
  ): Promise<readonly EvaluateOutput[]> => {
    const { strategyId, prepared } = instance.entry
    const evidence = evidenceOf(instance.state)
    const { plan: planned, clientOrderId } = await planSafely(instance, opinion, cause)
    const signal = signalOf(instance, opinion, { ...evidence, order: stateOf(planned) }, cause.lastPrice)
    const outputs = cause.isSignaled ? [] : [signal]
    if (planned.outcome === 'none') return outputs
    const { side, quantity, limitPrice } = planned
    const accountId = accountOf(instance)
    const { instrumentId } = instance
    const decidedTime = clock.now()
    inFlight.begin({ strategyId, accountId, instrumentId, clientOrderId, side, quantity }, decidedTime)
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
    const reason = reasonOf(opinion, evidence, planned, cause.lastPrice)
    return [...outputs, output(OrderRequested, { ...wire, reason })]
  }

  const isOld = (event: Event): boolean =>
    clock.now() > addMs(parseInstant(event.time), settings.marketEventAgeMsMax)

  const beginCold = (desk: Desk, before: Instant): void => {
    for (const instance of desk.instances) warmer.begin(instance, before)
    refreshFlags(desk)
  }

  /** Acts on the daily opinions that this session follows. */
  const actOnWaiting = async (desk: Desk, event: Event, eventTime: Instant): Promise<EvaluateOutput[]> => {
    const outputs: EvaluateOutput[] = []
    for (const instance of desk.instances) {
      const { waiting, instrumentId } = instance
      if (waiting === undefined || kstDate(eventTime) <= waiting.barDate) continue
      instance.waiting = undefined
      if (!followsSession(instrumentId, waiting.barDate, kstDate(eventTime))) continue
      const cause: Cause = {
        causeId: `1d/${waiting.barDate}`,
        lastPrice: price(desk.lastPrice),
        isOld: isOld(event),
        isSignaled: waiting.isSignaled,
      }
      outputs.push(...(await act(instance, waiting.opinion, cause)))
    }
    refreshFlags(desk)
    return outputs
  }

  const onTickInstances = async (desk: Desk, event: Event, close: Close): Promise<EvaluateOutput[]> => {
    const outputs: EvaluateOutput[] = []
    for (const instance of desk.tickInstances) {
      if (instance.phase !== 'ready' || close.time < instance.lastTime + settings.executionIntervalMs)
        continue
      instance.lastOpinion = undefined
      take(instance, close, positionOf(instance))
      const opinion = instance.lastOpinion as Opinion | undefined
      if (opinion === undefined) continue
      const cause: Cause = {
        causeId: event.id,
        lastPrice: close.price,
        isOld: isOld(event),
        isSignaled: false,
      }
      outputs.push(...(await act(instance, opinion, cause)))
    }
    return outputs
  }

  const onTick = (
    event: EventOf<DataOf<typeof TickTraded>>,
    current: Roster,
  ): readonly EvaluateOutput[] | Promise<readonly EvaluateOutput[]> => {
    const { data } = event
    const desk = allDesks.of(data.instrumentId as InstrumentId, current)
    const eventTime = parseInstant(data.eventTime)
    noteTick(desk, data.price, eventTime)
    if (desk.hasCold) beginCold(desk, eventTime)
    if (desk.tickInstances.length === 0 && !desk.hasWaiting) return NOTHING
    return (async () => {
      const waited = desk.hasWaiting ? await actOnWaiting(desk, event, eventTime) : []
      if (desk.tickInstances.length === 0) return waited
      return [
        ...waited,
        ...(await onTickInstances(desk, event, { time: eventTime, price: price(data.price) })),
      ]
    })()
  }

  /** Gives cold strategies a little time to become warm, so that a bar right after a start is not missed. */
  const settleWarmUp = async (instances: readonly Instance[], signal: AbortSignal): Promise<void> => {
    const warming = instances.map((each) => each.warming).filter((each) => each !== undefined)
    if (warming.length === 0 || settings.warmUpWaitMs === 0) return
    const done = new AbortController()
    const timeout = stopwatch
      .sleep(settings.warmUpWaitMs, AbortSignal.any([signal, done.signal]))
      .catch(() => undefined)
    await Promise.race([Promise.all(warming), timeout])
    done.abort()
  }

  const onBar = async (
    event: EventOf<DataOf<typeof BarClosed>>,
    current: Roster,
    signal: AbortSignal,
  ): Promise<readonly EvaluateOutput[]> => {
    const { data } = event
    const desk = allDesks.of(data.instrumentId as InstrumentId, current)
    const openTime = parseInstant(data.openTime)
    const close = closeOfBar({ interval: data.interval, openTime, close: price(data.close) })
    const concerned = desk.instances.filter(({ entry }) => entry.prepared.trading.interval === data.interval)
    const fresh = concerned.filter((instance) => close.time > instance.lastTime)
    for (const instance of fresh) {
      if (instance.phase === 'ready') take(instance, close, positionOf(instance))
      else if (instance.backlog.length < BACKLOG_MAX) instance.backlog.push(close)
      warmer.begin(instance, openTime)
    }
    await settleWarmUp(fresh, signal)

    const outputs: EvaluateOutput[] = []
    const lastPrice = newestPrice(desk, close.price, openTime)
    for (const instance of fresh) {
      const opinion = instance.lastTime === close.time ? instance.lastOpinion : undefined
      if (opinion === undefined) continue
      if (data.interval === '1d') {
        if (instance.waiting !== undefined) instance.waiting = { ...instance.waiting, isSignaled: true }
        const evidence = { ...evidenceOf(instance.state), order: stateOf({ outcome: 'later' }) }
        outputs.push(signalOf(instance, opinion, evidence, close.price))
        continue
      }
      const cause: Cause = { causeId: event.id, lastPrice, isOld: isOld(event), isSignaled: false }
      outputs.push(...(await act(instance, opinion, cause)))
    }
    refreshFlags(desk)
    return outputs
  }

  const remember = (eventId: string, outputs: readonly EvaluateOutput[]): readonly EvaluateOutput[] => {
    if (outputs.length === 0) return outputs
    answers.set(eventId, outputs)
    const [oldest] = answers.size > ANSWERS_MAX ? answers.keys() : []
    if (oldest !== undefined) answers.delete(oldest)
    return outputs
  }

  return async (event, context) => {
    if (isOf(PositionChanged, event)) {
      positions.change(event.data)
      return NOTHING
    }
    const isTick = isOf(TickTraded, event)
    if (!isTick && !isOf(BarClosed, event)) {
      inFlight.end(event.data.clientOrderId)
      return NOTHING
    }
    const answered = answers.get(event.id)
    if (answered !== undefined) return answered
    const found = roster.current()
    const current = found instanceof Promise ? await found : found
    if (isTick) {
      const outputs = onTick(event, current)
      return outputs instanceof Promise ? remember(event.id, await outputs) : outputs
    }
    return remember(event.id, await onBar(event, current, context.signal))
  }
}
