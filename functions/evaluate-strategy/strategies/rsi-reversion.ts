import * as z from 'zod'
import { crossedAbove, crossedBelow, rsi } from '../indicators.ts'
import { TRADING, defineStrategy, unit } from '../strategy.ts'

const Level = z.number().gt(0).lt(100)
/** Wilder's smoothing forgets its seed slowly: after ten lengths less than 0.005 % of it is left. */
const LENGTHS_TO_SETTLE = 10

export const rsiReversion = defineStrategy({
  kind: 'rsi-reversion',
  summary: 'Long when the RSI falls below a level, flat when it has risen above another.',
  parameters: z
    .strictObject({
      ...TRADING,
      rsiBars: z.int().min(2).max(200).default(14).describe('Length of the RSI, in closes.'),
      enterBelow: Level.default(30).describe('RSI below which it buys, 0 to 100.'),
      exitAbove: Level.default(55).describe('RSI above which it sells, 0 to 100; above enterBelow.'),
    })
    .refine((it) => it.enterBelow < it.exitAbove, {
      error: 'enterBelow must be less than exitAbove',
      path: ['enterBelow'],
    }),
  warmUpBars: ({ rsiBars }) => rsiBars * LENGTHS_TO_SETTLE,
  indicators: ({ rsiBars }) => ({ rsi: rsi(rsiBars) }),
  evaluate({ rsi: index }, { rsiBars, enterBelow, exitAbove }) {
    const reason = (how: string) => `RSI of ${rsiBars} closes ${how}`
    if (crossedBelow(index, enterBelow)) {
      return {
        direction: 'long',
        strength: unit(1 - index.value / enterBelow),
        reason: reason(`fell below ${enterBelow}`),
      }
    }
    if (!crossedAbove(index, exitAbove)) return undefined
    const strength = unit((index.value - exitAbove) / (100 - exitAbove))
    return { direction: 'flat', strength, reason: reason(`rose above ${exitAbove}`) }
  },
})
