// Backtests asked for and ended.
import * as z from 'zod'
import { defineEvent } from './contract.ts'
import { DateString, DecimalString, Id, InstrumentIdString, Time } from './wire.ts'

const byBacktest = (data: { readonly backtestId: string }): string => data.backtestId

export const BacktestRequested = defineEvent({
  name: 'BacktestRequested',
  type: 'jts.backtest.requested.v1',
  topic: 'backtests',
  summary: 'A strategy is to be run over history.',
  key: byBacktest,
  schema: z.strictObject({
    backtestId: Id,
    strategyKind: Id,
    parameters: z.record(z.string(), z.unknown()),
    instrumentIds: z.array(InstrumentIdString).min(1).max(5000),
    from: DateString,
    to: DateString,
  }),
})

export const BacktestCompleted = defineEvent({
  name: 'BacktestCompleted',
  type: 'jts.backtest.completed.v1',
  topic: 'backtests',
  summary: 'A backtest ended with a result.',
  key: byBacktest,
  schema: z.strictObject({
    backtestId: Id,
    trades: z.int().min(0),
    netPnl: DecimalString,
    ordersHash: z.string().regex(/^[0-9a-f]{64}$/),
    completedTime: Time,
  }),
})

export const BacktestFailed = defineEvent({
  name: 'BacktestFailed',
  type: 'jts.backtest.failed.v1',
  topic: 'backtests',
  summary: 'A backtest could not be run to its end.',
  key: byBacktest,
  schema: z.strictObject({ backtestId: Id, reason: z.string().max(1000), failedTime: Time }),
})
