// For tests of what brings events to functions: a function that takes one event of money and one of the market.
import { instant } from '#shared/domain/time.ts'
import { type Event, type EventContract, output } from '#shared/events/contract.ts'
import { BarClosed } from '#shared/events/market.ts'
import { OrderCancelRequested, OrderDenied } from '#shared/events/orders.ts'
import { type Handler, defineFunction } from './function.ts'
import { finishRoot } from './root-event.ts'

export const bothFunction = defineFunction({
  name: 'test-function',
  summary: 'For tests.',
  consumes: [OrderCancelRequested, BarClosed],
  produces: [OrderDenied],
  timeoutMs: 1_000,
  scale: { min: 1, max: 1 },
})
export type BothHandler = Handler<typeof bothFunction>

export const atZero = { now: () => instant(0) }

export const root = <Contract extends EventContract>(
  contract: Contract,
  data: Parameters<Contract['key']>[0],
  id: string,
) => finishRoot(contract, data as never, { id, source: '/test', clock: atZero }) as Event

/** On `orders`, by account. */
export const cancel = (id: string, accountId = 'A-1'): Event =>
  root(
    OrderCancelRequested,
    { accountId, clientOrderId: id, requestedBy: 'desk', decidedTime: '2026-11-23T00:00:00Z' },
    id,
  )

/** On `market.bars`, by instrument. */
export const bar = (id: string, instrumentId = '005930.KRX'): Event =>
  root(
    BarClosed,
    {
      instrumentId,
      interval: '1m',
      openTime: '2026-11-23T00:00:00Z',
      closeTime: '2026-11-23T00:01:00Z',
      open: '1',
      high: '1',
      low: '1',
      close: '1',
      volume: '0',
      notional: '0',
      trades: 0,
    },
    id,
  )

export const denial = (id: string, accountId = 'A-1') =>
  output(OrderDenied, { accountId, clientOrderId: id, code: 'TRADING_HALTED', detail: '' })
