import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { orderFromWire } from '#shared/events/order-codec.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { createMetrics } from '#shared/runtime/metrics.ts'
import { functionServer } from '#shared/runtime/http.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'
const me = process.argv[1]!
const metrics = createMetrics({ processMetrics: false })
const D = { accountId: 'kis:5012345601', clientOrderId: 'x', code: 'TRADING_HALTED' as const, detail: '' }
const host = hostFunction(riskCheck, async (event) => {
  if (me.includes('w2')) return []
  if (me.includes('w3')) return [output(OrderDenied, D)]
  if (!isOf(OrderRequested, event)) return []
  const { accountId, clientOrderId } = orderFromWire(event.data)
  return [output(OrderDenied, { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' })]
}, { clock: systemClock, stopwatch: systemStopwatch, log: silentLog, ...(me.includes('w4') ? {} : { metrics }) })
functionServer([host], { log: silentLog, stopwatch: systemStopwatch, ...(me.includes('w4') ? {} : { metrics }) }).listen(Number(process.env['PORT']))
