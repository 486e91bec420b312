// Which event tells whom what, how urgently, over which channels. Pure.
//
// N1. Severity comes from the table of rules; recipient and channels come from the severity alone.
// N2. The switches silence what they name and nothing else. A halt, a liquidation, an order that needs a person, an
//     unknown outcome and a record that differs from the broker's are always told.
// N3. The same fact has the same messageId, however often the event comes.
import { type Instant, kstDate, parseInstant } from '#shared/domain/time.ts'
import {
  type Money,
  type Ratio,
  ZERO_MONEY,
  addMoney,
  money,
  notionalOf,
  price,
  quantity,
  ratioOf,
} from '#shared/domain/values.ts'
import { type DataOf, type Event, type EventContract, isOf } from '#shared/events/contract.ts'
import { CHANNELS, type Channel, NotificationRequested, SEVERITIES } from '#shared/events/notifications.ts'
import type { Severity } from '#shared/events/notifications.ts'
import * as orders from '#shared/events/orders.ts'
import * as risk from '#shared/events/risk.ts'
import * as templates from './templates.ts'

/** `operator` reads along; `on-call` are the people who get up at night. */
export const RECIPIENTS = ['operator', 'on-call'] as const
export type Recipient = (typeof RECIPIENTS)[number]

const RECIPIENT_OF: Record<Severity, Recipient> = {
  info: 'operator',
  warning: 'operator',
  error: 'on-call',
  critical: 'on-call',
}

export interface AlertRules {
  /** False silences breached limits and the loss alert. */
  readonly riskAlertsEnabled: boolean
  /** The loss alert: loss since the session opened, as a part of equity at the open. */
  readonly riskAlertThreshold: Ratio
  /** False silences fills, denials and rejections. */
  readonly tradeAlertsEnabled: boolean
  /** Smallest order, at its last price, whose fill is told. */
  readonly tradeAlertNotionalMin: Money
  /** Lowest severity that goes over each channel in use; a channel that is absent is not used. */
  readonly severityMin: Readonly<Partial<Record<Channel, Severity>>>
}

export interface Alert {
  readonly messageId: string
  readonly recipient: string
  readonly severity: Severity
  readonly title: string
  readonly body: string
  readonly channels: readonly Channel[]
}

interface Rule<Data> {
  readonly severity: Severity | ((data: Data) => Severity)
  readonly text: (data: Data) => templates.Text
  /** Default: always. */
  readonly isWanted?: (data: Data, rules: AlertRules) => boolean
  /** What makes two messages the same. Default: the event's id. */
  readonly messageId?: (data: Data) => string
  /** Who was asked for. Default `operator`, which severity turns into who that is now. */
  readonly recipient?: (data: Data) => string
}

type Deciding = (event: Event, rules: AlertRules) => Alert | undefined

const rule = <Contract extends EventContract>(
  contract: Contract,
  spec: Rule<DataOf<Contract>>,
): readonly [string, Deciding] => [
  contract.type,
  (event, rules) => {
    if (!isOf(contract, event)) return undefined
    const { data } = event
    if (spec.isWanted?.(data, rules) === false) return undefined
    const severity = typeof spec.severity === 'function' ? spec.severity(data) : spec.severity
    const channels = channelsFor(severity, rules)
    if (channels.length === 0) return undefined
    const { title, body } = spec.text(data)
    return {
      messageId: spec.messageId?.(data) ?? event.id,
      recipient: recipientFor(spec.recipient?.(data) ?? 'operator', severity),
      severity,
      title: templates.titleOf(title),
      body: templates.bodyOf(body),
      channels,
    }
  },
]

const tradeAlerts = (_data: unknown, rules: AlertRules): boolean => rules.tradeAlertsEnabled

const RULES: ReadonlyMap<string, Deciding> = new Map([
  rule(orders.OrderFilled, {
    severity: 'info',
    text: templates.orderFilledText,
    isWanted: (fill, rules) =>
      rules.tradeAlertsEnabled &&
      notionalOf(price(fill.lastPrice), quantity(fill.filledQuantity)) >= rules.tradeAlertNotionalMin,
  }),
  rule(orders.OrderDenied, { severity: 'warning', text: templates.orderDeniedText, isWanted: tradeAlerts }),
  rule(orders.OrderRejected, {
    severity: 'warning',
    text: templates.orderRejectedText,
    isWanted: tradeAlerts,
  }),
  rule(orders.OrderOutcomeUnknown, { severity: 'error', text: templates.orderOutcomeUnknownText }),
  rule(orders.OrderParked, { severity: 'critical', text: templates.orderParkedText }),
  rule(risk.LimitBreached, {
    severity: 'error',
    text: templates.limitBreachedText,
    isWanted: (_breach, rules) => rules.riskAlertsEnabled,
  }),
  rule(risk.AccountValued, {
    severity: 'warning',
    text: templates.lossText,
    isWanted: (valuation, rules) =>
      rules.riskAlertsEnabled && isLossOver(valuation, rules.riskAlertThreshold),
    // Valuations come every few seconds; the loss alert comes once for an account and a Korean day.
    messageId: ({ accountId, valuedTime }) => `loss:${accountId}:${kstDate(parseInstant(valuedTime))}`,
  }),
  rule(risk.TradingStateChanged, {
    severity: ({ to }) => TRADING_STATE_SEVERITY[to],
    text: templates.tradingStateChangedText,
  }),
  rule(risk.LiquidationOrdered, { severity: 'critical', text: templates.liquidationOrderedText }),
  rule(risk.AccountReconciled, {
    severity: 'error',
    text: templates.accountReconciledText,
    isWanted: ({ agrees }) => !agrees,
  }),
  rule(NotificationRequested, {
    severity: ({ severity }) => severity,
    text: ({ title, body, recipient }) => ({
      title,
      body: isRecipient(recipient) ? body : `for: ${recipient}\n${body}`,
    }),
    recipient: ({ recipient }) => recipient,
  }),
])

const TRADING_STATE_SEVERITY = { active: 'warning', reducing: 'error', halted: 'critical' } as const

/** The one message that an event is worth, or none. */
export const decide: Deciding = (event, rules) => RULES.get(event.type)?.(event, rules)

/** Channels that take this severity, in the order of CHANNELS. */
export function channelsFor(severity: Severity, { severityMin }: AlertRules): readonly Channel[] {
  return CHANNELS.filter((channel) => {
    const lowest = severityMin[channel]
    return lowest !== undefined && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(lowest)
  })
}

const recipientFor = (asked: string, severity: Severity): string =>
  asked === 'operator' ? RECIPIENT_OF[severity] : asked

/** Others have no addresses of their own: they share those of the operator, and so the allowance of messages too. */
export const isRecipient = (name: string): name is Recipient =>
  (RECIPIENTS as readonly string[]).includes(name)

/** Equity at the open is equity now plus what was lost since. Nothing left of it is a loss over any threshold. */
function isLossOver(valuation: DataOf<typeof risk.AccountValued>, threshold: Ratio): boolean {
  const loss = money(valuation.dailyLoss)
  if (loss <= ZERO_MONEY) return false
  const opening = addMoney(money(valuation.equity), loss)
  return opening <= ZERO_MONEY || ratioOf(loss, opening) >= threshold
}

/** One record of what was told before, or not told, as far as decisions need it. */
export interface ToldBefore {
  readonly eventId: string
  readonly recipient: string
  readonly channel: Channel
  readonly status: 'delivered' | 'failed' | 'suppressed'
  readonly title: string
  readonly at: Instant
}

/** How long a standing fact that could not be told rests on that channel: it comes again with every valuation. */
export const REST_MS = 300_000

/** True when a message failed on a channel, or was held back there, less than REST_MS ago. */
export const restsSince = (
  told: readonly ToldBefore[],
  messageId: string,
  channel: Channel,
  now: Instant,
): boolean =>
  told.some(
    (each) =>
      each.eventId === messageId &&
      each.channel === channel &&
      each.status !== 'delivered' &&
      now - each.at < REST_MS,
  )

const TITLES_MAX = 5

/**
 * What to add to the next message about those held back since the last that reached the channel: nothing when there are
 * none. `newestFirst` may be cut off; then the count is what it shows.
 */
export function heldBackNote(
  newestFirst: readonly ToldBefore[],
  recipient: string,
  channel: Channel,
): string {
  const here = newestFirst.filter((told) => told.recipient === recipient && told.channel === channel)
  const last = here.findIndex(({ status }) => status === 'delivered')
  const since = here.slice(0, last === -1 ? here.length : last)
  const titles = since.filter(({ status }) => status === 'suppressed').map(({ title }) => title)
  if (titles.length === 0) return ''
  const shown = titles.slice(0, TITLES_MAX).map((title) => `- ${title}`)
  const more = titles.length > TITLES_MAX ? [`- and ${titles.length - TITLES_MAX} more`] : []
  return [`${titles.length} held back since the last message:`, ...shown, ...more].join('\n')
}
