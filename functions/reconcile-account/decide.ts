// What the broker's list means for our record. Pure: two lists in, findings out.
//
// R1. An unclear order is left only by evidence: one row of the list that can be it and is nobody else's, or a list read
//     after the settle wait in which no row can be it. Several rows, or no list in time, and it is parked: nothing is
//     guessed.
// R2. Every report has an execution id made of what was found, so that a second run makes the same ones.
// R3. The broker's numbers and lists hold for one day: an order is held against the list of the day it was sent on, and
//     what is said of it carries a time of that day.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { CalendarRangeError, krxPhaseAt, krxSessionOf } from '#shared/domain/krx-calendar.ts'
import { isWorking } from '#shared/domain/order-lifecycle.ts'
import {
  type Instant,
  type SessionDate,
  addDays,
  addMs,
  kstDate,
  kstInstant,
  timeOfDay,
} from '#shared/domain/time.ts'
import {
  type Money,
  type Quantity,
  addQuantity,
  formatMoney,
  negateMoney,
  subtractMoney,
} from '#shared/domain/values.ts'
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

const sentTimeOf = (order: StoredOrder): Instant => order.submittedTime ?? order.decidedTime

/** The day whose list an order stands in. */
export const dayOf = (order: StoredOrder): SessionDate => kstDate(sentTimeOf(order))

/** Undefined on a day that the calendar does not reach. */
function onCalendar<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CalendarRangeError) return undefined
    throw error
  }
}

/** False where the calendar does not know. */
export const isInSession = (now: Instant): boolean =>
  (onCalendar(() => krxPhaseAt(now)) ?? 'closed') !== 'closed'

/** When the session of a day ended; undefined as long as it has not. */
export function sessionEndOf(day: SessionDate, now: Instant): Instant | undefined {
  const midnight = kstInstant(addDays(day, 1), timeOfDay('00:00'))
  const end = onCalendar(() => krxSessionOf(day)?.phases.at(-1)?.to) ?? addMs(midnight, -1)
  return now >= end ? end : undefined
}

/** A time that is of the order's day, since its number means nothing on another. */
const timeOn = (day: SessionDate, at: Instant): Instant =>
  kstDate(at) === day ? at : (sessionEndOf(day, at) ?? at)

/** Settle waits after which nobody can still be sending an order or recording its answer. */
const SENDER_WAITS = 4

/** Still being sent after all that time: it has lost its sender. */
export const isAbandoned = (order: StoredOrder, now: Instant, rules: EvidenceRules): boolean =>
  order.status === 'submitting' && now - sentTimeOf(order) >= SENDER_WAITS * rules.settleMs

export const isOverdue = (order: StoredOrder, now: Instant, rules: EvidenceRules): boolean =>
  now - sentTimeOf(order) > rules.deadlineMs

const isUnclear = ({ status }: StoredOrder): boolean => status === 'submitting' || status === 'outcomeUnknown'

const isAlike = (left: StoredOrder, right: StoredOrder): boolean =>
  left.instrumentId === right.instrumentId &&
  left.side === right.side &&
  left.orderType === right.orderType &&
  left.quantity === right.quantity &&
  left.limitPrice === right.limitPrice

/**
 * Approved orders that nobody has come to send: they waited for an unclear order of the same shape, or their approval
 * was lost on the way. `ageMs` keeps those out that are only just approved.
 */
export const forgotten = (
  open: readonly StoredOrder[],
  now: Instant,
  ageMs: number,
): readonly StoredOrder[] =>
  open.filter(
    (order) =>
      order.status === 'approved' &&
      now - order.decidedTime > ageMs &&
      !open.some((other) => isUnclear(other) && isAlike(order, other)),
  )

/**
 * `unclaimed` are rows that no order of ours is known by. `askedAt` is when the list was asked for: what happened while
 * its pages were read may be missing from it.
 */
export function verdictOf(
  order: StoredOrder,
  unclaimed: readonly BrokerOrder[],
  askedAt: Instant,
  rules: EvidenceRules,
): Verdict {
  const sentAt = sentTimeOf(order)
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
    const numbers = candidates.map((row) => row.brokerOrderId).join(' or ')
    return { verdict: 'park', detail: `could be ${numbers}`.slice(0, 1_000) }
  }
  if (only !== undefined) return { verdict: 'found', row: only }
  if (askedAt - sentAt >= rules.settleMs) return { verdict: 'absent' }
  return { verdict: 'wait' }
}

/** What the list says of an order, cumulative. */
export const listedReportOf = (order: StoredOrder, row: BrokerOrder, listedAt: Instant): WiredReport => ({
  executionId: `list:${dayOf(order)}:${row.brokerOrderId}:${row.filledQuantity}:${endedOf(row)}`,
  accountId: order.accountId,
  kind: 'listed',
  origin: 'list',
  brokerOrderId: row.brokerOrderId,
  brokerRoute: row.brokerRoute,
  instrumentId: row.instrumentId,
  side: row.side,
  orderQuantity: row.quantity,
  ...(row.limitPrice === undefined ? {} : { orderPrice: row.limitPrice }),
  filledQuantity: row.filledQuantity,
  filledNotional: row.filledNotional,
  endedQuantity: endedOf(row),
  eventTime: timeOn(dayOf(order), listedAt),
})

const endedOf = (row: BrokerOrder): Quantity => addQuantity(row.canceledQuantity, row.rejectedQuantity)

/** True when the list knows something of our order that our record does not. */
export const hasNews = (order: StoredOrder, row: BrokerOrder): boolean =>
  row.filledQuantity > order.filledQuantity ||
  (endedOf(row) > 0n && isWorking(order.status) && row.remainingQuantity === 0n)

/** After the close: what still works in our record has ended, since KRX carries nothing over. `at` is the close. */
export const expiryOf = (order: StoredOrder, brokerOrderId: string, at: Instant): WiredReport => ({
  executionId: `expiry:${dayOf(order)}:${brokerOrderId}`,
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

/** What the event holds, less one for cash. */
const LINES_MAX = 499

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
    if (our !== their && lines.length < LINES_MAX)
      lines.push(`position of ${id}: ours ${our}, the broker's ${their}`)
  }
  const gap = subtractMoney(account.cash, balance.cash)
  if (gap > cashTolerance || gap < negateMoney(cashTolerance)) {
    lines.push(`cash: ours ${formatMoney(account.cash)}, the broker's ${formatMoney(balance.cash)}`)
  }
  return lines
}
