import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { kisStream } from '#shared/adapters/broker-kis/stream.ts'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemRandom } from '#shared/adapters/system/random.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { BusinessTimeConfig, assertSystemTime } from '#shared/runtime/business-time.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { runConnector } from '#shared/runtime/connector.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig } from '#shared/runtime/serve.ts'
import { openBus } from '#shared/wiring/kafka.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { FollowedConfig, KisStreamConfig } from './config.ts'
import { type RunningStreams, runStreams } from './streams.ts'

const name = 'kis-stream'
const [config, kis] = orExit(() =>
  loadSettingsWith(
    [ServeConfig, BusinessTimeConfig, FollowedConfig, KisStreamConfig, KafkaConfig, RedisConfig],
    { names: KIS_SETTING, read: readKisSettings },
    process.env,
  ),
)
orExit(() => assertSystemTime(config))
const log = createLog(name, config.LOG_LEVEL)
const bus = await openBus(config, log)
const hotState = connectHotState(config, { name, log })

let running: RunningStreams | undefined
const work = (signal: AbortSignal): Promise<void> => {
  running = runStreams(
    {
      accounts: kis.accounts.map((account) => ({
        accountId: account.accountId,
        stream: kisStream({
          settings: kis.settings,
          account,
          hotState,
          clock: systemClock,
          stopwatch: systemStopwatch,
        }),
      })),
      instrumentIds: parseInstruments(config.JTS_INSTRUMENTS).map(({ id }) => id),
      withOrderBook: config.JTS_ORDER_BOOK === 'true',
      bus,
      clock: systemClock,
      stopwatch: systemStopwatch,
      ids: systemIds,
      random: systemRandom,
      log,
      // A restart would dial again, be refused again, and could lock the account: it stays, and is not ready.
      onRefused: (accountId, reason) =>
        log.fatal({ accountId, reason }, 'the broker refuses the stream: somebody must see to its settings'),
    },
    signal,
  )
  return running.ended
}

await runConnector(work, {
  config,
  stopwatch: systemStopwatch,
  log,
  closes: [bus, hotState],
  notReady: () => running?.troubles() ?? ['not started yet'],
})
