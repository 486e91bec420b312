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
import { OrderAbsent, OrderAccepted, OrderOutcomeUnknown, OrderParked } from '#shared/events/orders.ts'
import { AccountReconciled } from '#shared/events/risk.ts'
import { SessionPhaseChanged } from '#shared/events/timers.ts'
import type { BrokerGateway, BrokerOrder } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { type EvidenceRules, differencesOf, expiryOf, reportsOf, verdictOf } from './decide.ts'
import type { reconcileAccount } from './function.ts'

export interface ReconcileDeps {
  readonly gateway: Pick<BrokerGateway, 'listOrders' | 'balance' | 'quote'>
  readonly orders: OrderStore
  readonly ledger: Pick<Ledger, 'snapshot' | 'openSession' | 'adopt' | 'accountIds'>
  readonly instruments: Instruments
  readonly clock: Clock
  readonly rules: EvidenceRules
  readonly cashTolerance: Money
  /** Name of the timer that asks for the continuous check. */
  readonly timer: string
}

type Outputs = readonly OutputOf<typeof reconcileAccount>[]
type Context = HandlerContext<typeof reconcileAccount>

export const reconcileAccountHandler = (deps: ReconcileDeps): Handler<typeof reconcileAccount> =>
  async (event, context) => {
    if (isOf(StreamConnected, event)) return connect(deps, event.data.accountId, context)
    if (isOf(OrderOutcomeUnknown, event)) return [] // the timer comes back to it once the settle wait is over
    const accountIds = await deps.ledger.accountIds()
    if (isOf(SessionPhaseChanged, event)) {
      if (event.data.venue !== 'KRX') return []
      const { phase } = event.data
      if (phase === 'openingAuction') return each(accountIds, (id) => openSession(deps, id, context.signal))
      if (phase === 'closed') return each(accountIds, (id) => closeSession(deps, id, context.signal))
      return []
    }
    if (event.data.timer !== deps.timer) return []
    return each(accountIds, (id) => watch(deps, id, context))
  }

async function each(accountIds: readonly string[], of: (accountId: string) => Promise<Outputs>): Promise<Outputs> {
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const accountId of accountIds) outputs.push(...(await of(accountId)))
  return outputs
}

/** At start and after every reconnect: adopt an account that is new to us, then compare everything. */
async function connect(deps: ReconcileDeps, accountId: string, context: Context): Promise<Outputs> {
  const balance = await deps.gateway.balance(accountId, context.signal)
  await deps.ledger.adopt(accountId, {
    cash: balance.cash,
    positions: balance.positions.map(({ instrumentId, quantity, averagePrice }) => ({
      instrumentId,
      quantity,
      openNotional: (averagePrice * quantity) as Money,
    })),
  })
  const opened = await openSession(deps, accountId, context.signal)
  return [...(await watch(deps, accountId, context, true)), ...opened]
}

/** Base prices of the day for every instrument we know, and the equity that the daily loss is counted from. */
async function openSession(deps: ReconcileDeps, accountId: string, signal: AbortSignal): Promise<Outputs> {
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
    based.push({ ...instrument, basePrice: quote.basePrice, basePriceDate: date, isTradable: quote.isTradable })
  }
  await deps.instruments.put(based.filter((instrument) => !known.includes(instrument)))

  const account = await deps.ledger.snapshot(accountId, now)
  if (account === undefined) return []
  const basePrices = new Map<InstrumentId, Price | undefined>(based.map(({ id, basePrice }) => [id, basePrice]))
  const equity = equityOf(account, (id) => basePrices.get(id))
  if (equity === undefined) return []
  await deps.ledger.openSession(accountId, date, equity)
  return [await compared(deps, account, equity, now, signal)]
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
async function watch(deps: ReconcileDeps, accountId: string, context: Context, always = false): Promise<Outputs> {
  const open = await deps.orders.openOrders(accountId)
  const sent = open.filter((order) => order.status !== 'requested' && order.status !== 'approved')
  if (sent.length === 0 && !always) return []
  const rows = await deps.gateway.listOrders(accountId, kstDate(deps.clock.now()), context.signal)
  const listedAt = deps.clock.now()
  const byNumber = new Map(rows.map((row) => [row.brokerOrderId, row]))
  const outputs: OutputOf<typeof reconcileAccount>[] = []
  for (const order of sent) {
    const row = order.brokerOrderId === undefined ? undefined : byNumber.get(order.brokerOrderId)
    if (row !== undefined) outputs.push(...reportsOf(order, row, listedAt).map(reported))
  }
  const unclear = sent.filter((order) => order.status === 'outcomeUnknown' && order.brokerOrderId === undefined)
  if (unclear.length === 0) return outputs
  const unclaimed = await unclaimedRows(deps, accountId, rows)
  for (const order of unclear) outputs.push(...(await settle(deps, order, unclaimed, listedAt)))
  return outputs
}

const reported = (report: Parameters<typeof reportToWire>[0]): OutputOf<typeof reconcileAccount> =>
  output(ExecutionReported, reportToWire(report))

async function unclaimedRows(deps: ReconcileDeps, accountId: string, rows: readonly BrokerOrder[]): Promise<readonly BrokerOrder[]> {
  const unclaimed: BrokerOrder[] = []
  for (const row of rows) {
    if ((await deps.orders.orderByBrokerId(accountId, row.brokerOrderId)) === undefined) unclaimed.push(row)
  }
  return unclaimed
}

/**
 * Found: the number is adopted by a `listed` report, in order with every other report of the account. Absent: place-order
 * sends a new attempt. The order itself is changed there, never here, so two runs cannot disagree.
 */
async function settle(
  deps: ReconcileDeps,
  order: StoredOrder,
  unclaimed: readonly BrokerOrder[],
  listedAt: Instant,
): Promise<Outputs> {
  const { accountId, clientOrderId, attempt } = order
  const verdict = verdictOf(order, unclaimed, listedAt, deps.rules)
  switch (verdict.verdict) {
    case 'found':
      return []
    case 'absent':
      return [output(OrderAbsent, { accountId, clientOrderId, attempt, listedTime: formatInstant(listedAt) })]
    case 'park':
      return [output(OrderParked, { accountId, clientOrderId, detail: verdict.detail, parkedTime: formatInstant(listedAt) })]
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
    const reports = row === undefined ? [] : reportsOf(order, row, now)
    outputs.push(...reports.map(reported))
    if (row === undefined || row.filledQuantity < order.quantity) outputs.push(reported(expiryOf(order, brokerOrderId, now)))
  }
  return outputs
}
