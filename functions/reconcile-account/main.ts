import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { kisGateway } from '#shared/adapters/broker-kis/gateway.ts'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { parseInstruments } from '#shared/domain/instrument-list.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { FollowedConfig } from '../../connectors/kis-stream/config.ts'
import { RECONCILE_TIMER } from '../../connectors/scheduler/config.ts'
import { ReconcileAccountConfig, reconcileRulesFrom } from './config.ts'
import { reconcileAccount } from './function.ts'
import { reconcileAccountHandler } from './handler.ts'

const [config, kis] = orExit(() =>
  loadSettingsWith(
    [ServeConfig, BusinessTimeConfig, ReconcileAccountConfig, FollowedConfig, PostgresConfig, RedisConfig],
    { names: KIS_SETTING, read: readKisSettings },
    process.env,
  ),
)
const time = orExit(() =>
  businessTime(config, { system: systemClock, events: eventClock }, kis.settings.paperTrading),
)
const { name } = reconcileAccount
const log = createLog(name, config.LOG_LEVEL)
const database = await openOrExit(
  'JTS_POSTGRES_URL',
  () => openPostgres(postgresOptionsFrom(config, name)),
  log,
)
const hotState = redisHotState(redisOptionsFrom(config, { name, stopwatch: systemStopwatch, log }))
const gateway = kisGateway({
  ...kis,
  hotState,
  clock: time.clock,
  wallClock: systemClock,
  stopwatch: systemStopwatch,
})
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
  stopwatch: systemStopwatch,
  closes: [database, hotState, gateway],
  notReady: () => hotState.notReady(),
  log,
})
