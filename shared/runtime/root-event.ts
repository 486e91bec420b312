// Events that nothing in JTS caused: a frame, a timer, a person. Connectors make them; handlers never do.
import type { DataOf, EventContract, EventOf } from '#shared/events/contract.ts'
import { type Instant, formatInstant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { contentIdentity, rootTrace } from './event-identity.ts'

export type RootEventOptions = RootEventIdentity &
  /** The event's time: an instant that was read already, or the clock to read it from. */
  ({ readonly now: Instant } | { readonly clock: Pick<Clock, 'now'> })

interface RootEventIdentity {
  /** Where one source event can be seen twice, an id made from it, so that the second is recognized. */
  readonly id: string
  /** URI-reference, `/jts/connectors/<name>` by convention. */
  readonly source: string
  /** Of the request that brought it. Default: a new trace made from the id. */
  readonly traceparent?: string
}

/** An id made of what was received: the same parts make the same id, in every process and at every time. */
export const contentId = (...parts: readonly string[]): string => contentIdentity(parts)

/** Finishes an event that begins a chain: it is its own cause. Does not validate `data`; the type has. */
export function finishRoot<Contract extends EventContract>(
  contract: Contract,
  data: DataOf<Contract>,
  options: RootEventOptions,
): EventOf<DataOf<Contract>> {
  const { id, source, traceparent } = options
  const now = 'now' in options ? options.now : options.clock.now()
  return {
    specversion: '1.0',
    id,
    source,
    type: contract.type,
    subject: contract.subject(data),
    time: formatInstant(now),
    datacontenttype: 'application/json',
    partitionkey: contract.key(data),
    correlationid: id,
    causationid: id,
    traceparent: traceparent ?? rootTrace(id),
    data,
  }
}
