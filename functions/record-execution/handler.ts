// Report → the order it is about → what it does → one transaction.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { applyFill, averagePriceOfPosition, cashChangeOf } from '#shared/domain/position.ts'
import { formatInstant, kstDate } from '#shared/domain/time.ts'
import { type Ratio, addMoney, formatMoney, formatPrice } from '#shared/domain/values.ts'
import { output } from '#shared/events/contract.ts'
import { type WiredReport, reportFromWire } from '#shared/events/execution-codec.ts'
import { NotificationRequested } from '#shared/events/notifications.ts'
import {
  OrderAccepted,
  OrderCanceled,
  OrderExpired,
  OrderFilled,
  OrderPartiallyFilled,
  OrderRejected,
  PositionChanged,
} from '#shared/events/orders.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { Fill, OrderChange, OrderStore, StoredOrder } from '#shared/ports/order-store.ts'
import type { EventFor, Handler, HandlerContext, OutputOf } from '#shared/runtime/function.ts'
import { decide } from './decide.ts'
import type { recordExecution } from './function.ts'

const CONFLICTS_MAX = 5
/** Who is told of a report that fits nothing. */
const OPERATOR = 'operator'

export interface RecordExecutionDeps {
  readonly orders: Pick<
    OrderStore,
    'orderByBrokerId' | 'openOrders' | 'change' | 'quarantine' | 'acknowledge'
  >
  readonly ledger: Pick<Ledger, 'snapshot'>
  readonly instruments: Pick<Instruments, 'get'>
  readonly feeRatio: Ratio
}

type Outputs = readonly OutputOf<typeof recordExecution>[]
type Context = HandlerContext<typeof recordExecution>

export function recordExecutionHandler(deps: RecordExecutionDeps): Handler<typeof recordExecution> {
  const known = new Map<InstrumentId, Instrument>()

  return async (event, context) => {
    const report = reportFromWire(event.data)
    for (let conflicts = 0; conflicts < CONFLICTS_MAX; conflicts += 1) {
      const order = await matchOf(deps.orders, report)
      const aside = (reason: string) => setAside(deps, report, reason, event, context)
      if (order === undefined) return aside('no order of ours is known by it')
      if ('several' in order) return aside(`the list decides whether it is ${order.several.join(' or ')}`)

      const instrument = known.get(order.instrumentId) ?? (await deps.instruments.get(order.instrumentId))
      // Its tax is not known then. The list tells of the fill again until it is.
      if (instrument === undefined) return aside(`instrument ${order.instrumentId} is not known`)
      known.set(order.instrumentId, instrument)

      const decision = decide(report, order, { instrument, feeRatio: deps.feeRatio })
      if (decision.outcome === 'quarantined') return aside(decision.reason)
      if (decision.outcome === 'known') {
        await deps.orders.acknowledge(context.receipt([]))
        return []
      }
      const outputs = [
        ...(decision.isAccepted ? [accepted(order, report)] : []),
        ...(await consequences(deps, order, decision.change, report)),
      ]
      if ((await deps.orders.change(decision.change, context.receipt(outputs))) === 'done') return outputs
    }
    throw new RetryableError(
      `order of ${report.brokerOrderId} changed ${CONFLICTS_MAX} times while a report was applied`,
    )
  }
}

/** Whose report it is. `several`: it could be of any of them, and the list will tell. */
type Match = StoredOrder | { readonly several: readonly string[] } | undefined

/**
 * By the broker's number, which holds for one day; else by shape, since a notice can overtake the acknowledgement. A
 * notice does not say the price, so that two unclear orders may look like one: then it is nobody's, and the list, which
 * has prices, settles both. One that is still being sent is waited for: its acknowledgement brings the number.
 */
async function matchOf(orders: RecordExecutionDeps['orders'], report: WiredReport): Promise<Match> {
  const known = await byNumber(orders, report)
  if (known !== undefined || report.originalBrokerOrderId !== undefined) return known
  const unclear = (await orders.openOrders(report.accountId)).filter(
    (order) =>
      order.brokerOrderId === undefined &&
      (order.status === 'submitting' || order.status === 'outcomeUnknown') &&
      order.instrumentId === report.instrumentId &&
      order.side === report.side &&
      order.quantity === report.orderQuantity &&
      (report.origin === 'stream' || order.limitPrice === report.orderPrice) &&
      isOfDay(order, report),
  )
  const sending = unclear.find((order) => order.status === 'submitting')
  // Between the two looks the acknowledgement may have been recorded.
  const late = unclear.length === 1 && sending === undefined ? undefined : await byNumber(orders, report)
  if (late !== undefined) return late
  if (sending !== undefined)
    throw new RetryableError(`${sending.clientOrderId} is being sent; its number is not known yet`)
  const [only, another] = unclear
  if (another === undefined) return only
  return { several: unclear.map((order) => order.clientOrderId) }
}

async function byNumber(
  orders: RecordExecutionDeps['orders'],
  report: WiredReport,
): Promise<StoredOrder | undefined> {
  for (const brokerOrderId of [report.brokerOrderId, report.originalBrokerOrderId]) {
    if (brokerOrderId === undefined) continue
    const order = await orders.orderByBrokerId(report.accountId, brokerOrderId)
    if (order !== undefined && isOfDay(order, report)) return order
  }
  return undefined
}

const isOfDay = (order: StoredOrder, report: WiredReport): boolean =>
  kstDate(order.submittedTime ?? order.decidedTime) === kstDate(report.eventTime)

async function setAside(
  deps: RecordExecutionDeps,
  report: WiredReport,
  reason: string,
  event: EventFor<typeof recordExecution>,
  context: Context,
): Promise<Outputs> {
  const outputs = [
    output(NotificationRequested, {
      recipient: OPERATOR,
      severity: 'critical',
      title: `Execution report set aside: ${reason}`.slice(0, 200),
      body: `${report.kind} of broker order ${report.brokerOrderId}, ${report.side} ${report.orderQuantity} ${report.instrumentId}, account ${report.accountId}`,
    }),
  ]
  await deps.orders.quarantine({ accountId: report.accountId, reason, event }, context.receipt(outputs))
  return outputs
}

const accepted = (order: StoredOrder, report: WiredReport): OutputOf<typeof recordExecution> =>
  output(OrderAccepted, {
    accountId: order.accountId,
    clientOrderId: order.clientOrderId,
    brokerOrderId: report.originalBrokerOrderId ?? report.brokerOrderId,
    brokerRoute: report.brokerRoute,
    evidence: report.origin,
    acceptedTime: formatInstant(report.eventTime),
  })

async function consequences(
  deps: RecordExecutionDeps,
  order: StoredOrder,
  change: OrderChange,
  report: WiredReport,
): Promise<Outputs> {
  const { fill } = change
  const outputs: OutputOf<typeof recordExecution>[] = []
  if (fill !== undefined) outputs.push(filled(order, change, fill), await positionAfter(deps, fill))
  if (change.status !== order.status) outputs.push(...ended(order, change, report))
  return outputs
}

function filled(order: StoredOrder, change: OrderChange, fill: Fill): OutputOf<typeof recordExecution> {
  const filledQuantity = change.filledQuantity ?? order.filledQuantity
  const contract = filledQuantity === order.quantity ? OrderFilled : OrderPartiallyFilled
  return output(contract, {
    accountId: order.accountId,
    clientOrderId: order.clientOrderId,
    executionId: fill.executionId,
    instrumentId: order.instrumentId,
    side: order.side,
    lastQuantity: fill.quantity.toString(),
    lastPrice: formatPrice(fill.price),
    lastNotional: formatMoney(fill.notional),
    filledQuantity: filledQuantity.toString(),
    remainingQuantity: (order.quantity - filledQuantity).toString(),
    fee: formatMoney(fill.fee),
    tax: formatMoney(fill.tax),
    eventTime: formatInstant(fill.eventTime),
  })
}

/** Positions and cash move only here, one report after another for an account, so what is read is what is changed. */
async function positionAfter(
  deps: RecordExecutionDeps,
  fill: Fill,
): Promise<OutputOf<typeof recordExecution>> {
  const account = await deps.ledger.snapshot(fill.accountId, fill.eventTime)
  if (account === undefined) throw new RetryableError(`account ${fill.accountId} is not open`)
  const before = account.positions.find((position) => position.instrumentId === fill.instrumentId)
  const after = applyFill(before, fill)
  const average = averagePriceOfPosition(after) // undefined once flat
  return output(PositionChanged, {
    accountId: fill.accountId,
    instrumentId: fill.instrumentId,
    quantity: after.quantity.toString(),
    averagePrice: average === undefined ? '0' : formatPrice(average),
    realizedPnl: formatMoney(after.realizedPnl),
    cash: formatMoney(addMoney(account.cash, cashChangeOf(fill))),
    eventTime: formatInstant(fill.eventTime),
  })
}

function ended(order: StoredOrder, change: OrderChange, report: WiredReport): Outputs {
  const { accountId, clientOrderId } = order
  const filledQuantity = change.filledQuantity ?? order.filledQuantity
  const rest = (order.quantity - filledQuantity).toString()
  const eventTime = formatInstant(report.eventTime)
  const of = { accountId, clientOrderId, filledQuantity: filledQuantity.toString() }
  if (change.status === 'canceled')
    return [output(OrderCanceled, { ...of, canceledQuantity: rest, eventTime })]
  if (change.status === 'expired') return [output(OrderExpired, { ...of, expiredQuantity: rest, eventTime })]
  if (change.status !== 'rejected') return []
  const detail = report.detail ?? ''
  return [
    output(OrderRejected, {
      accountId,
      clientOrderId,
      code: 'REJECTED_BY_VENUE',
      detail,
      rejectedTime: eventTime,
    }),
  ]
}
