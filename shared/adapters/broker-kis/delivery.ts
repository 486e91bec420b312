// Hands messages on in order, without waiting for each, and says when the source must pause.
import type { StreamMessage } from '#shared/ports/broker-stream.ts'
import { reasonOf } from './http.ts'

export interface DeliveryOptions {
  readonly onMessage: (message: StreamMessage) => Promise<void>
  /** Messages handed on and not yet settled, plus those that wait, before the source is asked to pause. */
  readonly backlogMax: number
  readonly onPause: () => void
  readonly onResume: () => void
  /** The consumer failed. Nothing more is handed on: a gap in the middle would be worse than an end. */
  readonly onFault: (reason: string) => void
}

export interface Delivery {
  push(message: StreamMessage): void
  /** Until then messages wait. */
  start(): void
  /** Messages that wait or are not yet settled. */
  backlog(): number
  /** Resolves when everything pushed so far has been handed on and has settled, or the consumer has failed. */
  drained(): Promise<void>
}

export function delivery(options: DeliveryOptions): Delivery {
  return new OrderedDelivery(options)
}

class OrderedDelivery implements Delivery {
  readonly #options: DeliveryOptions
  #waiting: StreamMessage[] = []
  /** Of `#waiting`, how many have been handed on. */
  #handed = 0
  #unsettled = 0
  #started = false
  #faulted = false
  #paused = false
  #onEmpty: (() => void)[] = []

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  push(message: StreamMessage): void {
    if (this.#faulted) return
    this.#waiting.push(message)
    if (this.#started) this.#handOn()
    if (!this.#paused && this.backlog() >= this.#options.backlogMax) {
      this.#paused = true
      this.#options.onPause()
    }
  }

  start(): void {
    this.#started = true
    this.#handOn()
  }

  backlog(): number {
    return this.#waiting.length - this.#handed + this.#unsettled
  }

  drained(): Promise<void> {
    if (this.backlog() === 0 || this.#faulted || !this.#started) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  #handOn(): void {
    while (this.#unsettled < this.#options.backlogMax && !this.#faulted) {
      const message = this.#waiting[this.#handed]
      if (message === undefined) break
      this.#handed += 1
      this.#unsettled += 1
      void this.#hand(message)
    }
    if (this.#handed === this.#waiting.length || this.#handed > this.#options.backlogMax) {
      this.#waiting = this.#waiting.slice(this.#handed)
      this.#handed = 0
    }
  }

  async #hand(message: StreamMessage): Promise<void> {
    try {
      await this.#options.onMessage(message)
    } catch (error) {
      this.#fail(error)
    }
    this.#unsettled -= 1
    this.#handOn()
    if (this.#paused && this.backlog() <= this.#options.backlogMax / 2) {
      this.#paused = false
      this.#options.onResume()
    }
    if (this.backlog() > 0 && !this.#faulted) return
    const told = this.#onEmpty
    this.#onEmpty = []
    for (const tell of told) tell()
  }

  #fail(cause: unknown): void {
    if (this.#faulted) return
    this.#faulted = true
    this.#waiting = []
    this.#handed = 0
    this.#options.onFault(`a message could not be handed on: ${reasonOf(cause)}`)
  }
}
