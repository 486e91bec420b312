// For tests: a connector as its own process, whose work does what MODE says.
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { loadConfigOrExit } from './config.ts'
import { runConnector } from './connector.ts'
import { createLog } from './log.ts'
import { ServeConfig } from './serve.ts'

const log = createLog('fixture', 'info')
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

await runConnector(
  async (signal) => {
    const mode = process.env['MODE']
    if (mode === 'breaks') throw new Error('the far side is gone')
    if (mode === 'ends') return
    await aborted(signal)
    log.info({}, 'work let go')
    if (mode === 'breaks at the end') throw new Error('late')
  },
  {
    config: loadConfigOrExit(ServeConfig, process.env),
    stopwatch: systemStopwatch,
    log,
    closes: [{ close: async () => log.info({}, 'connection closed') }],
    notReady: () => ['not connected: the far side is away'],
  },
)
