// A deployed function of JTS as it ships: `serve`, the real definition of risk-check, data checked on the way in and out.
// It answers every order with a denial, as risk-check does while trading is halted, and reads no store.
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { loadConfig } from '#shared/runtime/config.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'

await serve(
  riskCheck,
  async (event) => {
    if (!isOf(OrderRequested, event)) return []
    const { accountId, clientOrderId } = event.data
    return [output(OrderDenied, { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' })]
  },
  { config: loadConfig(ServeConfig, process.env), clock: systemClock, stopwatch: systemStopwatch },
)
