import { describe, expect, test } from 'vitest'
import { sessionDate } from '#shared/domain/time.ts'
import { money, price, quantity } from '#shared/domain/values.ts'
import { SAMSUNG, stockOf } from './bench.fixture.ts'
import {
  type OrderFacts,
  clientOrderIdOf,
  decideOrder,
  followsSession,
  marketableLimit,
  orderTagOf,
} from './decide.ts'
import type { Opinion, TradingParameters } from './strategy.ts'

const date = sessionDate('2025-09-02')
const instrument = stockOf(SAMSUNG)
const trading: TradingParameters = {
  interval: '1m',
  orderNotional: money('2000000'),
  orderType: 'limit',
  timeInForce: 'day',
  crossTicks: 2,
}
const facts: OrderFacts = {
  date,
  lastPrice: price('69900'),
  instrument,
  accountCurrency: 'KRW',
  positionQuantity: 0n,
  sellableQuantity: 0n,
}
const opinion = (direction: Opinion['direction']): Opinion => ({ direction, strength: 1, reason: 'test' })

test.each([
  // name                              opinion  facts                                              plan
  ['buys whole shares', 'long', {}, 'buy 28 70100'],
  ['does not add to a long position', 'long', { positionQuantity: 1n }, 'positionLong'],
  ['sells all that is held', 'flat', { positionQuantity: 28n, sellableQuantity: 28n }, 'sell 28 69700'],
  ['sells no share twice', 'flat', { positionQuantity: 28n, sellableQuantity: 8n }, 'sell 8 69700'],
  ['sells nothing it does not hold', 'flat', {}, 'positionFlat'],
  ['sells nothing short', 'flat', { positionQuantity: -5n, sellableQuantity: -5n }, 'positionFlat'],
  ['buys exactly one share', 'long', { lastPrice: price('1998000') }, 'buy 1 2000000'],
  ['does not buy a part of one', 'long', { lastPrice: price('1999000') }, 'notionalTooSmall'],
  ['of an unknown account', 'long', { accountCurrency: undefined }, 'accountUnknown'],
  ['of an unknown instrument', 'long', { instrument: undefined }, 'instrumentUnknown'],
  ['of an account in another currency', 'long', { accountCurrency: 'USD' }, 'currencyDiffers'],
] as const)('%s', (_name, direction, over, expected) => {
  const plan = decideOrder(opinion(direction), trading, { ...facts, ...over })
  const shown =
    plan.outcome === 'none'
      ? plan.because
      : `${plan.side} ${plan.quantity} ${(plan.limitPrice ?? 0n) / 10_000n}`
  expect(shown).toBe(expected)
})

test('whole lots only', () => {
  const lots = { ...instrument, quantityIncrement: quantity('10') }
  expect(decideOrder(opinion('long'), trading, { ...facts, instrument: lots })).toMatchObject({
    quantity: 20n,
  })
})

test('a market order has no price and is sized at the last', () => {
  const plan = decideOrder(opinion('long'), { ...trading, orderType: 'market' }, facts)
  expect(plan).toEqual({ outcome: 'order', side: 'buy', quantity: 28n })
})

describe('a marketable limit', () => {
  const based = { ...instrument, basePrice: price('50000'), basePriceDate: date }
  test.each([
    // side, last, ticks, limit
    ['buy', '69900', 0, '69900'],
    ['buy', '69950', 0, '70000'], // a midpoint trade lies off the grid
    ['sell', '69950', 0, '69900'],
    ['buy', '49950', 2, '50100'], // the tick grows on the way
    ['sell', '50100', 3, '49900'],
    ['buy', '64900', 2, '65000'], // the upper daily limit of a base of 50,000
    ['sell', '35050', 2, '35000'],
    ['sell', '1', 5, '1'],
  ] as const)('%s at %s with %i ticks is %s', (side, last, ticks, expected) => {
    const over = last.startsWith('64') || last.startsWith('35') ? based : instrument
    expect(marketableLimit(over, side, price(last), ticks, date)).toBe(price(expected))
  })
})

describe('an order id', () => {
  const id = clientOrderIdOf('ma-cross-1m', SAMSUNG, 'event-1', 0)
  test('is short, URL-safe and begins with the tag of its strategy and instrument', () => {
    expect(id).toMatch(/^[a-z0-9-]{1,40}$/)
    expect(id.startsWith(orderTagOf('ma-cross-1m', SAMSUNG))).toBe(true)
  })
  test('is the same for the same cause and differs with any part of it', () => {
    expect(clientOrderIdOf('ma-cross-1m', SAMSUNG, 'event-1', 0)).toBe(id)
    const others = [
      clientOrderIdOf('ma-cross-5m', SAMSUNG, 'event-1', 0),
      clientOrderIdOf('ma-cross-1m', SAMSUNG, 'event-2', 0),
      clientOrderIdOf('ma-cross-1m', SAMSUNG, 'event-1', 1),
    ]
    expect(new Set([id, ...others]).size).toBe(4)
  })
})

test.each([
  ['2025-09-01', '2025-09-02', true],
  ['2025-08-29', '2025-09-01', true], // over a weekend
  ['2025-10-02', '2025-10-10', true], // over Chuseok
  ['2025-09-01', '2025-09-03', false],
  ['2025-09-02', '2025-09-02', false],
])('a bar of %s is followed by the session of %s: %s', (bar, day, expected) => {
  expect(followsSession(SAMSUNG, sessionDate(bar), sessionDate(day))).toBe(expected)
})
