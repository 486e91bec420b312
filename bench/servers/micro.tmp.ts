import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { orderFromWire } from '#shared/events/order-codec.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { createMetrics } from '#shared/runtime/metrics.ts'
import { decodeHttp } from '#shared/runtime/cloudevents/http-decode.ts'
import { binaryHeaders, bodyOf } from '#shared/runtime/cloudevents/http-encode.ts'
import { acceptEvent } from '#shared/runtime/completion.ts'
import { outputIdentity, childTrace } from '#shared/runtime/event-identity.ts'
import { formatInstant, parseInstant } from '#shared/domain/time.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'
import { EVENT_HEADERS, ORDER_BODY } from '../order-event.ts'
const metrics = createMetrics()
const host = hostFunction(riskCheck, async (event) => {
  if (!isOf(OrderRequested, event)) return []
  const { accountId, clientOrderId } = orderFromWire(event.data)
  return [output(OrderDenied, { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' })]
}, { clock: systemClock, stopwatch: systemStopwatch, log: silentLog, metrics })
const raw = ['Host', '127.0.0.1:8080', ...Object.entries({ ...EVENT_HEADERS, 'content-length': '1024' }).flat()]
const body = Buffer.from(ORDER_BODY)
let event: any = (decodeHttp(raw, body) as any).event
let acc: any = acceptEvent(event, OrderRequested)
const out = await host.handle(event)
const done = (out as any).outputs[0]
const denied = { accountId: 'kis:5012345601', clientOrderId: 'ma-cross-1m/005930.KRX/4f1c2a90b7e35d68', code: 'TRADING_HALTED', detail: '' }
const works: Record<string, () => unknown> = {
  parse: () => JSON.parse(body.toString()),
  decode: () => decodeHttp(raw, body),
  accept: () => acceptEvent(event, OrderRequested),
  zodIn: () => OrderRequested.schema.safeParse(event.data),
  zodOut: () => OrderDenied.schema.safeParse(denied),
  identity: () => outputIdentity('5f0c8f6e3b1d4a7f9c2e6d8b0a1f3e5c', 'risk-check', 0),
  childTrace: () => childTrace('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'x', 'aaaaaaaaaaaaaaaa'),
  headers: () => binaryHeaders(done),
  bodyOf: () => bodyOf(done),
  handlerWork: () => orderFromWire(event.data),
  formatInstant: () => formatInstant(Date.now() as any),
  parseInstant: () => parseInstant('2025-09-02T03:00:00.123Z'),
  metrics: () => { metrics.handled('risk-check','done',0.4); metrics.answered(200, 0.5); metrics.inFlight(1) },
  now: () => systemStopwatch.elapsedMs(),
}
const N = 30000
for (let r = 0; r < 3; r++) {
  const line: string[] = []
  for (const [n, w] of Object.entries(works)) { const s = performance.now(); for (let i = 0; i < N; i++) w(); line.push(`${n} ${((performance.now() - s) * 1e6 / N).toFixed(0)}`) }
  const s = performance.now(); for (let i = 0; i < N; i++) await host.handle(event); line.push(`HANDLE ${((performance.now() - s) * 1e6 / N).toFixed(0)}`)
  if (r > 0) console.log(line.join('  '))
}
host.close()
