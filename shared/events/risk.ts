// Accounts as risk sees them.
import * as z from 'zod'
import { TRADING_STATES } from '#shared/domain/risk.ts'
import { defineEvent } from './contract.ts'
import { DateString, DecimalString, Id, Time, UnsignedDecimal } from './wire.ts'

const byAccount = (data: { readonly accountId: string }): string => data.accountId

export const TradingStateChanged = defineEvent({
  name: 'TradingStateChanged',
  type: 'jts.trading-state.changed.v1',
  topic: 'risk',
  summary: 'Trading of an account was made active, reducing or halted.',
  key: byAccount,
  schema: z.strictObject({
    accountId: Id,
    from: z.enum(TRADING_STATES),
    to: z.enum(TRADING_STATES),
    changedBy: Id,
    reason: z.string().max(500),
    changedTime: Time,
  }),
})

export const AccountValued = defineEvent({
  name: 'AccountValued',
  type: 'jts.account.valued.v1',
  topic: 'risk',
  summary: 'An account was valued at last prices.',
  key: byAccount,
  schema: z.strictObject({
    accountId: Id,
    equity: DecimalString,
    cash: DecimalString,
    grossExposure: UnsignedDecimal,
    dailyLoss: DecimalString,
    valuedTime: Time,
  }),
})

export const LimitBreached = defineEvent({
  name: 'LimitBreached',
  type: 'jts.limit.breached.v1',
  topic: 'risk',
  summary: 'A running measure passed its limit.',
  key: byAccount,
  schema: z.strictObject({
    accountId: Id,
    limit: z.string().min(1).max(100),
    measured: DecimalString,
    allowed: DecimalString,
    breachedTime: Time,
  }),
})

export const LiquidationOrdered = defineEvent({
  name: 'LiquidationOrdered',
  type: 'jts.liquidation.ordered.v1',
  topic: 'risk',
  summary: 'All positions of an account are to be closed.',
  key: byAccount,
  schema: z.strictObject({ accountId: Id, orderedBy: Id, reason: z.string().max(500), orderedTime: Time }),
})

export const AccountReconciled = defineEvent({
  name: 'AccountReconciled',
  type: 'jts.account.reconciled.v1',
  topic: 'risk',
  summary: "Our record of an account was compared with the broker's.",
  key: byAccount,
  schema: z.strictObject({
    accountId: Id,
    sessionDate: DateString,
    agrees: z.boolean(),
    /** One line for each difference, both sides shown; empty when they agree. */
    differences: z.array(z.string().max(500)).max(500),
    equity: DecimalString,
    reconciledTime: Time,
  }),
})
