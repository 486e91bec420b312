import { describe, expect, test } from 'vitest'
import type { OrderRequest } from '#shared/domain/order.ts'
import { DENIAL_CODES, type RiskLimits } from '#shared/domain/risk.ts'
import { addMs, sessionDate } from '#shared/domain/time.ts'
import { formatMoney, money, price, quantity, ratio } from '#shared/domain/values.ts'
import {
  DATE,
  HYNIX,
  NOON,
  SAMSUNG,
  account,
  limits,
  position,
  request,
  samsung,
  working,
} from '../../test/build.ts'
import { type RiskFacts, decide } from './decide.ts'

const last = (at: string, ageMs = 0) => ({ price: price(at), eventTime: addMs(NOON, -ageMs) })

const facts = (over: Partial<RiskFacts> = {}): RiskFacts => ({
  now: NOON,
  sessionDate: DATE,
  phase: 'continuous',
  account: account(),
  instrument: samsung,
  lastPrices: new Map([[SAMSUNG, last('70000')]]),
  feeRatio: ratio('0.00015'),
  ...over,
})

const verdict = (
  order: OrderRequest,
  given: Partial<RiskFacts> = {},
  held: Partial<RiskLimits> = {},
): string => {
  const decision = decide(order, facts(given), limits(held))
  return decision.outcome === 'approved' ? 'approved' : decision.code
}

const twin = { ...request('buy 1 @ 70000', { clientOrderId: 'twin' }) }
const held = (units: bigint) => ({ account: account({ positions: [position(SAMSUNG, units, '0')] }) })

/** Other orders of the last second. */
const burst = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...request(`buy ${index + 2} @ 69000`),
    clientOrderId: `burst-${index}`,
    decidedTime: addMs(NOON, -999),
  }))

describe('one rule at a time, both sides of each boundary', () => {
  test.each([
    // name                                    order               facts                                                            verdict
    ['an ordinary buy', 'buy 1 @ 70000', {}, 'approved'],
    ['an account nobody opened', 'buy 1 @ 70000', { account: undefined }, 'FACTS_MISSING'],
    ['a halted account', 'buy 1 @ 70000', { account: account({ tradingState: 'halted' }) }, 'TRADING_HALTED'],
    [
      'an instrument without a base price today',
      'buy 1 @ 70000',
      { instrument: { ...samsung, basePriceDate: sessionDate('2025-09-01') } },
      'FACTS_MISSING',
    ],
    ['an instrument without a last price', 'buy 1 @ 70000', { lastPrices: new Map() }, 'FACTS_MISSING'],
    [
      'an account whose session was not opened',
      'buy 1 @ 70000',
      { account: account({ openingDate: sessionDate('2025-09-01') }) },
      'FACTS_MISSING',
    ],
    [
      'a last price exactly at the age limit',
      'buy 1 @ 70000',
      { lastPrices: new Map([[SAMSUNG, last('70000', 2_000)]]) },
      'approved',
    ],
    [
      'a last price just too old',
      'buy 1 @ 70000',
      { lastPrices: new Map([[SAMSUNG, last('70000', 2_001)]]) },
      'FACTS_STALE',
    ],
    ['an unknown instrument', 'buy 1 @ 70000', { instrument: undefined }, 'INSTRUMENT_UNKNOWN'],
    [
      'a suspended instrument',
      'buy 1 @ 70000',
      { instrument: { ...samsung, isTradable: false } },
      'INSTRUMENT_NOT_TRADABLE',
    ],
    ['a closed session', 'buy 1 @ 70000', { phase: 'closed' }, 'SESSION_CLOSED'],
    ['a date beyond the calendar', 'buy 1 @ 70000', { phase: undefined }, 'FACTS_MISSING'],
    ['a limit order in an auction', 'buy 1 @ 70000', { phase: 'closingAuction' }, 'approved'],
    ['a market order in an auction', 'buy 1 @ market', { phase: 'openingAuction' }, 'ORDER_TYPE_NOT_ALLOWED'],
    ['a price on the tick', 'buy 1 @ 69900', {}, 'approved'],
    ['a price off the tick', 'buy 1 @ 69950', {}, 'PRICE_OFF_TICK'],
    ['the upper daily limit', 'buy 1 @ 91000', {}, 'approved'],
    ['above the upper daily limit', 'buy 1 @ 91100', {}, 'PRICE_OUTSIDE_LIMITS'],
    ['the lower daily limit', 'buy 1 @ 49000', {}, 'approved'],
    ['below the lower daily limit', 'buy 1 @ 48950', {}, 'PRICE_OUTSIDE_LIMITS'],
    [
      'the same order a moment ago',
      'buy 1 @ 70000',
      { account: account({ recentOrders: [{ ...twin, decidedTime: addMs(NOON, -2_999) }] }) },
      'DUPLICATE_ORDER',
    ],
    [
      'the same order long enough ago',
      'buy 1 @ 70000',
      { account: account({ recentOrders: [{ ...twin, decidedTime: addMs(NOON, -3_000) }] }) },
      'approved',
    ],
    [
      'growing while reducing',
      'buy 1 @ 70000',
      { account: account({ tradingState: 'reducing' }) },
      'POSITION_WOULD_INCREASE',
    ],
    ['selling what is held', 'sell 5 @ 70000', held(5n), 'approved'],
    ['selling one more than is held', 'sell 6 @ 70000', held(5n), 'POSITION_INSUFFICIENT'],
    [
      'selling what a working sell may take',
      'sell 3 @ 70000',
      {
        account: account({
          positions: [position(SAMSUNG, 5n, '0')],
          reservations: [working('sell 3 @ 70000')],
        }),
      },
      'POSITION_INSUFFICIENT',
    ],
    ['a market buy within the limits at the upper price', 'buy 109 @ market', {}, 'approved'],
    ['a market buy over the limit at the upper price', 'buy 110 @ market', {}, 'ORDER_NOTIONAL_OVER_LIMIT'],
  ] as const)('%s', (_name, text, given, expected) => {
    expect(verdict(request(text), given as Partial<RiskFacts>)).toBe(expected)
  })

  test.each([
    ['quantity exactly at its limit', 'buy 10 @ 70000', { orderQuantityMax: quantity('10') }, 'approved'],
    [
      'quantity just over',
      'buy 11 @ 70000',
      { orderQuantityMax: quantity('10') },
      'ORDER_QUANTITY_OVER_LIMIT',
    ],
    ['notional exactly at its limit', 'buy 10 @ 70000', { orderNotionalMax: money('700000') }, 'approved'],
    [
      'notional just over',
      'buy 10 @ 70000',
      { orderNotionalMax: money('699999.9999') },
      'ORDER_NOTIONAL_OVER_LIMIT',
    ],
    ['position exactly at its limit', 'buy 10 @ 70000', { positionNotionalMax: money('700000') }, 'approved'],
    ['position just over', 'buy 10 @ 70000', { positionNotionalMax: money('699999') }, 'POSITION_OVER_LIMIT'],
    [
      'concentration exactly at its limit',
      'buy 100 @ 70000',
      { positionConcentrationMax: ratio('0.07') },
      'approved',
    ],
    [
      'concentration just over',
      'buy 100 @ 70000',
      { positionConcentrationMax: ratio('0.06999999') },
      'CONCENTRATION_OVER_LIMIT',
    ],
    [
      'portfolio exactly at its limit',
      'buy 10 @ 70000',
      { portfolioNotionalMax: money('700000') },
      'approved',
    ],
    [
      'portfolio just over',
      'buy 10 @ 70000',
      { portfolioNotionalMax: money('699999') },
      'PORTFOLIO_OVER_LIMIT',
    ],
  ] as const)('%s', (_name, text, held_, expected) => {
    expect(verdict(request(text), {}, held_)).toBe(expected)
  })
})

test('the fifth order of a second passes, the sixth does not, and a second later it does', () => {
  expect(verdict(request('buy 1 @ 70000'), { account: account({ recentOrders: burst(4) }) })).toBe('approved')
  expect(verdict(request('buy 1 @ 70000'), { account: account({ recentOrders: burst(5) }) })).toBe(
    'RATE_OVER_LIMIT',
  )
  const past = burst(5).map((order) => ({ ...order, decidedTime: addMs(NOON, -1_000) }))
  expect(verdict(request('buy 1 @ 70000'), { account: account({ recentOrders: past }) })).toBe('approved')
})

describe('requests that waited in a queue', () => {
  const waited = (over: Partial<OrderRequest> = {}) =>
    request('buy 1 @ 70000', { decidedTime: addMs(NOON, -4_000), ...over })

  test('an equal order decided at the same time is a duplicate, however late it is looked at', () => {
    const recentOrders = [{ ...twin, decidedTime: addMs(NOON, -4_500) }]
    expect(verdict(waited(), { account: account({ recentOrders }) })).toBe('DUPLICATE_ORDER')
    const before = [{ ...twin, decidedTime: addMs(NOON, -7_000) }]
    expect(verdict(waited(), { account: account({ recentOrders: before }) })).toBe('approved')
  })

  test('a burst is a burst, however late it is looked at', () => {
    const recentOrders = burst(5).map((order) => ({ ...order, decidedTime: addMs(NOON, -4_000) }))
    expect(verdict(waited(), { account: account({ recentOrders }) })).toBe('RATE_OVER_LIMIT')
  })
})

test.each([
  ['a request dated just within the limit ahead', 5_000, 0, 'approved'],
  ['a request dated ahead, which would never grow old', 5_001, 0, 'REQUEST_STALE'],
  ['a price dated ahead, which would look fresh for long', 0, 2_001, 'FACTS_STALE'],
])('%s', (_name, requestAheadMs, priceAheadMs, expected) => {
  const lastPrices = new Map([[SAMSUNG, last('70000', -priceAheadMs)]])
  const order = request('buy 1 @ 70000', { decidedTime: addMs(NOON, requestAheadMs) })
  expect(verdict(order, { lastPrices })).toBe(expected)
})

test.each([
  // order               working            verdict
  ['buy 1 @ 70000', 'sell 1 @ 70000', 'SELF_TRADE'],
  ['buy 1 @ 69900', 'sell 1 @ 70000', 'approved'],
  ['buy 1 @ market', 'sell 1 @ 70000', 'SELF_TRADE'],
  ['sell 1 @ 70000', 'buy 1 @ 70000', 'SELF_TRADE'],
  ['sell 1 @ 70100', 'buy 1 @ 70000', 'approved'],
  ['buy 1 @ 70000', 'buy 1 @ 70000', 'approved'],
] as const)('%s beside our own %s: %s', (text, other, expected) => {
  const both = account({ positions: [position(SAMSUNG, 5n, '0')], reservations: [working(other)] })
  expect(verdict(request(text), { account: both })).toBe(expected)
})

describe('money', () => {
  test('working orders count against cash, position and portfolio', () => {
    const busy = account({
      cash: money('1500000'),
      openingEquity: money('1500000'),
      reservations: [working('buy 10 @ 70000')],
    })
    expect(
      verdict(request('buy 11 @ 70000'), { account: busy }, { positionConcentrationMax: ratio('1') }),
    ).toBe('approved')
    expect(
      verdict(request('buy 12 @ 70000'), { account: busy }, { positionConcentrationMax: ratio('1') }),
    ).toBe('CONCENTRATION_OVER_LIMIT')
    const rich = { ...busy, openingEquity: money('1500000'), positions: [position(HYNIX, 10n, '0')] }
    const lastPrices = new Map([
      [SAMSUNG, last('70000')],
      [HYNIX, last('200000')],
    ])
    expect(verdict(request('buy 12 @ 70000'), { account: rich, lastPrices })).toBe('CASH_INSUFFICIENT')
  })

  test('the fee on a buy is reserved with it, rounded up to a won', () => {
    const decision = decide(request('buy 1 @ 70000'), facts(), limits())
    expect(decision).toMatchObject({ outcome: 'approved' })
    expect(decision.outcome === 'approved' && formatMoney(decision.reservation.cash)).toBe('70011')
  })

  test('a day loss over its limit stops growth and lets a sell through', () => {
    const losing = account({
      openingEquity: money('101000001'),
      positions: [position(SAMSUNG, 5n, '0')],
      cash: money('99650000'),
    })
    expect(verdict(request('buy 1 @ 70000'), { account: losing })).toBe('DAILY_LOSS_OVER_LIMIT')
    expect(verdict(request('sell 5 @ 70000'), { account: losing })).toBe('approved')
  })

  test('a held instrument without a price denies growth: equity is not known', () => {
    const blind = account({ positions: [position(HYNIX, 10n, '0')] })
    expect(verdict(request('buy 1 @ 70000'), { account: blind })).toBe('FACTS_MISSING')
  })
})

const reducing = { tradingState: 'reducing' as const }

test('repairing one fault at a time walks down the declared precedence', () => {
  const broken: { order: OrderRequest; facts: RiskFacts; limits: RiskLimits } = {
    order: request('buy 0 @ 48950', { quantity: quantity('0'), decidedTime: addMs(NOON, -60_000) }),
    facts: facts({
      account: account({ tradingState: 'halted', openingEquity: money('900000000'), cash: money('1') }),
      instrument: { ...samsung, isTradable: false, quantityIncrement: quantity('10') },
      lastPrices: new Map([[SAMSUNG, last('70000', 60_000)]]),
      phase: 'closed',
    }),
    limits: limits({
      orderQuantityMax: quantity('1'),
      orderNotionalMax: money('1'),
      positionNotionalMax: money('1'),
      positionConcentrationMax: ratio('0'),
      portfolioNotionalMax: money('1'),
      dailyLossMax: money('1'),
    }),
  }
  const repairs: Record<string, () => void> = {
    TRADING_HALTED: () => patchAccount({ tradingState: 'active' }),
    FACTS_STALE: () => patch({ lastPrices: new Map([[SAMSUNG, last('70000')]]) }),
    REQUEST_STALE: () => patchOrder({ decidedTime: NOON }),
    INSTRUMENT_NOT_TRADABLE: () => patch({ instrument: { ...samsung, quantityIncrement: quantity('10') } }),
    SESSION_CLOSED: () => (patch({ phase: 'closingAuction' }), patchOrder({ timeInForce: 'ioc' })),
    ORDER_TYPE_NOT_ALLOWED: () => patch({ phase: 'continuous' }),
    QUANTITY_NOT_POSITIVE: () => patchOrder({ quantity: quantity('11') }),
    QUANTITY_OFF_LOT: () => patchOrder({ quantity: quantity('10'), limitPrice: price('91150') }),
    PRICE_OFF_TICK: () => patchOrder({ limitPrice: price('91100') }),
    PRICE_OUTSIDE_LIMITS: () => (
      patchOrder({ limitPrice: price('70000') }),
      patchAccount({ recentOrders: [{ ...broken.order, clientOrderId: 'twin' }] })
    ),
    DUPLICATE_ORDER: () => patchAccount({ recentOrders: burst(5) }),
    RATE_OVER_LIMIT: () =>
      patchAccount({ recentOrders: [], reservations: [working('sell 1 @ 70000')], ...reducing }),
    SELF_TRADE: () => patchAccount({ reservations: [] }),
    POSITION_WOULD_INCREASE: () => (patchAccount({ tradingState: 'active' }), patchOrder({ side: 'sell' })),
    POSITION_INSUFFICIENT: () => patchOrder({ side: 'buy' }),
    ORDER_QUANTITY_OVER_LIMIT: () => patchLimits({ orderQuantityMax: quantity('100') }),
    ORDER_NOTIONAL_OVER_LIMIT: () => patchLimits({ orderNotionalMax: money('1000000') }),
    POSITION_OVER_LIMIT: () => patchLimits({ positionNotionalMax: money('1000000') }),
    CONCENTRATION_OVER_LIMIT: () => (
      patchLimits({ positionConcentrationMax: ratio('2') }),
      patchAccount({ positions: [position(SAMSUNG, 100n, '0')] }),
      patchLimits({ positionNotionalMax: money('100000000') })
    ),
    PORTFOLIO_OVER_LIMIT: () => patchLimits({ portfolioNotionalMax: money('100000000') }),
    DAILY_LOSS_OVER_LIMIT: () => patchLimits({ dailyLossMax: money('1000000000') }),
    CASH_INSUFFICIENT: () => patchAccount({ cash: money('100000000') }),
  }
  const patch = (over: Partial<RiskFacts>) => void (broken.facts = { ...broken.facts, ...over })
  const patchOrder = (over: Partial<OrderRequest>) => void (broken.order = { ...broken.order, ...over })
  const patchLimits = (over: Partial<RiskLimits>) => void (broken.limits = { ...broken.limits, ...over })
  const patchAccount = (over: Parameters<typeof account>[0]) => {
    if (broken.facts.account !== undefined) patch({ account: { ...broken.facts.account, ...over } })
  }

  const seen: string[] = []
  for (let step = 0; step <= DENIAL_CODES.length; step += 1) {
    const decision = decide(broken.order, broken.facts, broken.limits)
    if (decision.outcome === 'approved') break
    seen.push(decision.code)
    repairs[decision.code]?.()
  }
  // The two that cannot be present together with a full set of facts have their own cases above.
  expect(seen).toEqual(
    DENIAL_CODES.filter((code) => code !== 'FACTS_MISSING' && code !== 'INSTRUMENT_UNKNOWN'),
  )
  expect(decide(broken.order, broken.facts, broken.limits).outcome).toBe('approved')
})
