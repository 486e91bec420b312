import { KIS_SETTING, readKisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { KafkaOutputsConfig } from '#shared/adapters/kafka/outputs.ts'
import { PostgresConfig } from '#shared/adapters/postgres/config.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { RedisConfig } from '#shared/adapters/redis/config.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { BusinessTimeConfig } from '#shared/runtime/business-time.ts'
import { loadSettingsWith, orExit } from '#shared/runtime/config.ts'
import { createLog } from '#shared/runtime/log.ts'
import { ServeConfig, serve } from '#shared/runtime/serve.ts'
import { businessClock } from '#shared/wiring/business-clock.ts'
import { openOutputs } from '#shared/wiring/kafka-outputs.ts'
import { connectBroker } from '#shared/wiring/kis.ts'
import { openDatabase } from '#shared/wiring/postgres.ts'
import { connectHotState } from '#shared/wiring/redis.ts'
import { PlaceOrderConfig } from './config.ts'
import { placeOrder } from './function.ts'
import { placeOrderHandler } from './handler.ts'

const [config, kis] = orExit(() =>
  loadSettingsWith(
    [ServeConfig, BusinessTimeConfig, PlaceOrderConfig, PostgresConfig, RedisConfig, KafkaOutputsConfig],
    { names: KIS_SETTING, read: readKisSettings },
    process.env,
  ),
)
const time = businessClock(config, kis.settings.paperTrading)
const { name } = placeOrder
const log = createLog(name, config.LOG_LEVEL)
const database = await openDatabase(config, { name, log })
const hotState = connectHotState(config, { name, log })
const bus = await openOutputs(config, log)
const gateway = connectBroker(kis, { clock: time.clock, hotState })

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
  bus,
  stopwatch: systemStopwatch,
  closes: [database, hotState, gateway],
  notReady: () => hotState.notReady(),
  log,
})
