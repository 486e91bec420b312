// What each account holds and has working, as strategies see it: read from the ledger, kept by the account's events.
//
// V1. Events state results (a position, what is left of an order), never steps, and those of an account come in order:
//     one that a reading knew already is made good by the ones after it.
// V2. A copy is current when it was read from an active account, lately, while no event of the account arrived, and no
//     fill since then waits for its PositionChanged. Any other is read again before it is acted on.
// V3. A current copy may be behind by the time that an event takes to arrive. Then an order may be asked for that cannot
//     be had. It is not had: risk-check decides every order on the ledger's own version of the account.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import type { Side } from '#shared/domain/order.ts'
import { type DataOf, type Event, isOf } from '#shared/events/contract.ts'
import {
  OrderAmended,
  OrderApproved,
  OrderFilled,
  OrderPartiallyFilled,
  PositionChanged,
} from '#shared/events/orders.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { Ledger } from '#shared/ports/ledger.ts'

export interface HeldPosition {
  /** Signed. */
  readonly quantity: bigint
  /** For statistics; 0 when flat. */
  readonly averagePrice: number
}

export interface WorkingOrder {
  readonly clientOrderId: string
  readonly instrumentId: string
  readonly side: Side
  readonly remainingQuantity: bigint
}

/** Live: it goes on changing with the account's events. */
export interface HeldAccount {
  readonly currency: string
  readonly positions: ReadonlyMap<string, HeldPosition>
  readonly working: ReadonlyMap<string, WorkingOrder>
}

export interface Accounts {
  positionOf(accountId: string, instrumentId: string): HeldPosition
  /** Undefined unless the copy is current (V2). */
  current(accountId: string): HeldAccount | undefined
  /** Reads it anew; undefined for an account that is not open. */
  read(accountId: string): Promise<HeldAccount | undefined>
  /** Reads it in the background when that is due, so that a current copy is at hand when an order is wanted. */
  keep(accountId: string): void
  /** Takes what an event of the account says of it. */
  note(event: Event): void
}

export interface AccountsDeps {
  readonly ledger: Pick<Ledger, 'snapshot'>
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Pick<Stopwatch, 'elapsedMs'>
  /** Process time that a copy serves after it was read. 0: read before every order. */
  readonly ageMsMax: number
}

const FLAT: HeldPosition = { quantity: 0n, averagePrice: 0 }
const PRICE_SCALE = 10_000
/** Readings in a row that events may disturb; after that the last one is used, and doubted. */
const READS_MAX = 3
/** Part of `ageMsMax` after which a copy is renewed in the background. */
const RENEWAL = 1 / 3

class Account implements HeldAccount {
  currency = ''
  readonly positions = new Map<string, HeldPosition>()
  readonly working = new Map<string, WorkingOrder>()
  /** Instruments with a fill whose PositionChanged has not come. */
  readonly filling = new Set<string>()
  /** Events so far. */
  changes = 0
  /** When the copy was read that is good; -Infinity while there is none. */
  readMs = Number.NEGATIVE_INFINITY
  reading: Promise<HeldAccount | undefined> | undefined

  adopt({ currency, positions, reservations }: AccountSnapshot): void {
    this.currency = currency
    this.positions.clear()
    for (const { instrumentId, quantity, openNotional } of positions) {
      const averagePrice = quantity === 0n ? 0 : Number(openNotional) / Number(quantity) / PRICE_SCALE
      this.positions.set(instrumentId, { quantity, averagePrice })
    }
    this.working.clear()
    for (const order of reservations) this.working.set(order.clientOrderId, order)
    this.filling.clear()
  }

  note(event: Event): void {
    this.changes += 1
    if (isOf(PositionChanged, event)) {
      const { instrumentId, quantity, averagePrice } = event.data
      this.positions.set(instrumentId, { quantity: BigInt(quantity), averagePrice: Number(averagePrice) })
      this.filling.delete(instrumentId)
    } else if (isOf(OrderApproved, event)) {
      this.working.set(event.data.clientOrderId, workingOf(event.data))
    } else if (isOf(OrderAmended, event)) {
      this.readMs = Number.NEGATIVE_INFINITY
    } else {
      const { clientOrderId } = event.data as { readonly clientOrderId: string }
      if (isOf(OrderPartiallyFilled, event)) this.#shrink(clientOrderId, event.data.remainingQuantity)
      else this.working.delete(clientOrderId)
      if (isOf(OrderPartiallyFilled, event) || isOf(OrderFilled, event))
        this.filling.add(event.data.instrumentId)
    }
  }

  #shrink(clientOrderId: string, remaining: string): void {
    const order = this.working.get(clientOrderId)
    if (order !== undefined)
      this.working.set(clientOrderId, { ...order, remainingQuantity: BigInt(remaining) })
  }
}

const workingOf = (data: DataOf<typeof OrderApproved>): WorkingOrder => ({
  clientOrderId: data.clientOrderId,
  instrumentId: data.instrumentId,
  side: data.side,
  remainingQuantity: BigInt(data.quantity),
})

export function heldAccounts({ ledger, clock, stopwatch, ageMsMax }: AccountsDeps): Accounts {
  const accounts = new Map<string, Account>()
  const accountOf = (accountId: string): Account => {
    const account = accounts.get(accountId) ?? new Account()
    accounts.set(accountId, account)
    return account
  }

  const readOnce = async (accountId: string): Promise<HeldAccount | undefined> => {
    const account = accountOf(accountId)
    for (let reads = 1; ; reads += 1) {
      const { changes } = account
      const startedMs = stopwatch.elapsedMs()
      const snapshot = await ledger.snapshot(accountId, clock.now())
      const isWhole = account.changes === changes
      if (!isWhole && reads < READS_MAX) continue
      account.readMs = Number.NEGATIVE_INFINITY
      if (snapshot === undefined) return undefined
      account.adopt(snapshot)
      if (isWhole && snapshot.tradingState === 'active') account.readMs = startedMs
      return account
    }
  }

  const read = (accountId: string): Promise<HeldAccount | undefined> => {
    const account = accountOf(accountId)
    account.reading ??= readOnce(accountId).finally(() => {
      account.reading = undefined
    })
    return account.reading
  }

  return {
    read,
    positionOf: (accountId, instrumentId) => accounts.get(accountId)?.positions.get(instrumentId) ?? FLAT,
    current(accountId) {
      const account = accounts.get(accountId)
      if (account === undefined || account.filling.size > 0) return undefined
      return stopwatch.elapsedMs() - account.readMs < ageMsMax ? account : undefined
    },
    keep(accountId) {
      const account = accounts.get(accountId)
      if (ageMsMax === 0 || account === undefined || account.reading !== undefined) return
      if (stopwatch.elapsedMs() - account.readMs < ageMsMax * RENEWAL) return
      // What fails here fails again, and is told, when an order is wanted.
      void read(accountId).catch(() => undefined)
    },
    note(event) {
      const { accountId } = event.data as { readonly accountId: string }
      accountOf(accountId).note(event)
    },
  }
}
