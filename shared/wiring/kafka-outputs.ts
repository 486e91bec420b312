// For main.ts: where what a function emits goes.
import { type KafkaOutputsSettings, outputsBus } from '#shared/adapters/kafka/outputs.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import { openOrExit } from '#shared/runtime/connections.ts'
import type { Log } from '#shared/runtime/log.ts'

/** `undefined` without brokers: outputs are then the answer. */
export const openOutputs = (settings: KafkaOutputsSettings, log: Log): Promise<EventBus | undefined> =>
  openOrExit('JTS_KAFKA_BROKERS', () => outputsBus(settings, { stopwatch: systemStopwatch, log }), log)
