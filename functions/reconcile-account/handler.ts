// Stream connected, session phases, timers and unclear orders all lead here: read the broker's lists, compare, say what
// was found. State changes are made by record-execution and place-order from what is said; only evidence on an unclear
// order is recorded here.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import { equityOf } from '#shared/domain/exposure.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { isWorking, nextStatus } from '#shared/domain/order-lifecycle.ts'
import { type Instant, formatInstant, kstDate } from '#shared/domain/time.ts'
import { type Money, type Price, formatMoney } from '#shared/domain/values.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { reportToWire } from '#shared/events/execution-codec.ts'
import { ExecutionReported, StreamConnected } from '#shared/events/executions.ts'
import { OrderAbsent, OrderOutcomeUnknown, OrderParked } from '#shared/events/orders.ts'
import { AccountReconciled, TradingStateChanged } from '#shared/events/risk.ts'
import { SessionPhaseChanged } from '#shared/events/timers.ts'
import type { BrokerGateway, BrokerOrder } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type EvidenceRules, differencesOf, expiryOf, hasNews, listedReportOf, verdictOf } from './decide.ts'
import type { reconcileAccount } from './function.ts'

export interface ReconcileDeps {
  readonly gateway: Pick<BrokerGateway, 'listOrders' | 'balance' | 'quote'>
  readonly orders: OrderStore
  readonly ledger: Pick<Ledger, 'snapshot' | 'openSession' | 'adopt' | 'accountIds' | 'setTradingState'>
  readonly instruments: Instruments
  readonly clock: Clock
  readonly rules: EvidenceRules
  readonly cashTolerance: Money
  /** Makes an account active when it is adopted; else a person does. */
  readonly startsActive: boolean
  /** Name of the timer that asks for the continuous check. */
  readonly timer: string
}

const CONSUMER = 'reconcile-account'

type Outputs = readonly OutputOf<typeof reconcileAccount>[]
/** One run over the accounts, for one event. */
interface Pass {
  readonly eventId: string
  readonly context: HandlerContext<typeof reconcileAccount>
}

export const reconcileAccountHandler =
  (deps: ReconcileDeps): Handler<typeof reconcileAccount> =>
  async (event, context) => {
    const pass: Pass = { eventId: event.id, context }
    if (isOf(StreamConnected, event)) return connect(deps, event.data.accountId, pass)
    if (isOf(OrderOutcomeUnknown, event)) return [] // the timer comes back to it once the settle wait is over
    const accountIds = await deps.ledger.accountIds()
    if (isOf(SessionPhaseChanged, event)) {
      if (event.data.venue !== 'KRX') return []
      const { phase } = event.data
      if (phase === 'openingAuction')
        return each(accountIds, (id) => openSession(deps, id, pass.context.signal))
      if (phase === 'closed') return each(accountIds, (id) => closeSession(deps, id, pass.context.signal))
      return []
    }
    if (event.data.timer !== deps.timer) return []
    return each(accountIds, (id) => watch(deps, id, pass))
  }

async function each(
  accountIds: readonly string[],
  of: (accountId: string) => Promise<Outputs>,
): Promise<Outputs> {
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const accountId of accountIds) outputs.push(...(await of(accountId)))
  return outputs
}

/**
 * At start and after every reconnect. An account that is new to us is adopted as the broker states it, and made active
 * where the settings say so and both sides agree. For one that we know, what happened meanwhile is booked first; it is
 * compared once that has been done, at the next quiet moment.
 */
async function connect(deps: ReconcileDeps, accountId: string, pass: Pass): Promise<Outputs> {
  const balance = await deps.gateway.balance(accountId, pass.context.signal)
  const isNew = await deps.ledger.adopt(accountId, {
    cash: balance.cash,
    positions: balance.positions.map(({ instrumentId, quantity, averagePrice }) => ({
      instrumentId,
      quantity,
      openNotional: (averagePrice * quantity) as Money,
    })),
  })
  const news = isNew ? [] : await watch(deps, accountId, pass, true)
  const opened = await openSession(deps, accountId, pass.context.signal, news.length === 0)
  const agrees = opened.some(
    ({ contract, data }) => contract === AccountReconciled && 'agrees' in data && data.agrees,
  )
  const started = isNew && agrees && deps.startsActive ? await activate(deps, accountId, pass) : []
  return [...started, ...news, ...opened]
}

async function activate(deps: ReconcileDeps, accountId: string, pass: Pass): Promise<Outputs> {
  const reason = 'the first reconciliation agreed'
  const at = deps.clock.now()
  const change = { accountId, to: 'active', changedBy: 'schedule', reason } as const
  // Index 0 of what is returned, so that the stored event and the published one have the same id.
  let outputs: Outputs = []
  await deps.ledger.setTradingState({ ...change, at }, (from) => {
    outputs = [output(TradingStateChanged, { ...change, from, changedTime: formatInstant(at) })]
    return pass.context.finish(outputs)
  })
  return outputs
}

/** Base prices of the day for every instrument we know, and the equity that the daily loss is counted from. */
async function openSession(
  deps: ReconcileDeps,
  accountId: string,
  signal: AbortSignal,
  compares = true,
): Promise<Outputs> {
  const now = deps.clock.now()
  const date = kstDate(now)
  const known = await deps.instruments.list()
  const based = []
  for (const instrument of known) {
    if (instrument.basePriceDate === date) {
      based.push(instrument)
      continue
    }
    const quote = await deps.gateway.quote(instrument.id, signal)
    based.push({
      ...instrument,
      basePrice: quote.basePrice,
      basePriceDate: date,
      isTradable: quote.isTradable,
    })
  }
  await deps.instruments.put(based.filter((instrument) => !known.includes(instrument)))

  const account = await deps.ledger.snapshot(accountId, now)
  if (account === undefined) return []
  const basePrices = new Map<InstrumentId, Price | undefined>(
    based.map(({ id, basePrice }) => [id, basePrice]),
  )
  const equity = equityOf(account, (id) => basePrices.get(id))
  if (equity === undefined) return []
  await deps.ledger.openSession(accountId, date, equity)
  return compares ? [await compared(deps, account, equity, now, signal)] : []
}

async function compared(
  deps: ReconcileDeps,
  account: AccountSnapshot,
  equity: Money,
  at: Instant,
  signal: AbortSignal,
): Promise<OutputOf<typeof reconcileAccount>> {
  const balance = await deps.gateway.balance(account.accountId, signal)
  const differences = differencesOf(account, balance, deps.cashTolerance)
  return output(AccountReconciled, {
    accountId: account.accountId,
    sessionDate: kstDate(at),
    agrees: differences.length === 0,
    differences: [...differences],
    equity: formatMoney(equity),
    reconciledTime: formatInstant(at),
  })
}

/** The order list against every order that is not closed. Reads nothing from the broker while there is none. */
async function watch(deps: ReconcileDeps, accountId: string, pass: Pass, always = false): Promise<Outputs> {
  const open = await deps.orders.openOrders(accountId)
  const sent = open.filter((order) => order.status !== 'approved' && order.status !== 'submitting')
  if (sent.length === 0 && !always) return []
  const date = kstDate(deps.clock.now())
  const unclear = sent.filter(
    (order) => order.status === 'outcomeUnknown' && order.brokerOrderId === undefined,
  )
  const rows = await deps.gateway.listOrders(accountId, date, pass.context.signal).catch((error: unknown) => {
    if (error instanceof RetryableError && unclear.some((order) => isOverdue(deps, order))) return undefined
    throw error
  })
  if (rows === undefined) return parkOverdue(deps, unclear, pass)

  const listedAt = deps.clock.now()
  const byNumber = new Map(rows.map((row) => [row.brokerOrderId, row]))
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const order of sent) {
    const row = order.brokerOrderId === undefined ? undefined : byNumber.get(order.brokerOrderId)
    if (row !== undefined && hasNews(order, row)) outputs.push(reported(listedReportOf(order, row, listedAt)))
  }
  if (unclear.length === 0) return outputs
  const unclaimed = await unclaimedRows(deps, accountId, rows)
  for (const order of unclear) outputs.push(...(await settle(deps, order, unclaimed, listedAt, pass)))
  return outputs
}

const isOverdue = (deps: ReconcileDeps, order: StoredOrder): boolean =>
  deps.clock.now() - (order.submittedTime ?? order.decidedTime) > deps.rules.deadlineMs

async function parkOverdue(
  deps: ReconcileDeps,
  unclear: readonly StoredOrder[],
  pass: Pass,
): Promise<Outputs> {
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const order of unclear) {
    if (isOverdue(deps, order))
      outputs.push(...(await park(deps, order, "the broker's list cannot be read", pass)))
  }
  return outputs
}

/** Nothing is guessed: the order keeps its reservation until a person has looked. */
async function park(deps: ReconcileDeps, order: StoredOrder, detail: string, pass: Pass): Promise<Outputs> {
  const { accountId, clientOrderId, revision } = order
  const status = nextStatus(order.status, 'park', order.filledQuantity)
  if (status === undefined) return []
  const parkedTime = formatInstant(deps.clock.now())
  // One timer may park several orders: each is a receipt of its own, and its event travels with the outbox.
  const receipt = { consumer: `${CONSUMER}/${clientOrderId}`, eventId: pass.eventId, outputs: [] }
  const isDone =
    (await deps.orders.change({ accountId, clientOrderId, revision, status }, receipt)) === 'done'
  return isDone ? [output(OrderParked, { accountId, clientOrderId, detail, parkedTime })] : []
}

const reported = (report: Parameters<typeof reportToWire>[0]): OutputOf<typeof reconcileAccount> =>
  output(ExecutionReported, reportToWire(report))

/** The broker counts its numbers anew every day: an order of another day does not claim a row of today. */
async function unclaimedRows(
  deps: ReconcileDeps,
  accountId: string,
  rows: readonly BrokerOrder[],
): Promise<readonly BrokerOrder[]> {
  const unclaimed: BrokerOrder[] = []
  for (const row of rows) {
    const claimant = await deps.orders.orderByBrokerId(accountId, row.brokerOrderId)
    const isToday =
      claimant !== undefined &&
      kstDate(claimant.submittedTime ?? claimant.decidedTime) === kstDate(row.orderTime)
    if (!isToday) unclaimed.push(row)
  }
  return unclaimed
}

/**
 * Found: the number is adopted by a `listed` report, in order with every other report of the account. Absent: place-order
 * sends a new attempt. The order itself is changed there, so two runs of this cannot disagree.
 */
async function settle(
  deps: ReconcileDeps,
  order: StoredOrder,
  unclaimed: readonly BrokerOrder[],
  listedAt: Instant,
  pass: Pass,
): Promise<Outputs> {
  const { accountId, clientOrderId, attempt } = order
  const verdict = verdictOf(order, unclaimed, listedAt, deps.rules)
  switch (verdict.verdict) {
    case 'found':
      return [reported(listedReportOf(order, verdict.row, listedAt))]
    case 'absent':
      return [output(OrderAbsent, { accountId, clientOrderId, attempt, listedTime: formatInstant(listedAt) })]
    case 'park':
      return park(deps, order, verdict.detail, pass)
    case 'wait':
      return []
  }
}

/** Orders that the session ended. The last look at the list comes first, so that a fill at the close is not an expiry. */
async function closeSession(deps: ReconcileDeps, accountId: string, signal: AbortSignal): Promise<Outputs> {
  const now = deps.clock.now()
  const working = (await deps.orders.openOrders(accountId)).filter((order) => isWorking(order.status))
  if (working.length === 0) return []
  const rows = await deps.gateway.listOrders(accountId, kstDate(now), signal)
  const byNumber = new Map(rows.map((row) => [row.brokerOrderId, row]))
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const order of working) {
    const { brokerOrderId } = order
    if (brokerOrderId === undefined) continue
    const row = byNumber.get(brokerOrderId)
    if (row !== undefined && hasNews(order, row)) outputs.push(reported(listedReportOf(order, row, now)))
    if (row === undefined || row.filledQuantity < order.quantity)
      outputs.push(reported(expiryOf(order, brokerOrderId, now)))
  }
  return outputs
}
