// What a report does to an order. Fills reach us by two roads, and neither alone is complete: notices are increments
// that a lost connection can swallow; the broker's list is cumulative but late.
//
// E1. filled = max(sum of notices, highest cumulative figure of the list). Each road only ever moves its own tally up, and
//     a fill is booked for what the maximum grows by. So no fill is counted twice, and a fill that one road missed is
//     booked when the other tells of it.
// E2. Nothing is booked beyond the order's quantity: such a report is quarantined.
// E3. A step that the lifecycle does not know is quarantined, never forced.
import { chargesOn } from '#shared/domain/charges.ts'
import type { Instrument } from '#shared/domain/instrument.ts'
import { type OrderStatus, type OrderStep, nextStatus } from '#shared/domain/order-lifecycle.ts'
import { reservedCashOf } from '#shared/domain/reservation.ts'
import { kstDate } from '#shared/domain/time.ts'
import {
  type Money,
  type Quantity,
  type Ratio,
  ZERO_MONEY,
  ZERO_QUANTITY,
  addMoney,
  addQuantity,
  averagePriceOf,
  notionalOf,
  subtractMoney,
  subtractQuantity,
} from '#shared/domain/values.ts'
import type { WiredReport } from '#shared/events/execution-codec.ts'
import type { Fill, OrderChange, StoredOrder } from '#shared/ports/order-store.ts'

export interface ReportFacts {
  readonly instrument: Pick<Instrument, 'kind' | 'market'>
  readonly feeRatio: Ratio
}

export type ReportDecision =
  | {
      readonly outcome: 'changed'
      readonly change: OrderChange
      /** The order was not known to be at the broker before. */
      readonly isAccepted: boolean
    }
  | { readonly outcome: 'known' }
  | { readonly outcome: 'quarantined'; readonly reason: string }

const quarantined = (reason: string): ReportDecision => ({ outcome: 'quarantined', reason })

export function decide(report: WiredReport, order: StoredOrder, facts: ReportFacts): ReportDecision {
  const tally = tallyOf(report, order)
  if (typeof tally === 'string') return quarantined(tally)

  const steps = stepsOf(report, order, tally.filledQuantity)
  let status: OrderStatus = order.status
  for (const step of steps) {
    const next = nextStatus(status, step, tally.filledQuantity)
    if (next === undefined) return quarantined(`${step} is not a step from ${status}`)
    status = next
  }

  const isSame =
    status === order.status &&
    tally.noticedQuantity === order.noticedQuantity &&
    tally.listedQuantity === order.listedQuantity &&
    order.brokerOrderId !== undefined
  if (isSame) return { outcome: 'known' }

  const fill = fillOf(report, order, tally, facts)
  const remaining = subtractQuantity(order.quantity, tally.filledQuantity)
  const holds = !isOver(status)
  const change: OrderChange = {
    accountId: order.accountId,
    clientOrderId: order.clientOrderId,
    revision: order.revision,
    status,
    ...(order.brokerOrderId === undefined
      ? {
          brokerOrderId: report.originalBrokerOrderId ?? report.brokerOrderId,
          brokerRoute: report.brokerRoute,
        }
      : {}),
    filledQuantity: tally.filledQuantity,
    filledNotional: tally.filledNotional,
    noticedQuantity: tally.noticedQuantity,
    listedQuantity: tally.listedQuantity,
    reservedCash: holds ? reservedCashOf(order, order.reservedPrice, remaining, facts.feeRatio) : ZERO_MONEY,
    ...(fill === undefined ? {} : { fill }),
  }
  const wasUnclear = ['submitting', 'outcomeUnknown', 'parked'].includes(order.status)
  return { outcome: 'changed', change, isAccepted: wasUnclear && status !== 'rejected' }
}

interface Tally {
  readonly filledQuantity: Quantity
  readonly filledNotional: Money
  readonly noticedQuantity: Quantity
  readonly listedQuantity: Quantity
}

/** E1, E2. A text is the reason for quarantine. */
function tallyOf(report: WiredReport, order: StoredOrder): Tally | string {
  let { filledNotional } = order
  let { noticedQuantity, listedQuantity } = order
  if (report.kind === 'fill') {
    if (report.lastQuantity === undefined || report.lastPrice === undefined)
      return 'a fill without quantity or price'
    noticedQuantity = addQuantity(noticedQuantity, report.lastQuantity)
    const grown = noticedQuantity - order.filledQuantity
    if (grown > 0n) filledNotional = addMoney(filledNotional, notionalOf(report.lastPrice, grown as Quantity))
  } else if (report.kind === 'listed') {
    if (report.filledQuantity === undefined || report.filledNotional === undefined)
      return 'a list row without totals'
    if (report.filledQuantity > listedQuantity) listedQuantity = report.filledQuantity
    if (report.filledQuantity > order.filledQuantity) {
      filledNotional = report.filledNotional
      if (filledNotional <= order.filledNotional) return 'the list has more units for no more money'
    }
  }
  const filledQuantity = [noticedQuantity, listedQuantity, order.filledQuantity].reduce((a, b) =>
    a > b ? a : b,
  )
  if (filledQuantity > order.quantity) return `filled ${filledQuantity} of ${order.quantity}`
  return { filledQuantity, filledNotional, noticedQuantity, listedQuantity }
}

function stepsOf(report: WiredReport, order: StoredOrder, filledQuantity: Quantity): readonly OrderStep[] {
  const traded: OrderStep[] =
    filledQuantity === order.filledQuantity
      ? []
      : [filledQuantity === order.quantity ? 'fillWhole' : 'fillPart']
  const unclear = ['submitting', 'outcomeUnknown', 'parked'].includes(order.status)
  switch (report.kind) {
    case 'accepted':
      return unclear || order.status === 'accepted' ? ['accept'] : []
    case 'rejected':
      return refusalOf(report, order)
    case 'fill':
      return traded
    case 'listed': {
      const steps: OrderStep[] = unclear ? ['accept', ...traded] : [...traded]
      const ended = report.endedQuantity ?? ZERO_QUANTITY
      const isEnded = ended > 0n && filledQuantity + ended >= order.quantity
      return isEnded && !isOver(order.status) ? [...steps, 'cancel'] : steps
    }
    case 'canceled':
      // What the venue cancels at the close may have expired with us already.
      return order.status === 'canceled' || order.status === 'expired' ? [] : ['cancel']
    case 'amended':
      return ['amend']
    case 'expired':
      return isOver(order.status) ? [] : ['expire']
  }
}

/** A refused amend or cancel leaves the order as it was: it is not the order that was refused. */
function refusalOf(report: WiredReport, order: StoredOrder): readonly OrderStep[] {
  if (report.originalBrokerOrderId === undefined) return order.status === 'rejected' ? [] : ['reject']
  if (order.status === 'pendingAmend') return ['refuseAmend']
  return order.status === 'pendingCancel' ? ['refuseCancel'] : []
}

const isOver = (status: OrderStatus): boolean =>
  ['filled', 'canceled', 'expired', 'rejected'].includes(status)

function fillOf(report: WiredReport, order: StoredOrder, tally: Tally, facts: ReportFacts): Fill | undefined {
  const quantity = subtractQuantity(tally.filledQuantity, order.filledQuantity)
  if (quantity === 0n) return undefined
  const notional = subtractMoney(tally.filledNotional, order.filledNotional)
  const { fee, tax } = chargesOn(
    { side: order.side, ...facts.instrument, date: kstDate(report.eventTime), feeRatio: facts.feeRatio },
    order.filledNotional,
    tally.filledNotional,
  )
  return {
    executionId: report.executionId,
    clientOrderId: order.clientOrderId,
    accountId: order.accountId,
    instrumentId: order.instrumentId,
    side: order.side,
    quantity,
    price: averagePriceOf(notional, quantity),
    notional,
    fee,
    tax,
    origin: report.origin,
    eventTime: report.eventTime,
  }
}
