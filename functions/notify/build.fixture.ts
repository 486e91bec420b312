// Events and rules for the tests of notify.
import { addMs, formatInstant } from '#shared/domain/time.ts'
import { money, ratio } from '#shared/domain/values.ts'
import type { DataOf, Event, EventContract } from '#shared/events/contract.ts'
import { NotificationRequested } from '#shared/events/notifications.ts'
import {
  OrderDenied,
  OrderFilled,
  OrderOutcomeUnknown,
  OrderParked,
  OrderRejected,
} from '#shared/events/orders.ts'
import {
  AccountReconciled,
  AccountValued,
  LimitBreached,
  LiquidationOrdered,
  TradingStateChanged,
} from '#shared/events/risk.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT, DATE, NOON, SAMSUNG } from '../../test/build.ts'
import type { AlertRules } from './decide.ts'

const time = formatInstant(NOON)
const order = { accountId: ACCOUNT, clientOrderId: 'order-1' }

function checked<Contract extends EventContract>(
  contract: Contract,
  data: DataOf<Contract>,
): DataOf<Contract> {
  contract.schema.parse(data)
  return data
}

const event = <Contract extends EventContract>(
  contract: Contract,
  data: DataOf<Contract>,
  id: string,
): Event => finishRoot(contract, checked(contract, data), { id, source: '/jts/test', now: NOON })

export const rules = (over: Partial<AlertRules> = {}): AlertRules => ({
  riskAlertsEnabled: true,
  riskAlertThreshold: ratio('0.02'),
  tradeAlertsEnabled: true,
  tradeAlertNotionalMin: money('0'),
  severityMin: { email: 'warning', slack: 'info', webhook: 'info' },
  ...over,
})

export const filled = (over: Partial<DataOf<typeof OrderFilled>> = {}, id = 'filled-1'): Event =>
  event(
    OrderFilled,
    {
      ...order,
      executionId: 'x1',
      instrumentId: SAMSUNG,
      side: 'buy',
      lastQuantity: '10',
      lastPrice: '70000',
      lastNotional: '700000',
      filledQuantity: '10',
      remainingQuantity: '0',
      fee: '105',
      tax: '0',
      eventTime: time,
      ...over,
    },
    id,
  )

export const denied = (id = 'denied-1'): Event =>
  event(OrderDenied, { ...order, code: 'TRADING_HALTED', detail: 'state=halted' }, id)

export const rejected = (id = 'rejected-1'): Event =>
  event(
    OrderRejected,
    { ...order, code: 'APBK0919', detail: '장운영시간이 아닙니다', rejectedTime: time },
    id,
  )

export const outcomeUnknown = (id = 'unknown-1'): Event =>
  event(
    OrderOutcomeUnknown,
    { ...order, attempt: 1, cause: 'noAnswer', detail: 'EGW00301', sinceTime: time },
    id,
  )

export const parked = (id = 'parked-1'): Event =>
  event(OrderParked, { ...order, detail: 'no evidence for 300 s', parkedTime: time }, id)

export const breached = (id = 'breached-1'): Event =>
  event(
    LimitBreached,
    {
      accountId: ACCOUNT,
      limit: 'dailyLoss',
      measured: '1200000',
      allowed: '1000000',
      breachedTime: time,
    },
    id,
  )

/** Valued `afterMs` later than noon, with this equity and this loss since the open. */
export const valued = (equity: string, dailyLoss: string, id = 'valued-1', afterMs = 0): Event =>
  event(
    AccountValued,
    {
      accountId: ACCOUNT,
      equity,
      cash: equity,
      grossExposure: '0',
      dailyLoss,
      valuedTime: formatInstant(addMs(NOON, afterMs)),
    },
    id,
  )

export const stateChanged = (to: 'active' | 'reducing' | 'halted', id = 'state-1'): Event =>
  event(
    TradingStateChanged,
    { accountId: ACCOUNT, from: 'active', to, changedBy: 'operator:kim', reason: 'test', changedTime: time },
    id,
  )

export const liquidation = (id = 'liquidation-1'): Event =>
  event(
    LiquidationOrdered,
    { accountId: ACCOUNT, orderedBy: 'monitor-risk', reason: 'loss', orderedTime: time },
    id,
  )

export const reconciled = (differences: readonly string[], id = 'reconciled-1'): Event =>
  event(
    AccountReconciled,
    {
      accountId: ACCOUNT,
      sessionDate: DATE,
      agrees: differences.length === 0,
      differences: [...differences],
      equity: '10000000',
      reconciledTime: time,
    },
    id,
  )

export const requested = (
  over: Partial<DataOf<typeof NotificationRequested>> = {},
  id = 'requested-1',
): Event =>
  event(
    NotificationRequested,
    { recipient: 'operator', severity: 'info', title: 'Backtest done', body: 'sharpe 1.2', ...over },
    id,
  )
