// What the broker's list means for our record. Pure: two lists in, findings out.
//
// R1. An unclear order is left only by evidence: one row of the list that can be it and is nobody else's, or a list read
//     after the settle wait in which no row can be it. Several rows, or no list in time, and it is parked: nothing is
//     guessed.
// R2. Every finding has an id made of what was found, so that a second run makes the same events.
import { type InstrumentId } from '#shared/domain/instrument.ts'
import { isWorking } from '#shared/domain/order-lifecycle.ts'
import type { AccountSnapshot } from '#shared/domain/account.ts'
import { type Instant, kstDate } from '#shared/domain/time.ts'
import { type Money, type Quantity, addQuantity, formatMoney, negateMoney, subtractMoney } from '#shared/domain/values.ts'
import type { WiredReport } from '#shared/events/execution-codec.ts'
import type { BrokerBalance, BrokerOrder } from '#shared/ports/broker-gateway.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'

export interface EvidenceRules {
  /** Business time after which the broker's list is complete for what was sent before; longer than place-order's send
   * window and the broker's worst delay together. */
  readonly settleMs: number
  /** Business time after which an order that is still unclear is parked. */
  readonly deadlineMs: number
  /** How far the broker's clock may run behind ours. */
  readonly clockSkewMs: number
}

export type Verdict =
  | { readonly verdict: 'found'; readonly row: BrokerOrder }
  | { readonly verdict: 'absent' }
  | { readonly verdict: 'wait' }
  | { readonly verdict: 'park'; readonly detail: string }

/** `unclaimed` are rows that no order of ours is known by. */
export function verdictOf(
  order: StoredOrder,
  unclaimed: readonly BrokerOrder[],
  listedAt: Instant,
  rules: EvidenceRules,
): Verdict {
  const sentAt = order.submittedTime ?? order.decidedTime
  const candidates = unclaimed.filter(
    (row) =>
      !row.isChange &&
      row.instrumentId === order.instrumentId &&
      row.side === order.side &&
      row.quantity === order.quantity &&
      row.limitPrice === order.limitPrice &&
      row.orderTime >= sentAt - rules.clockSkewMs,
  )
  const [only, another] = candidates
  if (another !== undefined) {
    return { verdict: 'park', detail: `could be ${candidates.map((row) => row.brokerOrderId).join(' or ')}` }
  }
  if (only !== undefined) return { verdict: 'found', row: only }
  if (listedAt - sentAt >= rules.settleMs) return { verdict: 'absent' }
  return { verdict: 'wait' }
}

/** What the list says of an order, cumulative. */
export const listedReportOf = (order: StoredOrder, row: BrokerOrder, listedAt: Instant): WiredReport => ({
  executionId: `list:${kstDate(listedAt)}:${row.brokerOrderId}:${row.filledQuantity}:${endedOf(row)}`,
  accountId: order.accountId,
  kind: 'listed',
  origin: 'list',
  brokerOrderId: row.brokerOrderId,
  brokerRoute: row.brokerRoute,
  instrumentId: row.instrumentId,
  side: row.side,
  orderQuantity: row.quantity,
  filledQuantity: row.filledQuantity,
  filledNotional: row.filledNotional,
  endedQuantity: endedOf(row),
  eventTime: listedAt,
})

const endedOf = (row: BrokerOrder): Quantity => addQuantity(row.canceledQuantity, row.rejectedQuantity)

/** True when the list knows something of our order that our record does not. */
export const hasNews = (order: StoredOrder, row: BrokerOrder): boolean =>
  row.filledQuantity > order.filledQuantity ||
  (endedOf(row) > 0n && isWorking(order.status) && row.remainingQuantity === 0n)

/** After the close: what still works in our record has ended, since KRX carries nothing over. */
export const expiryOf = (order: StoredOrder, brokerOrderId: string, at: Instant): WiredReport => ({
  executionId: `expiry:${kstDate(at)}:${brokerOrderId}`,
  accountId: order.accountId,
  kind: 'expired',
  origin: 'list',
  brokerOrderId,
  brokerRoute: order.brokerRoute ?? '',
  instrumentId: order.instrumentId,
  side: order.side,
  orderQuantity: order.quantity,
  eventTime: at,
})

/**
 * One line a difference, both sides shown. Only meaningful once every report that the lists gave is booked.
 * `cashTolerance`: fees that the broker states later than we book them.
 */
export function differencesOf(
  account: AccountSnapshot,
  balance: BrokerBalance,
  cashTolerance: Money,
): readonly string[] {
  const ours = new Map<InstrumentId, bigint>(
    account.positions.map((position) => [position.instrumentId, position.quantity]),
  )
  const theirs = new Map<InstrumentId, Quantity>(
    balance.positions.map((position) => [position.instrumentId, position.quantity]),
  )
  const lines: string[] = []
  for (const id of [...new Set([...ours.keys(), ...theirs.keys()])].toSorted()) {
    const our = ours.get(id) ?? 0n
    const their = theirs.get(id) ?? 0n
    if (our !== their) lines.push(`position of ${id}: ours ${our}, the broker's ${their}`)
  }
  const gap = subtractMoney(account.cash, balance.cash)
  if (gap > cashTolerance || gap < negateMoney(cashTolerance)) {
    lines.push(`cash: ours ${formatMoney(account.cash)}, the broker's ${formatMoney(balance.cash)}`)
  }
  return lines
}
