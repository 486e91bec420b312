// The broker's order lists against the orders of one account that are not closed.
import { isWorking, nextStatus } from '#shared/domain/order-lifecycle.ts'
import { type Instant, type SessionDate, formatInstant, kstDate } from '#shared/domain/time.ts'
import { output } from '#shared/events/contract.ts'
import { reportToWire } from '#shared/events/execution-codec.ts'
import { ExecutionReported } from '#shared/events/executions.ts'
import { OrderAbsent, OrderOutcomeUnknown, OrderParked } from '#shared/events/orders.ts'
import type { BrokerGateway, BrokerOrder } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { OrderChange, OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { OutputOf } from '#shared/runtime/function.ts'
import {
  type EvidenceRules,
  dayOf,
  expiryOf,
  forgotten,
  hasNews,
  isAbandoned,
  isOverdue,
  listedReportOf,
  sessionEndOf,
  verdictOf,
} from './decide.ts'
import type { reconcileAccount } from './function.ts'

/** Longer than place-order takes to come to an approval, unless it waits. */
const FORGOTTEN_MS = 5_000

export interface OrderDeps {
  readonly gateway: Pick<BrokerGateway, 'listOrders'>
  readonly orders: Pick<OrderStore, 'orderByBrokerId'>
  readonly clock: Clock
  readonly rules: EvidenceRules
}

/** Something that only we can know of an order, and its event. */
export interface OwnFinding {
  readonly change: OrderChange
  readonly output: OutputOf<typeof reconcileAccount>
}

export interface Findings {
  /** Others act on these. */
  readonly outputs: readonly OutputOf<typeof reconcileAccount>[]
  readonly own: readonly OwnFinding[]
}

/** Reads nothing from the broker while no order was sent. */
export async function lookAtOrders(
  deps: OrderDeps,
  accountId: string,
  open: readonly StoredOrder[],
  signal: AbortSignal,
): Promise<Findings> {
  const now = deps.clock.now()
  const outputs = forgotten(open, now, FORGOTTEN_MS).map((order) => absent(order, now))
  const own = open
    .filter((order) => isAbandoned(order, now, deps.rules))
    .flatMap((order) => abandoned(order, now))
  const sent = open.filter(({ status }) => status !== 'approved' && status !== 'submitting')
  for (const day of [...new Set(sent.map(dayOf))].toSorted()) {
    const orders = sent.filter((order) => dayOf(order) === day)
    const found = await lookAtDay(deps, { accountId, day, orders }, signal)
    outputs.push(...found.outputs)
    own.push(...found.own)
  }
  return { outputs, own }
}

interface DayOfOrders {
  readonly accountId: string
  readonly day: SessionDate
  readonly orders: readonly StoredOrder[]
}

async function lookAtDay(
  deps: OrderDeps,
  { accountId, day, orders }: DayOfOrders,
  signal: AbortSignal,
): Promise<Findings> {
  const askedAt = deps.clock.now()
  const unclear = orders.filter(
    (order) => order.status === 'outcomeUnknown' && order.brokerOrderId === undefined,
  )
  const overdue = unclear.filter((order) => isOverdue(order, askedAt, deps.rules))
  const rows = await deps.gateway.listOrders(accountId, day, signal).catch((error: unknown) => {
    if (error instanceof RetryableError && overdue.length > 0) return undefined
    throw error
  })
  if (rows === undefined) {
    const detail = "the broker's list cannot be read"
    return { outputs: [], own: overdue.flatMap((order) => parked(order, detail, askedAt)) }
  }
  const outputs = orders.flatMap((order) => newsOf(order, rows, deps.clock.now()))
  const own: OwnFinding[] = []
  if (unclear.length === 0) return { outputs, own }
  const unclaimed = await unclaimedRows(deps, accountId, rows)
  for (const order of unclear) {
    const verdict = verdictOf(order, unclaimed, askedAt, deps.rules)
    // Found: the number is adopted by a `listed` report, in order with every other report of the account.
    if (verdict.verdict === 'found') outputs.push(reported(listedReportOf(order, verdict.row, askedAt)))
    if (verdict.verdict === 'absent') outputs.push(absent(order, askedAt))
    if (verdict.verdict === 'park') own.push(...parked(order, verdict.detail, askedAt))
  }
  return { outputs, own }
}

/** What the list says of an order that is known by its number, and that its session has ended it. */
function newsOf(
  order: StoredOrder,
  rows: readonly BrokerOrder[],
  now: Instant,
): readonly OutputOf<typeof reconcileAccount>[] {
  const { brokerOrderId } = order
  if (brokerOrderId === undefined) return []
  const row = rows.findLast((each) => each.brokerOrderId === brokerOrderId)
  const news = row !== undefined && hasNews(order, row) ? [reported(listedReportOf(order, row, now))] : []
  // The last look at the list comes first, so that a fill at the close is not an expiry.
  const end = isWorking(order.status) ? sessionEndOf(dayOf(order), now) : undefined
  const hasRest = row === undefined || row.filledQuantity < order.quantity
  return end !== undefined && hasRest ? [...news, reported(expiryOf(order, brokerOrderId, end))] : news
}

/** The broker counts its numbers anew every day: an order of another day does not claim a row of today. */
async function unclaimedRows(
  deps: OrderDeps,
  accountId: string,
  rows: readonly BrokerOrder[],
): Promise<readonly BrokerOrder[]> {
  const unclaimed: BrokerOrder[] = []
  for (const row of rows) {
    const claimant = await deps.orders.orderByBrokerId(accountId, row.brokerOrderId)
    if (claimant === undefined || dayOf(claimant) !== kstDate(row.orderTime)) unclaimed.push(row)
  }
  return unclaimed
}

const reported = (report: Parameters<typeof reportToWire>[0]): OutputOf<typeof reconcileAccount> =>
  output(ExecutionReported, reportToWire(report))

/** place-order sends it (again) where it still stands as it stood. */
const absent = (order: StoredOrder, at: Instant): OutputOf<typeof reconcileAccount> => {
  const { accountId, clientOrderId, attempt } = order
  return output(OrderAbsent, { accountId, clientOrderId, attempt, listedTime: formatInstant(at) })
}

/** Nothing is guessed: the order keeps its reservation until a person has looked. */
function parked(order: StoredOrder, detail: string, at: Instant): readonly OwnFinding[] {
  const { accountId, clientOrderId, revision } = order
  const status = nextStatus(order.status, 'park', order.filledQuantity)
  if (status === undefined) return []
  const parkedTime = formatInstant(at)
  return [
    {
      change: { accountId, clientOrderId, revision, status },
      output: output(OrderParked, { accountId, clientOrderId, detail, parkedTime }),
    },
  ]
}

/** Whoever recorded the intent has not come back, and nobody else may answer for it. */
function abandoned(order: StoredOrder, at: Instant): readonly OwnFinding[] {
  const { accountId, clientOrderId, revision, attempt } = order
  const status = nextStatus(order.status, 'loseOutcome', order.filledQuantity)
  if (status === undefined) return []
  const detail = 'its sender has not come back'
  const sinceTime = formatInstant(at)
  return [
    {
      change: { accountId, clientOrderId, revision, status },
      output: output(OrderOutcomeUnknown, {
        accountId,
        clientOrderId,
        attempt,
        cause: 'interrupted',
        detail,
        sinceTime,
      }),
    },
  ]
}
