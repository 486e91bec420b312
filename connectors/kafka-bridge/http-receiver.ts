// A function behind HTTP as the receiver of a consumer group.
//
// R1. One request at a time for a partition: what is sent next was not sent before the answer.
// R2. A request goes to the instance of its partition, and to the next one when that is away.
// R3. A request that ended because the partition is leaving says nothing of its events.
import type { Event } from '#shared/events/contract.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { BusBatch } from '#shared/ports/event-bus.ts'
import { BATCH_TYPE } from '#shared/runtime/cloudevents/http-encode.ts'
import type { Handled, Receiver } from '#shared/runtime/receiver.ts'
import { topicsOf } from '#shared/runtime/routing.ts'
import { ALL_TYPES, type Emits, type Verdict, verdictOf } from './answer.ts'
import type { HttpClient } from './http-client.ts'
import type { Instances } from './instances.ts'
import { Portions } from './portions.ts'
import { type Parcel, parcelOf } from './request.ts'
import { type Slots, slots } from './slots.ts'
import type { Target } from './target.ts'

export interface RequestMetrics {
  inFlight(functionName: string, change: 1 | -1): void
  /** A request ended: with so many events done, after so long. */
  answered(functionName: string, kind: Verdict['kind'], done: number, elapsedMs: number): void
}

export interface HttpReceiverOptions {
  readonly client: HttpClient
  readonly instances: Instances
  readonly stopwatch: Stopwatch
  readonly metrics: RequestMetrics
  /** Of a request's body. */
  readonly bytesMax: number
  /** Requests to this function at once. */
  readonly inFlightMax: number
  /** What an answer may take on top of the function's own deadline, milliseconds. */
  readonly marginMs: number
  /** What a request may still take when its partition is leaving, milliseconds. */
  readonly leaveMs: number
}

const NOTHING: readonly Event[] = []
const HEADERS = { accept: BATCH_TYPE, 'user-agent': 'jts-kafka-bridge' }

export class HttpReceiver implements Receiver {
  readonly name: string
  readonly topics: Receiver['topics']
  readonly #target: Target
  readonly #options: HttpReceiverOptions
  readonly #consumed: ReadonlySet<string>
  readonly #emits: Emits
  readonly #portions: Portions
  readonly #slots: Slots

  constructor(target: Target, options: HttpReceiverOptions) {
    this.name = target.name
    this.topics = topicsOf(target)
    this.#target = target
    this.#options = options
    this.#consumed = new Set(target.consumes.map(({ type }) => type))
    this.#emits = target.produces === undefined ? ALL_TYPES : new Set(target.produces.map(({ type }) => type))
    this.#portions = new Portions({ events: target.batchMax, bytes: options.bytesMax })
    this.#slots = slots(options.inFlightMax)
  }

  async handle(batch: BusBatch, at: number): Promise<Handled> {
    const partition = `${batch.topic}/${batch.partition}`
    const parcel = parcelOf(batch.records, at, this.#consumed, this.#portions.of(partition))
    if (parcel.events.length === 0) return { count: parcel.through, outputs: NOTHING }
    const verdict = await this.#verdictOn(parcel, batch)
    if (verdict.kind === 'handled') {
      if (verdict.failure === undefined) this.#portions.went(partition)
      else if (verdict.failure.outcome === 'retry') this.#portions.failed(partition)
      return handledOf(verdict, parcel)
    }
    if (batch.signal.aborted) return blameless('the partition is leaving')
    if (verdict.kind === 'away') return blameless(verdict.reason, verdict.afterMs)
    const sent = parcel.events.length
    this.#portions.failed(partition)
    if (sent > 1) this.#portions.tooMuch(sent, parcel.message.body.length, verdict.why)
    return sent === 1
      ? { count: 0, outputs: NOTHING, failure: verdict.failure }
      : blameless(`${sent} events together: ${reasonOf(verdict.failure)}`)
  }

  async #verdictOn(parcel: Parcel, batch: BusBatch): Promise<Verdict> {
    try {
      return await this.#slots.run(() => this.#ask(parcel, batch), batch.signal)
    } catch (error) {
      if (batch.signal.aborted) return { kind: 'away', reason: 'the partition is leaving' }
      throw error
    }
  }

  /** R2. */
  async #ask(parcel: Parcel, batch: BusBatch): Promise<Verdict> {
    const { instances } = this.#options
    let verdict: Verdict = { kind: 'away', reason: 'it has no instances' }
    for (const place of instances.forPartition(batch.partition)) {
      verdict = await this.#askOne(place, parcel, batch)
      if (verdict.kind !== 'away') {
        instances.works(place)
        return verdict
      }
      instances.rests(place, verdict.afterMs)
      if (batch.signal.aborted) return verdict
    }
    return verdict
  }

  async #askOne(
    place: Parameters<HttpClient['send']>[0],
    { message, events }: Parcel,
    { signal }: BusBatch,
  ): Promise<Verdict> {
    const { client, stopwatch, metrics, leaveMs } = this.#options
    const startMs = stopwatch.elapsedMs()
    metrics.inFlight(this.name, 1)
    const reply = await client.send(place, {
      method: 'POST',
      headers: { ...HEADERS, ...message.headers },
      body: message.body,
      timeoutMs: this.#timeoutMs(events.length),
      signal,
      leaveMs,
    })
    metrics.inFlight(this.name, -1)
    const verdict = verdictOf(reply, events.length, this.#emits)
    const done = verdict.kind === 'handled' ? verdict.done : 0
    metrics.answered(this.name, verdict.kind, done, stopwatch.elapsedMs() - startMs)
    return verdict
  }

  /** A batch stops between two events after the deadline of one (event-endpoint.ts, E2), so two are the most it takes. */
  #timeoutMs(events: number): number {
    const { timeoutMs } = this.#target
    return (events > 1 ? 2 * timeoutMs : timeoutMs) + this.#options.marginMs
  }
}

function handledOf(
  { done, outputs, failure }: Extract<Verdict, { kind: 'handled' }>,
  parcel: Parcel,
): Handled {
  const count = parcel.places[done] ?? parcel.through
  return failure === undefined ? { count, outputs } : { count, outputs, failure }
}

const blameless = (reason: string, afterMs = 0): Handled => ({
  count: 0,
  outputs: NOTHING,
  failure: { outcome: 'retry', reason, isBlameless: true, afterMs },
})

const reasonOf = (failure: Handled['failure']): string =>
  failure === undefined || failure.outcome === 'defect' ? 'a defect' : failure.reason
