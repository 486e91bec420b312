// How much is sent to a function at once.
//
// P1. After a failure a partition sends one event, then twice as many each time all goes well. So an event that breaks a
//     function is soon alone, and is judged by what it does alone.
// P2. What a function proves unable to take (bytes, number, batches at all) is not sent to it again while it is open.
import type { Portion } from './request.ts'
import type { Unclear } from './answer.ts'

export class Portions {
  #max: Portion
  /** Partitions that failed and have not yet grown back. */
  readonly #reduced = new Map<string, number>()

  constructor(max: Portion) {
    this.#max = max
  }

  of(partition: string): Portion {
    const events = this.#reduced.get(partition)
    return events === undefined ? this.#max : { ...this.#max, events }
  }

  went(partition: string): void {
    const events = this.#reduced.get(partition)
    if (events === undefined) return
    if (events * 2 >= this.#max.events) this.#reduced.delete(partition)
    else this.#reduced.set(partition, events * 2)
  }

  failed(partition: string): void {
    if (this.#max.events > 1) this.#reduced.set(partition, 1)
  }

  /** P2. Several events, of so many bytes, could not be taken together. */
  tooMuch(sent: number, bytes: number, why: Unclear): void {
    if (why === 'large') this.#max = { ...this.#max, bytes: Math.ceil(bytes / 2) }
    if (why === 'slow') this.#max = { ...this.#max, events: Math.ceil(sent / 2) }
    if (why === 'single') this.#max = { ...this.#max, events: 1 }
  }
}
