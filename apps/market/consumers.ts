// Which functions consume what, for whoever must know that they have nothing left to do.
import type { ConsumedTopics } from '#shared/adapters/kafka/caught-up.ts'
import { wireTopic } from '#shared/adapters/kafka/topic-names.ts'
import type { Topic } from '#shared/events/contract.ts'
import type { FunctionDefinition } from '#shared/runtime/function.ts'
import { topicsOf } from '#shared/runtime/routing.ts'
import { DEFINITIONS } from '../definitions.ts'
import { TALLY } from '../embedded/tally.ts'

type Flow = Pick<FunctionDefinition, 'name' | 'consumes' | 'produces'>

/** Those that only look on: what they emit wakes nobody, or only others that look on. */
export function observersAmong(definitions: readonly Flow[]): ReadonlySet<string> {
  const observers = new Set<string>()
  const wakes = ({ produces }: Flow, { name, consumes }: Flow): boolean =>
    !observers.has(name) && consumes.some((contract) => produces.includes(contract))
  for (let before = -1; before < observers.size;) {
    before = observers.size
    for (const each of definitions)
      if (!definitions.some((other) => wakes(each, other))) observers.add(each.name)
  }
  return observers
}

const onTheBrokers = (
  prefix: string,
  groups: readonly (readonly [group: string, topics: readonly Topic[]])[],
): ConsumedTopics =>
  new Map(groups.map(([group, topics]) => [prefix + group, topics.map((topic) => wireTopic(prefix, topic))]))

/** By consumer group, of all functions whose outputs may lead to an order. */
export function tradingTopics(prefix: string): ConsumedTopics {
  const observers = observersAmong(DEFINITIONS)
  const trading = DEFINITIONS.filter(({ name }) => !observers.has(name))
  return onTheBrokers(
    prefix,
    trading.map((definition) => [definition.name, topicsOf(definition)]),
  )
}

/** By consumer group, of all functions and of the market's own tally. */
export const allTopics = (prefix: string): ConsumedTopics =>
  onTheBrokers(prefix, [
    ...DEFINITIONS.map((definition) => [definition.name, topicsOf(definition)] as const),
    [TALLY.group, TALLY.topics],
  ])
