// The broker behind both doors: exchange, tape and journal as one. Every change goes through here, and is on disk before
// anybody hears of it (journal J1).
import type { Instant } from '#shared/domain/time.ts'
import type { Money, Price, Quantity, Ratio } from '#shared/domain/values.ts'
import { formatMoney } from '#shared/domain/values.ts'
import {
  type ChangeTarget,
  type Entry,
  Exchange,
  type NewOrder,
  type Step,
} from '#shared/simulation/exchange.ts'
import type { MarketEvent } from '#shared/simulation/market-event.ts'
import type { VenueNotice } from '#shared/simulation/venue-order.ts'
import { type Journal, noJournal, openJournal } from './journal.ts'
import type { MarketSource } from './market/source.ts'
import { Tape, type TapePosition } from './tape.ts'

export interface BrokerOptions {
  readonly accounts: readonly { readonly accountNumber: string; readonly cash: Money }[]
  readonly feeRatio: Ratio
  readonly venueRejects: boolean
  readonly source: MarketSource
  readonly statePath?: string
  /** Process time. */
  readonly elapsedMs: () => number
}

export interface BrokerReport {
  /** New orders; amends and cancels are not counted. */
  readonly brokerOrders: number
  readonly brokerFills: number
  /** Decimal strings. A position that was sold is not listed. */
  readonly accounts: readonly {
    readonly accountNumber: string
    readonly cash: string
    readonly positions: readonly {
      readonly symbol: string
      readonly quantity: string
      readonly notional: string
    }[]
  }[]
  readonly tape: { readonly events: number; readonly position: TapePosition }
}

export class Broker {
  readonly exchange: Exchange
  readonly tape: Tape
  readonly feeRatio: Ratio
  readonly #journal: Journal
  readonly #elapsedMs: () => number
  /** Process time at which an order of this process was entered. */
  readonly #enteredMs = new Map<number, number>()
  /** Grows with every change to the ledger. */
  #version = 0

  constructor(options: BrokerOptions) {
    this.feeRatio = options.feeRatio
    this.#elapsedMs = options.elapsedMs
    this.exchange = new Exchange(options)
    this.tape = new Tape(options.source)
    this.#journal = options.statePath === undefined ? noJournal : openJournal(options.statePath)
    const { remembered } = this.#journal
    if (remembered !== undefined) {
      this.exchange.remember(remembered.exchange)
      if (this.tape.restore(remembered.tape, (event) => this.exchange.replay(event))) this.exchange.resume()
    }
    // The day is open before the tape runs: a client that connects early finds its instruments.
    if (this.tape.peek()?.kind === 'sessionOpened') this.#happen()
    this.#rewrite()
  }

  version = (): number => this.#version

  /** Why the broker is closed for good: what happens can be remembered no more. Resolves then, and never otherwise. */
  failed = (): Promise<Error> => this.#journal.failed

  /** @throws JournalError once `failed`. */
  check(): void {
    this.#journal.check()
  }

  /** `undefined` for orders of an earlier process. */
  enteredMs = (orderNumber: number): number | undefined => this.#enteredMs.get(orderNumber)

  /** Business time: the last event's. */
  now = (): Instant => this.exchange.venue.now

  /** The next market event happens. `undefined` at the end of the tape. */
  advance(): { readonly event: MarketEvent; readonly notices: readonly VenueNotice[] } | undefined {
    const { date } = this.tape.position()
    const happened = this.#happen()
    if (happened === undefined) return undefined
    const { event, step } = happened
    const position = this.tape.position()
    if (step.orders.length > 0) this.#version += 1
    if (position.date !== date) this.#rewrite()
    else this.#journal.append(step, position.index)
    return { event, notices: step.notices }
  }

  #happen(): { readonly event: MarketEvent; readonly step: Step } | undefined {
    const next = this.tape.peek()
    if (next === undefined) return undefined
    const step = this.exchange.apply(next)
    this.tape.take()
    return { event: next, step }
  }

  /** So that a restart goes on after what has happened, even where it changed no order. */
  markPosition(): void {
    const { index } = this.tape.position()
    if (index > 0) this.#journal.mark(index)
  }

  submit(order: NewOrder): Entry {
    return this.#keep(this.exchange.submit(order))
  }

  amend(target: ChangeTarget, to: { readonly quantity?: Quantity; readonly limitPrice: Price }): Entry {
    return this.#keep(this.exchange.amend(target, to))
  }

  cancel(target: ChangeTarget, quantity?: Quantity): Entry {
    return this.#keep(this.exchange.cancel(target, quantity))
  }

  report(): BrokerReport {
    let brokerOrders = 0
    let brokerFills = 0
    for (const order of this.exchange.record.orders()) {
      if (order.change === undefined) brokerOrders += 1
      brokerFills += order.fills
    }
    const accounts = [...this.exchange.record.accounts()].map(({ accountNumber, cash, holdings }) => ({
      accountNumber,
      cash: formatMoney(cash),
      positions: [...holdings.values()].flatMap(({ position }) => {
        const { instrumentId, quantity, openNotional } = position
        if (quantity === 0n) return []
        const symbol = instrumentId.slice(0, instrumentId.lastIndexOf('.'))
        return [{ symbol, quantity: quantity.toString(), notional: formatMoney(openNotional) }]
      }),
    }))
    const tape = { events: this.tape.played(), position: this.tape.position() }
    return { brokerOrders, brokerFills, accounts, tape }
  }

  close(): void {
    this.#journal.close()
  }

  #keep(entry: Entry): Entry {
    if (entry.outcome === 'taken') {
      this.#enteredMs.set(entry.order.orderNumber, this.#elapsedMs())
      this.#write(entry.step)
    }
    return entry
  }

  #write(step: Step): void {
    this.#version += 1
    this.#journal.append(step, this.tape.position().index)
  }

  #rewrite(): void {
    this.#journal.rewrite({ exchange: this.exchange.record.memory(), tape: this.tape.memory() })
  }
}
