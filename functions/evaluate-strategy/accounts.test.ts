import { expect, test } from 'vitest'
import { type Instant, addMs, formatInstant } from '#shared/domain/time.ts'
import type { Event, EventContract } from '#shared/events/contract.ts'
import {
  OrderApproved,
  OrderCanceled,
  OrderFilled,
  OrderPartiallyFilled,
  PositionChanged,
} from '#shared/events/orders.ts'
import { ACCOUNT, SAMSUNG, barOf, bench, kst, ordersOf } from './bench.fixture.ts'
import type { StrategyDocument } from './roster.ts'

const NOON = formatInstant(kst('2025-09-02', '12:00:00'))
const quick: StrategyDocument = {
  id: 'quick',
  kind: 'moving-average-cross',
  enabled: true,
  accountId: ACCOUNT,
  instrumentIds: 'all',
  parameters: { interval: '1m', orderNotional: '2000000', fastBars: 1, slowBars: 2 },
}
const minute = (index: number): Instant => addMs(kst('2025-09-02', '09:00:00'), index * 60_000)
const CLOSES = ['70200', '70100', '70000', '70500', '70000', '70500', '70000', '70500', '70000']

/** Warm, flat, and with an account that was read; later the ledger changes only where a test says so. */
async function open() {
  const world = bench({ documents: [quick], settings: { accountAgeMsMax: 3_600_000 } })
  let index = 0
  /** Long at the first call, flat at the second, and so on. */
  const next = async () => {
    const close = CLOSES[index] ?? '0'
    const outputs = await world.send(world.bar(barOf(SAMSUNG, '1m', minute(index), close)))
    index += 1
    return ordersOf(outputs).map(({ data }) => data)
  }
  for (let bar = 0; bar < 3; bar += 1) await next()
  const say = (contract: EventContract, data: object): Promise<readonly Event[]> =>
    world.send(world.eventOf(contract, { accountId: ACCOUNT, ...data }))
  return { ...world, next, say }
}

const shape = (side: string, units: string) => ({
  requestedBy: 'somebody',
  instrumentId: SAMSUNG,
  side,
  orderType: 'limit',
  timeInForce: 'day',
  quantity: units,
  limitPrice: '70000',
  decidedTime: NOON,
})
const approved = (clientOrderId: string, side: string, units: string) => ({
  clientOrderId,
  ...shape(side, units),
  limitsVersion: '1',
  reservedCash: '0',
  approvedTime: NOON,
})
const fillOf = (clientOrderId: string, side: string, units: string, remaining: string) => ({
  clientOrderId,
  executionId: 'x',
  instrumentId: SAMSUNG,
  side,
  lastQuantity: units,
  lastPrice: '70000',
  lastNotional: '70000',
  filledQuantity: units,
  remainingQuantity: remaining,
  fee: '0',
  tax: '0',
  eventTime: NOON,
})
const position = (units: string) => ({
  instrumentId: SAMSUNG,
  quantity: units,
  averagePrice: '70000',
  realizedPnl: '0',
  cash: '1',
  eventTime: NOON,
})

test('an account that was read and did not change needs no ledger for an order', async () => {
  const { next, world } = await open()
  world.isReadable = false
  expect(await next()).toMatchObject([{ side: 'buy', quantity: '28' }])
})

test('what others sell is not sold again, less what of it has traded or was canceled', async () => {
  const { next, say, world } = await open()
  world.isReadable = false
  await say(PositionChanged, position('28'))
  expect(await next()).toEqual([]) // long already
  await say(OrderApproved, approved('others-1', 'sell', '10'))
  await say(OrderApproved, approved('others-2', 'sell', '5'))
  await say(OrderPartiallyFilled, fillOf('others-1', 'sell', '4', '6'))
  await say(PositionChanged, position('24'))
  await say(OrderCanceled, {
    clientOrderId: 'others-2',
    filledQuantity: '0',
    canceledQuantity: '5',
    eventTime: NOON,
  })
  expect(await next()).toMatchObject([{ side: 'sell', quantity: '18' }])
})

test('between a fill and its position nothing is bought twice: the ledger is asked', async () => {
  const { next, say, world } = await open()
  const [order] = await next()
  world.positions.set(SAMSUNG, { quantity: 28n, openNotional: 28n })
  await say(OrderFilled, fillOf(order?.clientOrderId ?? '', 'buy', '28', '0'))
  expect(await next()).toMatchObject([{ side: 'sell', quantity: '28' }])

  const other = await open()
  const [unknown] = await other.next()
  other.world.isReadable = false
  await other.say(OrderFilled, fillOf(unknown?.clientOrderId ?? '', 'buy', '28', '0'))
  expect(await other.next()).toEqual([])
  expect(other.world.signals.at(-1)?.evidence).toMatchObject({ order: 'none: factsUnreadable' })
})

test('a reading that an event overtook is not taken for the newest', async () => {
  const { next, say, world } = await open()
  await say(OrderFilled, fillOf('others-1', 'buy', '1', '0')) // in doubt: the next order reads
  let reads = 0
  world.onRead = async () => {
    reads += 1
    if (reads === 1) {
      // The reading saw a flat account; the fill that it missed is told before it comes back.
      world.positions.set(SAMSUNG, { quantity: 28n, openNotional: 28n })
      await say(PositionChanged, position('28'))
    }
  }
  expect(await next()).toEqual([])
  expect(reads).toBe(2)
  expect(world.signals.at(-1)?.evidence).toMatchObject({ order: 'none: positionLong' })
})

test('an account that is not active is read before every order', async () => {
  const { next, say, world } = await open()
  world.tradingState = 'halted'
  await say(OrderFilled, fillOf('others-1', 'buy', '1', '0'))
  await next()
  await say(OrderCanceled, {
    clientOrderId: world.requested[0]?.clientOrderId ?? '',
    filledQuantity: '0',
    canceledQuantity: '28',
    eventTime: NOON,
  })
  world.positions.set(SAMSUNG, { quantity: 9n, openNotional: 9n }) // adopted: no event tells of it
  expect(await next()).toMatchObject([{ side: 'sell', quantity: '9' }])
})
