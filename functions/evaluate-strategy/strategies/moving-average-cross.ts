import * as z from 'zod'
import { crossedAbove, crossedBelow, sma } from '../indicators.ts'
import { TRADING, defineStrategy, unit } from '../strategy.ts'

/** Distance of the averages, as a part of the price, that counts as full strength. */
const FULL_STRENGTH_RATIO = 0.005

export const movingAverageCross = defineStrategy({
  kind: 'moving-average-cross',
  summary: 'Long when a fast mean of closes crosses above a slow one, flat when it crosses below.',
  parameters: z
    .strictObject({
      ...TRADING,
      fastBars: z.int().min(1).max(500).default(5).describe('Closes in the fast mean.'),
      slowBars: z
        .int()
        .min(2)
        .max(1_000)
        .default(20)
        .describe('Closes in the slow mean; more than in the fast.'),
    })
    .refine((it) => it.fastBars < it.slowBars, {
      error: 'fastBars must be less than slowBars',
      path: ['fastBars'],
    }),
  warmUpBars: ({ slowBars }) => slowBars + 1,
  indicators: ({ fastBars, slowBars }) => ({ fast: sma(fastBars), slow: sma(slowBars) }),
  evaluate({ fast, slow }, { fastBars, slowBars }) {
    const strength = unit(Math.abs(fast.value / slow.value - 1) / FULL_STRENGTH_RATIO)
    const reason = (how: string) => `mean of ${fastBars} closes crossed ${how} mean of ${slowBars}`
    if (crossedAbove(fast, slow)) return { direction: 'long', strength, reason: reason('above') }
    if (crossedBelow(fast, slow)) return { direction: 'flat', strength, reason: reason('below') }
    return undefined
  },
})
