// What a broker remembers: rows and accounts, and which of them the step that is being made has changed.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { reservedCashOf } from '#shared/domain/reservation.ts'
import type { Instant } from '#shared/domain/time.ts'
import {
  type Money,
  type Price,
  type Quantity,
  type Ratio,
  ZERO_MONEY,
  ZERO_QUANTITY,
  addMoney,
  subtractMoney,
  subtractQuantity,
} from '#shared/domain/values.ts'
import { type BrokerAccount, heldQuantity, openAccount } from './broker-account.ts'
import type { VenueNotice, VenueOrder } from './venue-order.ts'

/** Rows as they are after the step. Empty lists where nothing changed. */
export interface Step {
  readonly orders: readonly VenueOrder[]
  readonly accounts: readonly BrokerAccount[]
  readonly notices: readonly VenueNotice[]
}

/** What a restart needs besides the market. */
export interface ExchangeMemory {
  readonly lastOrderNumber: number
  readonly orders: readonly VenueOrder[]
  readonly accounts: readonly BrokerAccount[]
}

const NOTHING: Step = { orders: [], accounts: [], notices: [] }

export class ExchangeRecord {
  readonly #feeRatio: Ratio
  readonly #accounts = new Map<string, BrokerAccount>()
  readonly #orders = new Map<number, VenueOrder>()
  /** Numbers of orders with something remaining, by account. */
  readonly #working = new Map<string, Set<number>>()
  #lastOrderNumber = 0
  #touched = new Map<number, VenueOrder>()
  #touchedAccounts = new Set<string>()
  #notices: VenueNotice[] = []

  constructor(accounts: readonly { accountNumber: string; cash: Money }[], feeRatio: Ratio) {
    this.#feeRatio = feeRatio
    for (const { accountNumber, cash } of accounts) {
      this.#accounts.set(accountNumber, openAccount(accountNumber, cash))
      this.#working.set(accountNumber, new Set())
    }
  }

  account = (accountNumber: string): BrokerAccount | undefined => this.#accounts.get(accountNumber)
  accounts = (): Iterable<BrokerAccount> => this.#accounts.values()
  order = (orderNumber: number): VenueOrder | undefined => this.#orders.get(orderNumber)
  orders = (): Iterable<VenueOrder> => this.#orders.values()

  memory(): ExchangeMemory {
    return {
      lastOrderNumber: this.#lastOrderNumber,
      orders: [...this.#orders.values()],
      accounts: [...this.#accounts.values()],
    }
  }

  /** Accounts that this broker does not have are ignored. */
  remember(memory: ExchangeMemory): void {
    this.#lastOrderNumber = memory.lastOrderNumber
    for (const order of memory.orders) {
      if (!this.#accounts.has(order.accountNumber)) continue
      this.put(order)
    }
    for (const account of memory.accounts) {
      if (this.#accounts.has(account.accountNumber)) this.#accounts.set(account.accountNumber, account)
    }
    this.finish()
  }

  nextNumber(): number {
    this.#lastOrderNumber += 1
    return this.#lastOrderNumber
  }

  put(order: VenueOrder): VenueOrder {
    this.#orders.set(order.orderNumber, order)
    this.#touched.set(order.orderNumber, order)
    const working = this.#working.get(order.accountNumber)
    if (order.remaining === 0n) working?.delete(order.orderNumber)
    else working?.add(order.orderNumber)
    return order
  }

  putAccount(account: BrokerAccount): void {
    this.#accounts.set(account.accountNumber, account)
    this.#touchedAccounts.add(account.accountNumber)
  }

  say(kind: VenueNotice['kind'], order: VenueOrder, at: Instant, quantity: Quantity, price?: Price): void {
    this.#notices.push({ kind, order, at, quantity, ...(price === undefined ? {} : { price }) })
  }

  /** Copies, so that the caller may change rows on the way. */
  allWorking(): VenueOrder[] {
    return [...this.#working.keys()].flatMap((accountNumber) => [...this.#workingOf(accountNumber)])
  }

  reserveFor(order: Pick<VenueOrder, 'side'>, price: Price, quantity: Quantity): Money {
    return reservedCashOf(order, price, quantity, this.#feeRatio)
  }

  /** Cash that working buys do not hold. */
  freeCash(accountNumber: string): Money {
    let free = this.#accounts.get(accountNumber)?.cash ?? ZERO_MONEY
    for (const order of this.#workingOf(accountNumber)) {
      free = subtractMoney(free, this.reserveFor(order, order.reservedPrice, order.remaining))
    }
    return free
  }

  /** Holding that working sells do not hold. */
  freeQuantity(accountNumber: string, instrumentId: InstrumentId): Quantity {
    const account = this.#accounts.get(accountNumber)
    if (account === undefined) return ZERO_QUANTITY
    let free = heldQuantity(account, instrumentId)
    for (const order of this.#workingOf(accountNumber)) {
      if (order.side === 'sell' && order.instrumentId === instrumentId) {
        free = subtractQuantity(free, order.remaining)
      }
    }
    return free
  }

  /** Ends the step and says what it changed. */
  finish(): Step {
    if (this.#touched.size === 0 && this.#touchedAccounts.size === 0) return NOTHING
    const accounts = [...this.#touchedAccounts].flatMap((number) => this.#accounts.get(number) ?? [])
    const step = { orders: [...this.#touched.values()], accounts, notices: this.#notices }
    this.#touched = new Map()
    this.#touchedAccounts = new Set()
    this.#notices = []
    return step
  }

  *#workingOf(accountNumber: string): Generator<VenueOrder> {
    for (const orderNumber of this.#working.get(accountNumber) ?? []) {
      const order = this.#orders.get(orderNumber)
      if (order !== undefined) yield order
    }
  }
}

/** A row that has not traded yet. */
export const untraded = {
  filled: ZERO_QUANTITY,
  fills: 0,
  filledNotional: ZERO_MONEY,
  earlierNotional: ZERO_MONEY,
  canceled: ZERO_QUANTITY,
  rejected: ZERO_QUANTITY,
  expired: ZERO_QUANTITY,
  moved: ZERO_QUANTITY,
  queueAhead: ZERO_QUANTITY,
} as const

export const tradedNotional = (order: VenueOrder): Money =>
  addMoney(order.earlierNotional, order.filledNotional)
