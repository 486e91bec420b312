import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { instant } from '#shared/domain/time.ts'
import { ACCOUNT } from './bench.fixture.ts'
import { sma } from './indicators.ts'
import { StrategyDocumentSchema } from './roster.ts'
import { demoStrategies } from './strategies/demo.ts'
import { STRATEGIES } from './strategies/registry.ts'
import { type StrategyState, TRADING, defineStrategy } from './strategy.ts'

const view = (close: number, isLong = false) => ({ close, isLong, averagePrice: 0, time: instant(0) })

/** All that an author writes. */
const stopLoss = defineStrategy({
  kind: 'stop-loss',
  summary: 'Leaves when the close has fallen below the cost by more than a part of it.',
  parameters: z.strictObject({ ...TRADING, lossRatio: z.number().gt(0).lt(1) }),
  warmUpBars: () => 1,
  indicators: () => ({ close: sma(1) }),
  evaluate: (_indicators, { lossRatio }, { close, isLong, averagePrice }) =>
    isLong && close < averagePrice * (1 - lossRatio)
      ? { direction: 'flat', strength: 1, reason: `fell by more than ${lossRatio}` }
      : undefined,
})

test('a strategy sees what the position cost', () => {
  const prepared = stopLoss.prepare({ interval: 'tick', orderNotional: '1', lossRatio: 0.1 })
  const at = (close: number) =>
    prepared.step(prepared.start(), { ...view(close, true), averagePrice: 100 }).opinion?.direction
  expect([at(90), at(89.99)]).toEqual([undefined, 'flat'])
})

describe.each(STRATEGIES.map((strategy) => [strategy.kind, strategy] as const))('%s', (_kind, strategy) => {
  const prepared = strategy.prepare({ interval: '1m', orderNotional: '2000000' })
  const closes = Array.from({ length: 400 }, (_, index) => 1_000 + 100 * Math.sin(index / 9) + (index % 7))

  test('has no opinion before it is warm, and has some after', () => {
    let state = prepared.start()
    const opinions = closes.map((close) => {
      const step = prepared.step(state, view(close))
      state = step.state
      return step.opinion
    })
    expect(opinions.slice(0, prepared.warmUpBars - 1).every((opinion) => opinion === undefined)).toBe(true)
    const formed = opinions.filter((opinion) => opinion !== undefined)
    expect(new Set(formed.map(({ direction }) => direction))).toEqual(new Set(['long', 'flat']))
    expect(formed.every(({ strength }) => strength >= 0 && strength <= 1)).toBe(true)
  })

  test('goes on from its stored state as if nothing had happened', () => {
    let straight = prepared.start()
    let stored = prepared.start()
    for (const close of closes) {
      const expected = prepared.step(straight, view(close))
      const step = prepared.step(stored, view(close))
      expect(step.opinion).toEqual(expected.opinion)
      straight = expected.state
      stored = JSON.parse(JSON.stringify(step.state)) as StrategyState
    }
  })

  test.each([
    ['without an order size', { interval: '1m' }, 'orderNotional'],
    ['with an order size of zero', { interval: '1m', orderNotional: '0' }, 'orderNotional'],
    ['without an interval', { orderNotional: '1' }, 'interval'],
    ['with a parameter that it does not have', { interval: '1m', orderNotional: '1', lever: 9 }, 'lever'],
    ['with too many ticks', { interval: '1m', orderNotional: '1', crossTicks: 21 }, 'crossTicks'],
  ])('%s is refused', (_name, parameters, field) => {
    expect(() => strategy.prepare(parameters)).toThrow(field)
  })

  test('describes every parameter', () => {
    const { properties = {} } = z.toJSONSchema(strategy.parameters, { io: 'input', unrepresentable: 'any' })
    const silent = Object.entries(properties).filter(
      ([, field]) => typeof field === 'boolean' || (field.description ?? '') === '',
    )
    expect(silent.map(([name]) => name)).toEqual([])
  })
})

test('the strategies of the demonstration are valid documents', () => {
  const documents = demoStrategies(ACCOUNT)
  expect(documents.map(({ id }) => id)).toEqual([
    'ma-cross-1m',
    'rsi-reversion-1m',
    'ma-cross-1d',
    'rsi-reversion-1d',
  ])
  for (const document of documents) {
    const { kind, parameters } = StrategyDocumentSchema.parse(document)
    const strategy = STRATEGIES.find((each) => each.kind === kind)
    expect(() => strategy?.prepare(parameters)).not.toThrow()
    expect(strategy).toBeDefined()
  }
})
