// For main.ts: the bus on Kafka as the settings name it.
import type { KafkaSettings } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import type { Log } from '#shared/runtime/log.ts'

export const openBus = (settings: KafkaSettings, log: Log): Promise<EventBus> =>
  openOrExit('JTS_KAFKA_BROKERS', () => kafkaBus({ settings, stopwatch: systemStopwatch, log }), log)
