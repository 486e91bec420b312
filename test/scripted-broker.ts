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

export function scriptedBroker(clock: Pick<Clock, 'now'>, cash = '100000000') {
  const scripts: Script[] = []
  const book: (ListedOrder & { accountId: string })[] = []
  const sends: ApprovedOrder[] = []
  let executions = 0
  const balances = new Map<string, BrokerBalance>()
  const quotes = new Map<string, Quote | Error>()

  const enter = (order: ApprovedOrder): BrokerOrder => {
    const row = {
      accountId: order.accountId,
      brokerOrderId: String(book.length + 1).padStart(10, '0'),
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
      orderTime: clock.now(),
    }
    book.push(row)
    return row
  }
  const accept = ({ brokerOrderId, brokerRoute }: BrokerOrder): SendResult => ({
    outcome: 'accepted',
    brokerOrderId,
    brokerRoute,
  })

  const rowOf = (brokerOrderId: string) => {
    const row = book.find((each) => each.brokerOrderId === brokerOrderId)
    if (row === undefined) throw new Error(`the broker has no order ${brokerOrderId}`)
    return row
  }
  const notice = (
    row: ListedOrder & { accountId: string },
    kind: 'accepted' | 'fill' | 'canceled',
    over = {},
  ) => {
    executions += 1
    const data: DataOf<typeof ExecutionReported> = {
      executionId: `notice-${executions}`,
      accountId: row.accountId,
      kind,
      origin: 'stream',
      brokerOrderId: row.brokerOrderId,
      brokerRoute: row.brokerRoute,
      instrumentId: row.instrumentId,
      side: row.side,
      orderQuantity: row.quantity.toString(),
      eventTime: formatInstant(clock.now()),
      ...over,
    }
    return finishRoot(ExecutionReported, data, {
      id: contentId('execution', data.executionId),
      source: '/jts/test',
      clock,
    })
  }

  const gateway: Pick<BrokerGateway, 'submit' | 'listOrders' | 'balance' | 'quote'> = {
    async submit(order) {
      sends.push(order)
      const script = scripts.shift() ?? 'take'
      if (typeof script === 'function') return script(order, () => enter(order))
      if (script === 'take') return accept(enter(order))
      if (script === 'lose') return NO_ANSWER
      if (script !== 'takeSilently') return script
      enter(order)
      return NO_ANSWER
    },
    listOrders: async (accountId, date) =>
      book
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
    orders: (): readonly BrokerOrder[] => book,
    /** For the sends to come, in order; then `take`. */
    script: (...next: readonly Script[]) => void scripts.push(...next),
    setBalance: (balance: BrokerBalance, accountId = ACCOUNT) => void balances.set(accountId, balance),
    setQuote: (instrumentId: string, quote: Quote | Error) => void quotes.set(instrumentId, quote),
    /** Somebody else's order, as the list has it. */
    enterForeign: (order: ApprovedOrder): BrokerOrder => enter(order),
    acceptNotice: (brokerOrderId: string) => notice(rowOf(brokerOrderId), 'accepted'),
    /** Trades `'4 @ 70000'`; returns the notice of it. */
    fill(brokerOrderId: string, text: string) {
      const [units = '', at = ''] = text.split(' @ ')
      const row = rowOf(brokerOrderId)
      row.filledQuantity = addQuantity(row.filledQuantity, quantity(units))
      row.filledNotional = addMoney(row.filledNotional, notionalOf(price(at), quantity(units)))
      row.remainingQuantity = subtractQuantity(row.remainingQuantity, quantity(units))
      return notice(row, 'fill', { lastQuantity: units, lastPrice: formatPrice(price(at)) })
    },
    cancel(brokerOrderId: string) {
      const row = rowOf(brokerOrderId)
      row.canceledQuantity = row.remainingQuantity
      row.remainingQuantity = ZERO_QUANTITY
      return notice(row, 'canceled')
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
