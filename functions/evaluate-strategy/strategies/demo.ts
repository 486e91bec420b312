// The strategies that the embedded demonstration starts with: small orders for an account of a hundred million won.
import type { StrategyDocument } from '../roster.ts'

const ORDER_NOTIONAL = '2000000'

/** Documents to be put under their ids, kind `strategy`. Chosen to trade a few times a session, not to make money. */
export function demoStrategies(accountId: string): StrategyDocument[] {
  const document = (id: string, kind: string, parameters: Record<string, unknown>): StrategyDocument => ({
    id,
    kind,
    enabled: true,
    accountId,
    instrumentIds: 'all',
    parameters: { orderNotional: ORDER_NOTIONAL, ...parameters },
  })
  return [
    document('ma-cross-1m', 'moving-average-cross', { interval: '1m', fastBars: 10, slowBars: 40 }),
    document('rsi-reversion-1m', 'rsi-reversion', {
      interval: '1m',
      rsiBars: 14,
      enterBelow: 30,
      exitAbove: 55,
    }),
    document('ma-cross-1d', 'moving-average-cross', { interval: '1d', fastBars: 5, slowBars: 20 }),
    document('rsi-reversion-1d', 'rsi-reversion', {
      interval: '1d',
      rsiBars: 5,
      enterBelow: 25,
      exitAbove: 60,
    }),
  ]
}
