// A deployed function that checks every tick it gets, and emits a signal for each where EMITS is set.
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { output } from '#shared/events/contract.ts'
import { SignalRaised, TickTraded } from '#shared/events/market.ts'
import { loadConfig } from '#shared/runtime/config.ts'
import { defineFunction } from '#shared/runtime/function.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'

const definition = defineFunction({
  name: 'ticks',
  summary: 'Checks ticks.',
  consumes: [TickTraded],
  produces: [SignalRaised],
  timeoutMs: 10_000,
  scale: { min: 1, max: 1 },
})
const emits = process.env['EMITS'] !== undefined

await serve(
  definition,
  async ({ data }) => {
    if (!emits) return []
    const { instrumentId, price, eventTime: decidedTime } = data
    const opinion = { direction: 'long' as const, strength: 1, evidence: { fast: 1.5 } }
    return [
      output(SignalRaised, {
        strategyId: 'p6',
        parametersVersion: 1,
        instrumentId,
        price,
        decidedTime,
        ...opinion,
      }),
    ]
  },
  { config: loadConfig(ServeConfig, process.env), clock: systemClock, stopwatch: systemStopwatch },
)
