// For tests: a deployed function as its own process. Prints its port.
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { serve } from './serve.ts'
import { silentLog } from './log.ts'
import { testFunction } from './server.fixture.ts'

const HANDLER_MS = 400

const serving = await serve(
  testFunction,
  async (event, { signal }) => {
    if (event.id === 'slow') await systemStopwatch.sleep(HANDLER_MS, signal)
    if (event.id === 'defect') throw new TypeError('oops')
    if (event.id === 'hang') await new Promise(() => undefined)
    return []
  },
  {
    config: {
      PORT: 0,
      LOG_LEVEL: 'silent',
      JTS_BODY_BYTES_MAX: 1_048_576,
      JTS_DRAIN_GRACE_MS: 300,
      JTS_CLOSE_MS_MAX: 5_000,
    },
    clock: systemClock,
    stopwatch: systemStopwatch,
    log: silentLog,
  },
)
process.stdout.write(`${serving.port}\n`)
