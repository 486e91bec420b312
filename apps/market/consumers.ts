// Which functions consume what, for whoever must know that all of them have nothing left to do.
import { wireTopic } from '#shared/adapters/kafka/topic-names.ts'
import type { ConsumedTopics } from '#shared/adapters/kafka/caught-up.ts'
import { topicsOf } from '#shared/runtime/routing.ts'
import { DEFINITIONS } from '../definitions.ts'
import { TALLY } from '../embedded/tally.ts'

/** By consumer group, the market's own tally included; names as they stand on the brokers. */
export function consumedTopics(prefix: string): ConsumedTopics {
  const groups: [string, readonly string[]][] = DEFINITIONS.map((definition) => [
    definition.name,
    topicsOf(definition),
  ])
  return new Map(
    [...groups, [TALLY.group, TALLY.topics] as const].map(([group, topics]) => [
      prefix + group,
      topics.map((topic) => wireTopic(prefix, topic as Parameters<typeof wireTopic>[1])),
    ]),
  )
}
