// What people read: one template an event type. The first line says what happened and to what; the body holds the facts
// as `name: value` lines, so that it reads the same in a mail, in Slack and on a phone.
import type { DataOf, EventContract } from '#shared/events/contract.ts'
import type {
  OrderDenied,
  OrderFilled,
  OrderOutcomeUnknown,
  OrderParked,
  OrderRejected,
} from '#shared/events/orders.ts'
import type {
  AccountReconciled,
  AccountValued,
  LimitBreached,
  LiquidationOrdered,
  TradingStateChanged,
} from '#shared/events/risk.ts'

export interface Text {
  readonly title: string
  readonly body: string
}

export type Template<Contract extends EventContract> = (data: DataOf<Contract>) => Text

const TITLE_LENGTH_MAX = 200
const BODY_LENGTH_MAX = 10_000
/** Differences of a reconciliation that are shown; the event holds them all. */
const DIFFERENCES_MAX = 20

/** One line, within the length of a title, control characters gone: it becomes a mail header. */
export const titleOf = (text: string): string =>
  cut(text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), TITLE_LENGTH_MAX) || '(no title)'

export const bodyOf = (text: string): string => cut(text, BODY_LENGTH_MAX)

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const kept = text.slice(0, lengthMax - 1)
  // Half of a surrogate pair is no text.
  return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}…`
}

type Line = readonly [name: string, value: string]

const linesOf = (...lines: readonly Line[]): string =>
  lines
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')

export const orderFilledText: Template<typeof OrderFilled> = (fill) => ({
  title: `Filled: ${fill.side} ${fill.filledQuantity} ${fill.instrumentId} at ${fill.lastPrice}`,
  body: linesOf(
    ['account', fill.accountId],
    ['order', fill.clientOrderId],
    ['quantity', fill.filledQuantity],
    ['last price', fill.lastPrice],
    ['last fill', `${fill.lastQuantity} for ${fill.lastNotional}, fee ${fill.fee}, tax ${fill.tax}`],
    ['time', fill.eventTime],
  ),
})

export const orderDeniedText: Template<typeof OrderDenied> = (denial) => ({
  title: `Order denied: ${denial.code}`,
  body: linesOf(
    ['account', denial.accountId],
    ['order', denial.clientOrderId],
    ['reason', denial.code],
    ['detail', denial.detail],
    ['note', 'it never reached the broker'],
  ),
})

export const orderRejectedText: Template<typeof OrderRejected> = (rejection) => ({
  title: `Order rejected by the broker: ${rejection.code}`,
  body: linesOf(
    ['account', rejection.accountId],
    ['order', rejection.clientOrderId],
    ['reason', rejection.code],
    ['detail', rejection.detail],
    ['time', rejection.rejectedTime],
  ),
})

export const orderOutcomeUnknownText: Template<typeof OrderOutcomeUnknown> = (order) => ({
  title: `Order outcome unknown: ${order.clientOrderId}`,
  body: linesOf(
    ['account', order.accountId],
    ['order', order.clientOrderId],
    ['attempt', String(order.attempt)],
    ['cause', order.cause],
    ['detail', order.detail],
    ['since', order.sinceTime],
    ['next', "reconciliation looks for it in the broker's list; it is not sent again before that"],
  ),
})

export const orderParkedText: Template<typeof OrderParked> = (order) => ({
  title: `Order needs a person: ${order.clientOrderId}`,
  body: linesOf(
    ['account', order.accountId],
    ['order', order.clientOrderId],
    ['detail', order.detail],
    ['since', order.parkedTime],
    ['next', 'find out at the broker whether it exists, then settle it by hand; JTS will not guess'],
  ),
})

export const tradingStateChangedText: Template<typeof TradingStateChanged> = (change) => ({
  title: `Trading of ${change.accountId} is ${change.to}`,
  body: linesOf(
    ['account', change.accountId],
    ['from', change.from],
    ['to', change.to],
    ['changed by', change.changedBy],
    ['reason', change.reason],
    ['time', change.changedTime],
  ),
})

export const limitBreachedText: Template<typeof LimitBreached> = (breach) => ({
  title: `Limit breached: ${breach.limit} of ${breach.accountId}`,
  body: linesOf(
    ['account', breach.accountId],
    ['limit', breach.limit],
    ['measured', breach.measured],
    ['allowed', breach.allowed],
    ['time', breach.breachedTime],
  ),
})

export const lossText: Template<typeof AccountValued> = (valuation) => ({
  title: `Loss of ${valuation.accountId} today: ${valuation.dailyLoss}`,
  body: linesOf(
    ['account', valuation.accountId],
    ['loss since the session opened', valuation.dailyLoss],
    ['equity', valuation.equity],
    ['cash', valuation.cash],
    ['gross exposure', valuation.grossExposure],
    ['time', valuation.valuedTime],
  ),
})

export const liquidationOrderedText: Template<typeof LiquidationOrdered> = (liquidation) => ({
  title: `Liquidation of ${liquidation.accountId} ordered`,
  body: linesOf(
    ['account', liquidation.accountId],
    ['ordered by', liquidation.orderedBy],
    ['reason', liquidation.reason],
    ['time', liquidation.orderedTime],
  ),
})

export const accountReconciledText: Template<typeof AccountReconciled> = (reconciled) => {
  const { differences } = reconciled
  const shown = differences.slice(0, DIFFERENCES_MAX)
  const more = differences.length - shown.length
  return {
    title: `Record of ${reconciled.accountId} differs from the broker's in ${differences.length} places`,
    body: [
      linesOf(
        ['account', reconciled.accountId],
        ['session', reconciled.sessionDate],
        ['time', reconciled.reconciledTime],
      ),
      ...shown.map((difference) => `- ${difference}`),
      ...(more > 0 ? [`- and ${more} more`] : []),
    ].join('\n'),
  }
}
