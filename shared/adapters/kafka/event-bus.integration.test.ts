// The contract of the event bus on the broker that JTS_KAFKA_BROKERS names.
import { eventBusContract } from '#shared/ports/event-bus.contract.ts'
import type { DeadLetter } from '#shared/ports/event-bus.ts'
import { decodeDeadLetter } from './dead-letters.ts'
import { createTopics, freshSettings, openBus, readAll } from './kafka-bench.fixture.ts'
import { deadLetterTopic, wireTopic } from './topic-names.ts'

eventBusContract('kafkaBus', async () => {
  const settings = freshSettings()
  await createTopics(settings)
  return {
    bus: await openBus(settings),
    deadLetters: async (topic) => {
      const records = await readAll(settings, wireTopic(settings.JTS_KAFKA_PREFIX, deadLetterTopic(topic)))
      return records
        .map((record) => decodeDeadLetter(record, topic))
        .filter((letter): letter is DeadLetter => 'event' in letter)
    },
  }
})
