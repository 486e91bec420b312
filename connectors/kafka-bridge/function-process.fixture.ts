// For tests: risk-check as a process that can be killed. Denies every order after PAUSE_MS and notes it, with its process id,
// in the file NOTES, which several processes share.
import { appendFileSync } from 'node:fs'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { loadSettings } from '#shared/runtime/config.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'

const { NOTES = '', PAUSE_MS = '0' } = process.env
const config = loadSettings([ServeConfig, KafkaOutputsConfig], process.env)
const bus = await openOutputs(config, silentLog)

await serve(
  riskCheck,
  async (event, { signal }) => {
    if (!isOf(OrderRequested, event)) return []
    if (PAUSE_MS !== '0') await systemStopwatch.sleep(Number(PAUSE_MS), signal)
    const { accountId, clientOrderId } = event.data
    appendFileSync(NOTES, `${clientOrderId} ${process.pid}\n`)
    return [output(OrderDenied, { accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' })]
  },
  { config, bus, clock: systemClock, stopwatch: systemStopwatch },
)
