// Which functions an event wakes. `consumes` in function.ts is the only place where a subscription is written.
import type { Topic } from '#shared/events/contract.ts'
import type { FunctionDefinition } from './function.ts'

type Routed = Pick<FunctionDefinition, 'name' | 'consumes'>

/** Functions that consume this type, in the order given. A type nobody knows wakes nobody. */
export const functionsFor = <Definition extends Routed>(
  event: { readonly type: string },
  definitions: readonly Definition[],
): readonly Definition[] =>
  definitions.filter(({ consumes }) => consumes.some((contract) => contract.type === event.type))

/** The topics of everything that a function consumes, sorted, each once. */
export const topicsOf = ({ consumes }: Pick<Routed, 'consumes'>): readonly Topic[] =>
  [...new Set(consumes.map((contract) => contract.topic))].toSorted()
