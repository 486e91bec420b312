// Stream connected, session phases, timers and unclear orders all lead here: read the broker's lists, compare, say what
// was found.
//
// A1. State changes are made by record-execution and place-order from what is said. Only what nobody else can know is
//     recorded here: that an order is parked, or has lost its sender.
// A2. An event makes at most one change, and with it says nothing else: then the receipt holds exactly what was said, and
//     a redelivery says it again. Everything that was left out is found by the next timer. So is what a lost or failed
//     run would have said.
// A3. An account that cannot be read does not hold up the others.
// A4. Both sides are compared only while nothing is under way in our record, else at the next quiet moment.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import { equityOf } from '#shared/domain/exposure.ts'
import { averagePriceOfPosition } from '#shared/domain/position.ts'
import { type Instant, formatInstant, kstDate } from '#shared/domain/time.ts'
import { type Money, formatMoney } from '#shared/domain/values.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { ExecutionReported, StreamConnected } from '#shared/events/executions.ts'
import { OrderAbsent, OrderOutcomeUnknown } from '#shared/events/orders.ts'
import { AccountReconciled, TradingStateChanged } from '#shared/events/risk.ts'
import { SessionPhaseChanged } from '#shared/events/timers.ts'
import { type BrokerBalance, type BrokerGateway, BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type EvidenceRules, differencesOf } from './decide.ts'
import { reconcileAccount } from './function.ts'
import { type Findings, type OwnFinding, lookAtOrders } from './orders.ts'
import { type Sessions, orListed, sessionsOf } from './session.ts'

export interface ReconcileDeps {
  readonly gateway: Pick<BrokerGateway, 'listOrders' | 'balance' | 'quote'>
  readonly orders: Pick<OrderStore, 'openOrders' | 'orderByBrokerId' | 'change' | 'refuseHandled'>
  readonly ledger: Pick<Ledger, 'snapshot' | 'openSession' | 'adopt' | 'accountIds' | 'setTradingState'>
  readonly instruments: Instruments
  readonly clock: Clock
  readonly rules: EvidenceRules
  readonly cashTolerance: Money
  /** Makes an account active when it is adopted; else a person does. */
  readonly startsActive: boolean
  /** Name of the timer that asks for the continuous check. */
  readonly timer: string
  /** Told of an account that could not be read while others could. */
  readonly onFailure?: (accountId: string, error: unknown) => void
}

type ReconcileOutput = OutputOf<typeof reconcileAccount>
type Outputs = readonly ReconcileOutput[]
type Context = HandlerContext<typeof reconcileAccount>

/** What one process remembers. All of it may be lost: then a little more is read and said. */
interface Desk {
  readonly deps: ReconcileDeps
  readonly sessions: Sessions
  /** Accounts that are to be compared at the next quiet moment. */
  readonly owed: Set<string>
  /** Adopted and not compared yet: what keeps them from starting is asked again until it is known. */
  readonly adopted: Set<string>
  /** What was said, and when: a report that was set aside is not repeated by every timer. */
  readonly said: Map<string, Instant>
}

export function reconcileAccountHandler(deps: ReconcileDeps): Handler<typeof reconcileAccount> {
  const desk: Desk = {
    deps,
    sessions: sessionsOf(deps),
    owed: new Set(),
    adopted: new Set(),
    said: new Map(),
  }

  return async (event, context) => {
    if (isOf(StreamConnected, event)) return connect(desk, event.data.accountId, context)
    if (isOf(OrderOutcomeUnknown, event)) return glance(desk, event.data.accountId, context)
    if (isOf(SessionPhaseChanged, event)) {
      if (event.data.venue !== 'KRX') return []
    } else if (event.data.timer !== deps.timer) return []

    await deps.orders.refuseHandled({ consumer: reconcileAccount.name, eventId: event.id }) // A2
    const accountIds = await deps.ledger.accountIds()
    if (isOf(SessionPhaseChanged, event) && event.data.phase === 'closed') {
      for (const accountId of accountIds) desk.owed.add(accountId)
    }
    return tendAll(desk, accountIds, context)
  }
}

/** A first look for an order that has just become unclear. The timer comes back to it, so nothing waits for this. */
async function glance(desk: Desk, accountId: string, context: Context): Promise<Outputs> {
  try {
    const open = await desk.deps.orders.openOrders(accountId)
    const { outputs } = await lookAtOrders(desk.deps, accountId, open, context.signal)
    return sayOnce(desk, outputs, context)
  } catch (error) {
    desk.deps.onFailure?.(accountId, error)
    return []
  }
}

async function tendAll(desk: Desk, accountIds: readonly string[], context: Context): Promise<Outputs> {
  const outputs: ReconcileOutput[] = []
  const own: OwnFinding[] = []
  const failures: unknown[] = []
  for (const accountId of accountIds) {
    try {
      const found = await tend(desk, accountId, context.signal)
      outputs.push(...found.outputs)
      own.push(...found.own)
    } catch (error) {
      failures.push(error)
      desk.deps.onFailure?.(accountId, error)
    }
  }
  if (failures.length > 0 && failures.length === accountIds.length) throw lasting(failures[0])
  const [first] = own
  return first === undefined ? sayOnce(desk, outputs, context) : record(desk, first, context)
}

/** What a broker refuses for good will not be granted to a repetition. */
const lasting = (error: unknown): unknown =>
  error instanceof BrokerRefusedError ? new PoisonError(error.message, { cause: error }) : error

/** Everything that may be due for an account. Run twice it finds the same, unless something happened. */
async function tend(desk: Desk, accountId: string, signal: AbortSignal): Promise<Findings> {
  const { deps, sessions, owed } = desk
  if (await sessions.open(accountId, signal)) owed.add(accountId)
  const open = await deps.orders.openOrders(accountId)
  const found = await lookAtOrders(deps, accountId, open, signal)
  const isQuiet = open.every(({ status }) => status === 'approved' || status === 'parked')
  if (!owed.has(accountId) || !isQuiet) return found
  const compared = await compare(deps, accountId, signal)
  return compared === undefined ? found : { ...found, outputs: [...found.outputs, compared] }
}

/** A2. */
async function record(desk: Desk, { change, output: said }: OwnFinding, context: Context): Promise<Outputs> {
  const outputs = [said]
  if ((await desk.deps.orders.change(change, context.receipt(outputs))) === 'done') return outputs
  throw new RetryableError(`${change.clientOrderId} changed while it was looked at`)
}

/** Nothing awaits after this, so that what is noted as said is what is returned. */
function sayOnce(desk: Desk, outputs: Outputs, context: Context): Outputs {
  if (context.signal.aborted) throw new RetryableError('the time for this delivery is over')
  const { deps, said, owed } = desk
  const now = deps.clock.now()
  for (const [key, at] of said) if (now - at > deps.rules.deadlineMs) said.delete(key)
  return outputs.filter((each) => {
    if (isCompared(each)) owed.delete(each.data.accountId)
    const key = keyOf(each)
    if (key === undefined) return true
    const at = said.get(key.text)
    if (at !== undefined && now - at < key.repeatMs(deps.rules)) return false
    said.set(key.text, now)
    return true
  })
}

interface SaidKey {
  readonly text: string
  repeatMs(rules: EvidenceRules): number
}

function keyOf({ contract, data }: ReconcileOutput): SaidKey | undefined {
  if (contract === ExecutionReported && 'executionId' in data) {
    return { text: `${data.accountId} ${data.executionId}`, repeatMs: (rules) => rules.deadlineMs }
  }
  if (contract === OrderAbsent && 'attempt' in data) {
    return { text: `absent ${data.clientOrderId} ${data.attempt}`, repeatMs: (rules) => rules.settleMs }
  }
  return undefined
}

const isCompared = (
  each: ReconcileOutput,
): each is Extract<ReconcileOutput, { readonly contract: typeof AccountReconciled }> =>
  each.contract === AccountReconciled

/**
 * At start and after every reconnect. An account that is new to us is adopted as the broker states it, and made active
 * where the settings say so and both sides agree. For one that we know, what happened meanwhile is said first.
 */
async function connect(desk: Desk, accountId: string, context: Context): Promise<Outputs> {
  const { deps, owed, adopted } = desk
  try {
    const balance = await deps.gateway.balance(accountId, context.signal)
    const isNew = await deps.ledger.adopt(accountId, {
      cash: balance.cash,
      positions: balance.positions.map(({ instrumentId, quantity, averagePrice }) => ({
        instrumentId,
        quantity,
        openNotional: (averagePrice * quantity) as Money,
      })),
    })
    if (isNew) adopted.add(accountId)
    owed.add(accountId)
    const { outputs } = await tend(desk, accountId, context.signal)
    if (adopted.has(accountId) && !outputs.some(isCompared))
      throw new RetryableError(`${accountId} moved while it was first compared`)
    const agrees = outputs.some((each) => isCompared(each) && each.data.agrees)
    const isToStart = adopted.has(accountId) && agrees && deps.startsActive
    const started = isToStart ? await activate(deps, accountId, context) : []
    adopted.delete(accountId)
    return [...started, ...sayOnce(desk, outputs, context)]
  } catch (error) {
    throw lasting(error)
  }
}

async function activate(deps: ReconcileDeps, accountId: string, context: Context): Promise<Outputs> {
  const reason = 'the first reconciliation agreed'
  const at = deps.clock.now()
  const change = { accountId, to: 'active', changedBy: 'schedule', reason } as const
  // Index 0 of what is returned, so that the stored event and the published one have the same id.
  let outputs: Outputs = []
  await deps.ledger.setTradingState({ ...change, at }, (from) => {
    outputs = [output(TradingStateChanged, { ...change, from, changedTime: formatInstant(at) })]
    return context.finish(outputs)
  })
  return outputs
}

/** Undefined when our record moved while the broker's was read: then it says nothing. */
async function compare(
  deps: ReconcileDeps,
  accountId: string,
  signal: AbortSignal,
): Promise<ReconcileOutput | undefined> {
  const at = deps.clock.now()
  const account = await deps.ledger.snapshot(accountId, at)
  if (account === undefined) return undefined
  const balance = await deps.gateway.balance(accountId, signal)
  const after = await deps.ledger.snapshot(accountId, at)
  if (after?.version !== account.version) return undefined
  const differences = differencesOf(account, balance, deps.cashTolerance)
  return output(AccountReconciled, {
    accountId,
    sessionDate: kstDate(at),
    agrees: differences.length === 0,
    differences: [...differences],
    equity: formatMoney(equityAt(account, balance)),
    reconciledTime: formatInstant(at),
  })
}

/** At the broker's prices; what the broker does not have, at cost. */
function equityAt(account: AccountSnapshot, balance: BrokerBalance): Money {
  const costOf = new Map(
    account.positions.map((position) => [position.instrumentId, averagePriceOfPosition(position)]),
  )
  const listed = orListed(() => undefined, balance)
  return equityOf(account, (id) => listed(id) ?? costOf.get(id)) ?? account.cash
}
