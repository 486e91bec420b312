// What a function is: a name, what wakes it, what it may emit, and how long it may take.
import type { DataOf, Event, EventContract, EventOf, Output } from '#shared/events/contract.ts'
import type { Receipt } from '#shared/ports/receipt.ts'

export interface FunctionDefinition<
  Consumes extends EventContract = EventContract,
  Produces extends EventContract = EventContract,
> {
  /** Verb-noun; also the consumer group. */
  readonly name: string
  readonly summary: string
  readonly consumes: readonly Consumes[]
  readonly produces: readonly Produces[]
  /** Deadline of one event. */
  readonly timeoutMs: number
  readonly scale: { readonly min: number; readonly max: number }
}

export const defineFunction = <const Consumes extends EventContract, const Produces extends EventContract>(
  definition: FunctionDefinition<Consumes, Produces>,
): FunctionDefinition<Consumes, Produces> => definition

type ConsumedEvent<Contract> = Contract extends EventContract ? EventOf<DataOf<Contract>> : never
type ProducedOutput<Contract> = Contract extends EventContract ? Output<Contract> : never

/** The event as validated by the host. Narrow it with `isOf`. */
export type EventFor<Definition> =
  Definition extends FunctionDefinition<infer Consumes> ? ConsumedEvent<Consumes> : never
export type OutputOf<Definition> =
  Definition extends FunctionDefinition<EventContract, infer Produces> ? ProducedOutput<Produces> : never

export interface HandlerContext<Definition = FunctionDefinition> {
  /** Aborts at the deadline, or when the process must end at once. */
  readonly signal: AbortSignal
  /** Makes finished events of outputs: ids from the input's id, this function's name and the index. */
  finish(outputs: readonly OutputOf<Definition>[]): readonly Event[]
  /** The receipt to store with a state change. A handler that stores one must return exactly these outputs. */
  receipt(outputs: readonly OutputOf<Definition>[]): Receipt
}

/**
 * Says what happened. Never publishes.
 * @throws RetryableError to have the event again, PoisonError when it can never be handled; anything else is a defect.
 */
export type Handler<Definition> = (
  event: EventFor<Definition>,
  context: HandlerContext<Definition>,
) => Promise<readonly OutputOf<Definition>[]>
