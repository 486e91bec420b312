import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { connectBroker } from '#shared/wiring/kis.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { FollowedConfig } from '../../connectors/kis-stream/config.ts'
import { RECONCILE_TIMER } from '../../connectors/scheduler/config.ts'
import { ReconcileAccountConfig, reconcileRulesFrom } from './config.ts'
import { reconcileAccount } from './function.ts'
import { reconcileAccountHandler } from './handler.ts'

const [config, kis] = orExit(() =>
  loadSettingsWith(
    [
      ServeConfig,
      BusinessTimeConfig,
      ReconcileAccountConfig,
      FollowedConfig,
      PostgresConfig,
      RedisConfig,
      KafkaOutputsConfig,
    ],
    { names: KIS_SETTING, read: readKisSettings },
    process.env,
  ),
)
const time = businessClock(config, kis.settings.paperTrading)
const { name } = reconcileAccount
const log = createLog(name, config.LOG_LEVEL)
const database = await openDatabase(config, { name, log })
const hotState = connectHotState(config, { name, log })
const bus = await openOutputs(config, log)
const gateway = connectBroker(kis, { clock: time.clock, hotState })
const ledger = postgresLedger(database)
const instruments = postgresInstruments(database)

/** What this function looks after must be known to the others: accounts of the broker, instruments that are followed. */
async function introduce(): Promise<void> {
  for (const { accountId } of kis.accounts)
    await ledger.openAccount({ accountId, broker: 'kis', currency: 'KRW' })
  const known = new Set((await instruments.list()).map(({ id }) => id))
  await instruments.put(parseInstruments(config.JTS_INSTRUMENTS).filter(({ id }) => !known.has(id)))
}
await openOrExit('JTS_POSTGRES_URL', introduce, log)

const handler = reconcileAccountHandler({
  gateway,
  orders: postgresOrderStore(database),
  ledger,
  instruments,
  clock: time.clock,
  ...reconcileRulesFrom(config),
  timer: RECONCILE_TIMER,
  onFailure: (accountId, error) => log.error({ accountId, error }, 'account not reconciled'),
})

// Without Redis the request quota is not known, and the broker's lists cannot be read.
await serve(reconcileAccount, handler, {
  ...time,
  config,
  bus,
  stopwatch: systemStopwatch,
  closes: [database, hotState, gateway],
  notReady: () => hotState.notReady(),
  log,
})
