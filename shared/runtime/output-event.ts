// From what a function says to the event that is published: identity, trace and attributes.
import type { Event, Output } from '#shared/events/contract.ts'
import type { CloudEvent } from './cloudevents/cloud-event.ts'
import { childTrace, outputIdentity } from './event-identity.ts'
import type { FunctionDefinition } from './function.ts'

/** A handler broke its promise: an output that it does not declare or that fails its schema. */
export class ContractError extends Error {
  override name = 'ContractError'
}

/**
 * Output number `index` of a function that was given `cause`, made at `time` (RFC 3339, UTC).
 * @throws ContractError
 */
export function outputEvent(
  { name, produces }: Pick<FunctionDefinition, 'name' | 'produces'>,
  cause: Event,
  { contract, data }: Output,
  index: number,
  time: string,
): Event {
  if (!produces.includes(contract)) throw new ContractError(`${name} does not declare ${contract.type}`)
  const parsed = contract.parse(data)
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('/')}: ${issue.message}`).join('; ')
    throw new ContractError(`${name} emitted a bad ${contract.name}: ${issues}`)
  }
  const { id, spanId } = outputIdentity(cause.id, name, index)
  const traceState = (cause as CloudEvent).tracestate
  return {
    specversion: '1.0',
    id,
    source: `/jts/functions/${name}`,
    type: contract.type,
    subject: contract.subject(parsed.data),
    time,
    datacontenttype: 'application/json',
    partitionkey: contract.key(parsed.data),
    correlationid: cause.correlationid,
    causationid: cause.id,
    traceparent: childTrace(cause.traceparent, cause.correlationid, spanId),
    ...(traceState === undefined ? {} : { tracestate: traceState }),
    data: parsed.data,
  }
}
