import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { kisGateway } from '#shared/adapters/broker-kis/gateway.ts'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { PostgresConfig, postgresOptionsFrom } from '#shared/adapters/postgres/config.ts'
import { openPostgres } from '#shared/adapters/postgres/database.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig, redisOptionsFrom } from '#shared/adapters/redis/config.ts'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig, businessTime } from '#shared/runtime/business-time.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { PlaceOrderConfig } from './config.ts'
import { placeOrder } from './function.ts'
import { placeOrderHandler } from './handler.ts'

const [config, kis] = orExit(() =>
  loadSettingsWith(
    [ServeConfig, BusinessTimeConfig, PlaceOrderConfig, PostgresConfig, RedisConfig],
    { names: KIS_SETTING, read: readKisSettings },
    process.env,
  ),
)
const time = orExit(() =>
  businessTime(config, { system: systemClock, events: eventClock }, kis.settings.paperTrading),
)
const { name } = placeOrder
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

const handler = placeOrderHandler({
  gateway,
  orders: postgresOrderStore(database),
  clock: time.clock,
  stopwatch: systemStopwatch,
  approvalAgeMsMax: config.JTS_APPROVAL_AGE_MS_MAX,
})

// Without Redis the request quota is not known, and no order may be sent.
await serve(placeOrder, handler, {
  ...time,
  config,
  stopwatch: systemStopwatch,
  closes: [database, hotState, gateway],
  notReady: () => hotState.notReady(),
  log,
})
