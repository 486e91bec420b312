import { TOPICS, type Topic } from '#shared/events/contract.ts'
import type { BusTopic, DeadLetterTopic } from '#shared/ports/event-bus.ts'

export const ALL_TOPICS = Object.keys(TOPICS) as readonly Topic[]

export const deadLetterTopic = (topic: Topic): DeadLetterTopic => `${topic}.dead-letter`

/** What a topic is called on the brokers. */
export const wireTopic = (prefix: string, topic: BusTopic): string => `${prefix}${topic}`

/** `undefined` for a topic that is not ours, or a dead-letter topic. */
export function topicOfWire(prefix: string, wire: string): Topic | undefined {
  const name = wire.slice(prefix.length)
  return wire.startsWith(prefix) && Object.hasOwn(TOPICS, name) ? (name as Topic) : undefined
}
