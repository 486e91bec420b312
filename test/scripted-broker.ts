// The far side of the wire for tests of the order path: takes orders, has lists, and answers as the test says.
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { formatInstant, kstDate } from '#shared/domain/time.ts'
import {
  type Price,
  ZERO_MONEY,
  ZERO_QUANTITY,
  addMoney,
  addQuantity,
  formatPrice,
  money,
  notionalOf,
  price,
  quantity,
  subtractQuantity,
} from '#shared/domain/values.ts'
import type { DataOf } from '#shared/events/contract.ts'
import { ExecutionReported } from '#shared/events/executions.ts'
import type {
  BrokerBalance,
  BrokerGateway,
  BrokerOrder,
  Quote,
  SendResult,
} from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { contentId, finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT } from './build.ts'

/**
 * What happens to the next send. `take`: taken and acknowledged. `takeSilently`: taken, no answer comes. `lose`: it never
 * arrives, no answer comes.
 */
export type Script =
  | 'take'
  | 'takeSilently'
  | 'lose'
  | SendResult
  | ((order: ApprovedOrder, take: () => BrokerOrder) => Promise<SendResult>)

type ListedOrder = { -readonly [Field in keyof BrokerOrder]: BrokerOrder[Field] }

export const NO_ANSWER: SendResult = { outcome: 'unknown', cause: 'noAnswer', detail: 'no answer' }
export const ROUTE = '00950'

type Row = ListedOrder & { readonly accountId: string }

/** Everything that the broker has been sent, one row an order. */
class Book {
  readonly rows: Row[] = []
  readonly #clock: Pick<Clock, 'now'>
  #executions = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  enter(order: ApprovedOrder): BrokerOrder {
    const row: Row = {
      accountId: order.accountId,
      brokerOrderId: String(this.rows.length + 1).padStart(10, '0'),
      brokerRoute: ROUTE,
      instrumentId: order.instrumentId,
      side: order.side,
      quantity: order.quantity,
      ...(order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }),
      filledQuantity: ZERO_QUANTITY,
      filledNotional: ZERO_MONEY,
      canceledQuantity: ZERO_QUANTITY,
      rejectedQuantity: ZERO_QUANTITY,
      remainingQuantity: order.quantity,
      isChange: false,
      orderTime: this.#clock.now(),
    }
    this.rows.push(row)
    return row
  }

  row(brokerOrderId: string): Row {
    const row = this.rows.find((each) => each.brokerOrderId === brokerOrderId)
    if (row === undefined) throw new Error(`the broker has no order ${brokerOrderId}`)
    return row
  }

  notice(row: Row, kind: 'accepted' | 'fill' | 'canceled', over = {}) {
    this.#executions += 1
    const data: DataOf<typeof ExecutionReported> = {
      executionId: `notice-${this.#executions}`,
      accountId: row.accountId,
      kind,
      origin: 'stream',
      brokerOrderId: row.brokerOrderId,
      brokerRoute: row.brokerRoute,
      instrumentId: row.instrumentId,
      side: row.side,
      orderQuantity: row.quantity.toString(),
      eventTime: formatInstant(this.#clock.now()),
      ...over,
    }
    const id = contentId('execution', data.executionId)
    return finishRoot(ExecutionReported, data, { id, source: '/jts/test', clock: this.#clock })
  }
}

const accept = ({ brokerOrderId, brokerRoute }: BrokerOrder): SendResult => ({
  outcome: 'accepted',
  brokerOrderId,
  brokerRoute,
})

export function scriptedBroker(clock: Pick<Clock, 'now'>, cash = '100000000') {
  const book = new Book(clock)
  const scripts: Script[] = []
  const sends: ApprovedOrder[] = []
  const balances = new Map<string, BrokerBalance>()
  const quotes = new Map<string, Quote | Error>()

  const gateway: Pick<BrokerGateway, 'submit' | 'listOrders' | 'balance' | 'quote'> = {
    async submit(order, _signal, cleared) {
      if (cleared !== undefined && !(await cleared)) return { outcome: 'notSent', detail: 'held back' }
      sends.push(order)
      const script = scripts.shift() ?? 'take'
      if (typeof script === 'function') return script(order, () => book.enter(order))
      if (script === 'take') return accept(book.enter(order))
      if (script === 'lose') return NO_ANSWER
      if (script !== 'takeSilently') return script
      book.enter(order)
      return NO_ANSWER
    },
    listOrders: async (accountId, date) =>
      book.rows
        .filter((row) => row.accountId === accountId && kstDate(row.orderTime) === date)
        .map((row) => ({ ...row })),
    balance: async (accountId) => balances.get(accountId) ?? { cash: money(cash), positions: [] },
    async quote(instrumentId) {
      const quote = quotes.get(instrumentId) ?? quoteOf(instrumentId)
      if (quote instanceof Error) throw quote
      return quote
    },
  }

  return {
    gateway,
    sends,
    accept,
    orders: (): readonly BrokerOrder[] => book.rows,
    /** For the sends to come, in order; then `take`. */
    script: (...next: readonly Script[]) => void scripts.push(...next),
    setBalance: (balance: BrokerBalance, accountId = ACCOUNT) => void balances.set(accountId, balance),
    setQuote: (instrumentId: string, quote: Quote | Error) => void quotes.set(instrumentId, quote),
    /** Somebody else's order, as the list has it. */
    enterForeign: (order: ApprovedOrder): BrokerOrder => book.enter(order),
    acceptNotice: (brokerOrderId: string) => book.notice(book.row(brokerOrderId), 'accepted'),
    /** Trades `'4 @ 70000'`; returns the notice of it. */
    fill(brokerOrderId: string, text: string) {
      const [units = '', at = ''] = text.split(' @ ')
      const row = book.row(brokerOrderId)
      row.filledQuantity = addQuantity(row.filledQuantity, quantity(units))
      row.filledNotional = addMoney(row.filledNotional, notionalOf(price(at), quantity(units)))
      row.remainingQuantity = subtractQuantity(row.remainingQuantity, quantity(units))
      return book.notice(row, 'fill', { lastQuantity: units, lastPrice: formatPrice(price(at)) })
    },
    cancel(brokerOrderId: string) {
      const row = book.row(brokerOrderId)
      row.canceledQuantity = row.remainingQuantity
      row.remainingQuantity = ZERO_QUANTITY
      return book.notice(row, 'canceled')
    },
  }
}

export type ScriptedBroker = ReturnType<typeof scriptedBroker>

const quoteOf = (instrumentId: Quote['instrumentId'], at: Price = price('70000')): Quote => ({
  instrumentId,
  lastPrice: at,
  basePrice: at,
  upperLimit: price('91000'),
  lowerLimit: price('49000'),
  tickSize: price('100'),
  isTradable: true,
})

export const balanceOf = (
  cash: string,
  positions: readonly {
    readonly id: Quote['instrumentId']
    readonly units: string
    readonly at: string
  }[] = [],
): BrokerBalance => ({
  cash: money(cash),
  positions: positions.map(({ id, units, at }) => ({
    instrumentId: id,
    quantity: quantity(units),
    averagePrice: price(at),
    lastPrice: price(at),
  })),
})
