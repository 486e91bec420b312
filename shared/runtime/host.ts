// Runs a handler on one event: find the contract, validate, deadline, call, validate and stamp the outputs, map errors.
//
// H1. The caller always gets an answer, by the deadline at the latest, even from a handler that ignores its signal.
// H2. Outputs are a function of the input event, the handler's answer and the clock, read once: a redelivery at the same
//     time makes the same bytes, at any time the same ids.
// H3. A handler that stored a receipt must return what the receipt holds. Anything else would emit one thing and
//     remember another.
// H4. One failure is one log line, and it is written here.
import { isDeepStrictEqual } from 'node:util'
import { type Instant, formatInstant } from '#shared/domain/time.ts'
import type { Event, EventContract, Output } from '#shared/events/contract.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { AlreadyHandledError, type Receipt } from '#shared/ports/receipt.ts'
import type { CloudEvent, Fault } from './cloudevents/cloud-event.ts'
import { acceptEvent } from './completion.ts'
import { type Deadline, type Deadlines, type Expirable, deadlinesOf } from './deadlines.ts'
import type { Delivery, Outcome } from './delivery.ts'
import type { FunctionDefinition, Handler, HandlerContext } from './function.ts'
import { type Log, traceFields } from './log.ts'
import { ContractError, outputEvent } from './output-event.ts'

export interface HostMetrics {
  /** One event came to its end. Called for every outcome but `ignored`. */
  handled(functionName: string, outcome: Outcome, elapsedMs: number): void
}

export interface HostDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Stopwatch
  readonly log: Log
  readonly metrics?: HostMetrics
}

export interface FunctionHost {
  readonly definition: FunctionDefinition
  /** Never rejects. When `signal` aborts, waiting ends with outcome `retry`. */
  handle(event: CloudEvent, signal?: AbortSignal): Promise<Delivery>
  /** The same for those who count microseconds: `done` is called once, and must not throw. */
  start(event: CloudEvent, done: (delivery: Delivery) => void, signal?: AbortSignal): void
  /** Ends the deadline timer. Call it when no event is in flight. */
  close(): void
}

class DeadlineError extends RetryableError {
  override name = 'DeadlineError'
}

export function hostFunction<Consumes extends EventContract, Produces extends EventContract>(
  definition: FunctionDefinition<Consumes, Produces>,
  handler: Handler<FunctionDefinition<Consumes, Produces>>,
  deps: HostDeps,
): FunctionHost {
  const contracts = new Map<string, EventContract>(
    definition.consumes.map((contract) => [contract.type, contract]),
  )
  const deadlines = deadlinesOf(definition.timeoutMs, deps.stopwatch)
  const log = deps.log.child({ function: definition.name })
  const timeText = lastText()
  const run = handler as unknown as Handler<FunctionDefinition>

  /** Everything up to the handler's answer happens in the caller's turn. */
  const start = (event: CloudEvent, done: (delivery: Delivery) => void, outer?: AbortSignal): void => {
    const contract = contracts.get(event.type)
    if (contract === undefined) return done(IGNORED)
    const startMs = deps.stopwatch.elapsedMs()
    const end = (delivery: Delivery): void => {
      deps.metrics?.handled(definition.name, delivery.outcome, deps.stopwatch.elapsedMs() - startMs)
      if (delivery.outcome !== 'done') logFailure(log, event, delivery)
      done(delivery)
    }
    let call: Call
    try {
      const accepted = acceptEvent(event, contract)
      if (accepted.event === undefined) return end(invalid(event, accepted.faults))
      if (outer?.aborted === true) return end(ENDING)
      call = new Call(definition, accepted.event, timeText(deps.clock.now()), end)
    } catch (error) {
      return end(deliveryOf(error))
    }
    call.watch(deadlines, startMs, outer)
    call.settleBy(run)
  }

  return {
    definition,
    start,
    handle: (event, signal) => new Promise((resolve) => start(event, resolve, signal)),
    close: () => deadlines.close(),
  }
}

const IGNORED: Delivery = { outcome: 'ignored' }
const ENDING: Delivery = { outcome: 'retry', reason: 'the process is ending' }

/** Writes instants; many events share a millisecond. */
function lastText(): (now: Instant) => string {
  let last: Instant | undefined
  let text = ''
  return (now) => {
    if (now !== last) text = formatInstant(now)
    last = now
    return text
  }
}

/**
 * The handler's view of one event, and what ends it (H1): the first of answer, deadline and `outer` decides. The losing
 * promise is left to end by itself; what it throws then concerns nobody. The signal is made only for those who ask.
 */
class Call implements HandlerContext, Expirable {
  readonly event: Event
  readonly #definition: FunctionDefinition
  /** H2: read once. */
  readonly #time: string
  readonly #end: (delivery: Delivery) => void
  #isOver = false
  #deadlines: Deadlines | undefined
  #deadline: Deadline | undefined
  #unwatch: (() => void) | undefined
  #controller: AbortController | undefined
  #abortReason: Error | undefined
  #receipt: readonly Event[] | undefined
  #lastOutputs: readonly Output[] | undefined
  #lastFinished: readonly Event[] = []

  constructor(definition: FunctionDefinition, event: Event, time: string, end: (delivery: Delivery) => void) {
    this.#definition = definition
    this.event = event
    this.#time = time
    this.#end = end
  }

  watch(deadlines: Deadlines, startMs: number, outer: AbortSignal | undefined): void {
    this.#deadlines = deadlines
    this.#deadline = deadlines.add(this, startMs)
    if (outer === undefined) return
    const onAbort = (): void => this.#giveUp(new RetryableError('the process is ending'))
    outer.addEventListener('abort', onAbort, { once: true })
    this.#unwatch = () => outer.removeEventListener('abort', onAbort)
  }

  settleBy(run: Handler<FunctionDefinition>): void {
    try {
      run(this.event, this).then(
        (outputs) => this.#answered(outputs),
        (error: unknown) => this.#settle(deliveryOf(error)),
      )
    } catch (error) {
      this.#settle(deliveryOf(error))
    }
  }

  expire(): void {
    this.#giveUp(new DeadlineError('not done by the deadline'))
  }

  #answered(outputs: readonly Output[]): void {
    if (this.#isOver) return
    let delivery: Delivery
    try {
      delivery = { outcome: 'done', outputs: this.#finished(outputs) }
    } catch (error) {
      delivery = deliveryOf(error)
    }
    this.#settle(delivery)
  }

  #settle(delivery: Delivery): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#deadline !== undefined) this.#deadlines?.remove(this.#deadline)
    this.#unwatch?.()
    this.#end(delivery)
  }

  #giveUp(reason: RetryableError): void {
    if (this.#isOver) return
    this.#abortReason = reason
    try {
      this.#controller?.abort(reason)
    } finally {
      this.#settle(deliveryOf(reason))
    }
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  // Arrow members: a handler may take `finish` and `receipt` off the context.
  readonly finish = (outputs: readonly Output[]): readonly Event[] => {
    if (outputs !== this.#lastOutputs) {
      this.#lastFinished = outputs.map((output, index) =>
        outputEvent(this.#definition, this.event, output, index, this.#time),
      )
      this.#lastOutputs = outputs
    }
    return this.#lastFinished
  }

  readonly receipt = (outputs: readonly Output[]): Receipt => {
    this.#receipt = this.finish(outputs)
    return { consumer: this.#definition.name, eventId: this.event.id, outputs: this.#receipt }
  }

  /** The outputs as events, held against the receipt (H3). */
  #finished(outputs: readonly Output[]): readonly Event[] {
    const finished = outputs.length === 0 ? [] : this.finish(outputs)
    if (
      this.#receipt !== undefined &&
      finished !== this.#receipt &&
      !isDeepStrictEqual(finished, this.#receipt)
    ) {
      throw new ContractError(`${this.#definition.name} returned other outputs than its receipt holds`)
    }
    return finished
  }
}

function deliveryOf(error: unknown): Delivery {
  if (error instanceof AlreadyHandledError) return { outcome: 'done', outputs: error.outputs }
  if (error instanceof RetryableError) return { outcome: 'retry', reason: reasonOf(error) }
  if (error instanceof PoisonError) return { outcome: 'poison', reason: reasonOf(error) }
  return { outcome: 'defect', error }
}

/** The message and those of its causes: what an operator needs, without the stack. */
function reasonOf(error: Error): string {
  const messages: string[] = []
  for (let at: unknown = error; at instanceof Error && messages.length < 5; at = at.cause)
    messages.push(at.message)
  return messages.join(': ')
}

const invalid = (event: CloudEvent, faults: readonly Fault[]): Delivery => ({
  outcome: 'poison',
  reason:
    `invalid ${event.type}: ${faults.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ')}`.slice(
      0,
      1000,
    ),
  faults,
})

function logFailure(log: Log, event: CloudEvent, delivery: Exclude<Delivery, { outcome: 'done' }>): void {
  const fields = { ...traceFields(event), outcome: delivery.outcome }
  switch (delivery.outcome) {
    case 'ignored':
      return
    case 'retry':
      log.warn({ ...fields, reason: delivery.reason }, 'event not handled yet')
      return
    case 'poison':
      log.error({ ...fields, reason: delivery.reason }, 'event can never be handled')
      return
    case 'defect':
      log.error({ ...fields, error: delivery.error }, 'handler is defective')
      return
  }
}
