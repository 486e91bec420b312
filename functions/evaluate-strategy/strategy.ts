// What a strategy is. The author states parameters, indicators and an opinion; everything else is done here once.
//
// S1. A strategy is a function of its state, the close in hand, its parameters and the view. No clock, no chance, no I/O.
// S2. The state given to `step` is given away: it may be changed in place, and only what comes back is kept. It is JSON.
// S3. An opinion is raised once, on the close that formed it, never again while it lasts. Until `warmUpBars` closes were
//     taken there is none.
import * as z from 'zod'
import { BAR_INTERVALS } from '#shared/domain/market-data.ts'
import { ORDER_TYPES, TIMES_IN_FORCE } from '#shared/domain/order.ts'
import type { Instant } from '#shared/domain/time.ts'
import { money } from '#shared/domain/values.ts'
import { type Indicator, feed, isReady } from './indicators.ts'

export const TRIGGERS = [...BAR_INTERVALS, 'tick'] as const
/** What a strategy is evaluated on: closes of bars of one interval, or prices of ticks. */
export type Trigger = (typeof TRIGGERS)[number]

/** Parameters that every strategy has: put them into its schema. The size of an order has no default: choose it. */
export const TRADING = {
  interval: z.enum(TRIGGERS).describe('Bars that it is evaluated on, or every tick.'),
  orderNotional: z
    .string()
    .regex(/^(?=.*[1-9])\d{1,15}(\.\d{1,4})?$/, 'must be a positive decimal string')
    .transform(money)
    .describe('Notional of one entry, in the currency of the instrument; cut down to whole lots.'),
  orderType: z.enum(ORDER_TYPES).default('limit').describe('How it enters and leaves.'),
  timeInForce: z.enum(TIMES_IN_FORCE).default('day').describe('How long an order works.'),
  crossTicks: z
    .int()
    .min(0)
    .max(20)
    .default(2)
    .describe('Ticks that a limit price goes beyond the last price, so that the order trades at once.'),
} as const

export type TradingParameters = z.output<z.ZodObject<typeof TRADING>>

/** What a strategy may look at beside its indicators. */
export interface StrategyView {
  readonly close: number
  readonly time: Instant
  /** True while the account holds the instrument. */
  readonly isLong: boolean
  /** What the position cost a unit; 0 when flat. */
  readonly averagePrice: number
}

export interface Opinion {
  readonly direction: 'long' | 'flat'
  /** 0 to 1. */
  readonly strength: number
  /** For a person: what was seen. Indicator values are added to it as evidence. */
  readonly reason: string
}

export interface StrategyState {
  readonly indicators: Readonly<Record<string, Indicator>>
  /** Closes taken. */
  closes: number
}

export interface StrategySpec<
  Schema extends z.ZodType<TradingParameters>,
  Indicators extends Record<string, Indicator>,
> {
  readonly kind: string
  readonly summary: string
  readonly parameters: Schema
  /** Closes to take before the first opinion, history included. */
  readonly warmUpBars: (parameters: z.output<Schema>) => number
  readonly indicators: (parameters: z.output<Schema>) => Indicators
  /** Called after the indicators took the close, once all of them are ready. */
  readonly evaluate: (
    indicators: Indicators,
    parameters: z.output<Schema>,
    view: StrategyView,
  ) => Opinion | undefined
}

/** A strategy with its parameters. */
export interface PreparedStrategy {
  readonly kind: string
  readonly trading: TradingParameters
  readonly warmUpBars: number
  start(): StrategyState
  step(
    state: StrategyState,
    view: StrategyView,
  ): { readonly state: StrategyState; readonly opinion: Opinion | undefined }
}

export interface Strategy {
  readonly kind: string
  readonly summary: string
  readonly parameters: z.ZodType
  /** @throws ZodError for parameters that are not its own. */
  prepare(parameters: unknown): PreparedStrategy
}

export function defineStrategy<
  Schema extends z.ZodType<TradingParameters>,
  Indicators extends Record<string, Indicator>,
>(spec: StrategySpec<Schema, Indicators>): Strategy {
  return {
    kind: spec.kind,
    summary: spec.summary,
    parameters: spec.parameters,
    prepare(raw) {
      const parameters = spec.parameters.parse(raw)
      const warmUpBars = spec.warmUpBars(parameters)
      return {
        kind: spec.kind,
        trading: parameters,
        warmUpBars,
        start: () => ({ indicators: spec.indicators(parameters), closes: 0 }),
        step(state, view) {
          let allReady = true
          for (const name in state.indicators) {
            const indicator = state.indicators[name]
            if (indicator === undefined) continue
            feed(indicator, view.close)
            allReady &&= isReady(indicator)
          }
          state.closes += 1
          const isWarm = allReady && state.closes >= warmUpBars
          const opinion = isWarm ? spec.evaluate(state.indicators as Indicators, parameters, view) : undefined
          return { state, opinion }
        },
      }
    },
  }
}

/** Indicator values for a person, rounded to four places. */
export function evidenceOf(state: StrategyState): Record<string, number> {
  const evidence: Record<string, number> = {}
  for (const [name, indicator] of Object.entries(state.indicators)) {
    evidence[name] = Math.round(indicator.value * 10_000) / 10_000
  }
  return evidence
}

/** A value held to 0…1, for `strength`. */
export const unit = (value: number): number => Math.min(1, Math.max(0, value))
