// Where a function puts what it emits: into its answer, or onto the topics. On Knative an answer holds one event at most, so
// there a function is told of Kafka (docs/decisions/0010-knative-answers.md).
import * as z from 'zod'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { EventBus } from '#shared/ports/event-bus.ts'
import type { KafkaLog } from './client.ts'
import { KAFKA_CONNECTION, loginRules } from './config.ts'

export const KafkaOutputsConfig = z
  .object({
    ...KAFKA_CONNECTION.shape,
    JTS_KAFKA_BROKERS: KAFKA_CONNECTION.shape.JTS_KAFKA_BROKERS.optional(),
  })
  .superRefine(loginRules)
export type KafkaOutputsSettings = z.output<typeof KafkaOutputsConfig>

/** The bus to publish to; `undefined` where no brokers are set. @throws KafkaSetupError, RetryableError as `kafkaBus` does. */
export async function outputsBus(
  settings: KafkaOutputsSettings,
  { stopwatch, log }: { readonly stopwatch: Stopwatch; readonly log: KafkaLog },
): Promise<EventBus | undefined> {
  const { JTS_KAFKA_BROKERS: brokers, ...connection } = settings
  if (brokers === undefined) return undefined
  // Loaded by those who need it only: others are woken by a request that waits for them.
  const { kafkaBus } = await import('./event-bus.ts')
  return kafkaBus({ settings: { ...connection, JTS_KAFKA_BROKERS: brokers }, stopwatch, log })
}
