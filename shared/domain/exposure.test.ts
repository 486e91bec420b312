import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AccountSnapshot, Position, Reservation } from './account.ts'
import {
  availableCash,
  equityOf,
  grossExposure,
  notionalOfInstrument,
  positionOf,
  reducesPosition,
  workingQuantity,
} from './exposure.ts'
import { type InstrumentId, instrumentId } from './instrument.ts'
import { type Side, directionOf } from './order.ts'
import { instant } from './time.ts'
import { type Price, type Quantity, ZERO_MONEY, formatMoney, money, price, quantity } from './values.ts'

const SAMSUNG = instrumentId('005930.KRX')
const HYNIX = instrumentId('000660.KRX')

const holding = (units: bigint, id: InstrumentId = SAMSUNG): Position => ({
  instrumentId: id,
  quantity: units,
  openNotional: ZERO_MONEY,
  realizedPnl: ZERO_MONEY,
})

/** `buy 10 @ 100`, at a reserved price. */
function working(text: string, id: InstrumentId = SAMSUNG, cash = '0'): Reservation {
  const [side, units = '', , unit = ''] = text.split(' ')
  return {
    clientOrderId: text,
    instrumentId: id,
    side: side as Side,
    orderType: 'limit',
    limitPrice: price(unit),
    remainingQuantity: quantity(units),
    reservedPrice: price(unit),
    cash: money(cash),
    decidedTime: instant(0),
  }
}

const account = (
  positions: readonly Position[],
  reservations: readonly Reservation[] = [],
): AccountSnapshot => ({
  accountId: 'a1',
  version: 1n,
  tradingState: 'active',
  currency: 'KRW',
  cash: money('1000'),
  positions,
  reservations,
  recentOrders: [],
})

const prices =
  (table: Record<string, string>) =>
  (id: InstrumentId): Price | undefined =>
    table[id] === undefined ? undefined : price(table[id])

const shown = (value: ReturnType<typeof equityOf>): string =>
  value === undefined ? 'unknown' : formatMoney(value)

describe('what is held and on order', () => {
  const snapshot = account(
    [holding(10n), holding(5n, HYNIX)],
    [working('buy 3 @ 100', SAMSUNG, '301'), working('buy 4 @ 90', SAMSUNG, '361'), working('sell 2 @ 120')],
  )

  test('a position is found by its instrument, and one never held is absent', () => {
    expect(positionOf(snapshot, HYNIX)?.quantity).toBe(5n)
    expect(positionOf(snapshot, instrumentId('035420.KRX'))).toBeUndefined()
  })

  test('working orders add up by side and instrument', () => {
    expect(workingQuantity(snapshot, SAMSUNG, 'buy')).toBe(7n)
    expect(workingQuantity(snapshot, SAMSUNG, 'sell')).toBe(2n)
    expect(workingQuantity(snapshot, HYNIX, 'buy')).toBe(0n)
  })

  test('cash that orders hold is not available, and too much held shows as negative', () => {
    expect(formatMoney(availableCash(snapshot))).toBe('338')
    expect(formatMoney(availableCash(account([], [working('buy 1 @ 1', SAMSUNG, '1001')])))).toBe('-1')
  })
})

describe('equity', () => {
  test.each([
    ['cash alone', [], {}, '1000'],
    ['cash and positions', [holding(10n), holding(5n, HYNIX)], { [SAMSUNG]: '100', [HYNIX]: '200' }, '3000'],
    ['a short position counts against it', [holding(-10n)], { [SAMSUNG]: '150' }, '-500'],
    ['one price missing', [holding(10n), holding(5n, HYNIX)], { [SAMSUNG]: '100' }, 'unknown'],
    ['a flat position needs no price', [holding(0n)], {}, '1000'],
  ] as const)('%s', (_name, positions, table, expected) => {
    expect(shown(equityOf(account(positions), prices(table)))).toBe(expected)
  })
})

describe('does an order only reduce?', () => {
  test.each([
    // held  working                            order       reduces
    [10n, [], 'sell 10', true],
    [10n, [], 'sell 11', false], // through zero
    [10n, [], 'buy 1', false],
    [0n, [], 'sell 1', false],
    [-10n, [], 'buy 10', true],
    [-10n, [], 'buy 11', false],
    [-10n, [], 'sell 1', false],
    [10n, ['sell 4 @ 100'], 'sell 6', true],
    [10n, ['sell 4 @ 100'], 'sell 7', false], // together they would go short
    [10n, ['buy 5 @ 100'], 'sell 10', true], // the other side does not make room
    [10n, ['buy 5 @ 100'], 'sell 11', false],
    [10n, [], 'sell 0', false],
  ] as const)('%s held, working %j, %s: %s', (held, orders, order, expected) => {
    const [side, units = ''] = order.split(' ')
    const snapshot = account(
      [holding(held)],
      orders.map((text) => working(text)),
    )
    expect(
      reducesPosition(snapshot, { instrumentId: SAMSUNG, side: side as Side, quantity: quantity(units) }),
    ).toBe(expected)
  })

  test("an order decided twice is not held against its own reservation, another's is", () => {
    const snapshot = account([holding(10n)], [working('sell 10 @ 100')])
    const order = { instrumentId: SAMSUNG, side: 'sell', quantity: quantity('10') } as const
    expect(reducesPosition(snapshot, { ...order, clientOrderId: 'sell 10 @ 100' })).toBe(true)
    expect(reducesPosition(snapshot, { ...order, clientOrderId: 'o2' })).toBe(false)
    expect(reducesPosition(snapshot, order)).toBe(false)
  })

  test('orders on another instrument do not matter', () => {
    const snapshot = account([holding(10n)], [working('sell 10 @ 100', HYNIX)])
    expect(reducesPosition(snapshot, { instrumentId: SAMSUNG, side: 'sell', quantity: quantity('10') })).toBe(
      true,
    )
  })
})

describe('notional of one instrument, last price 100', () => {
  test.each([
    // held  working                              notional
    [0n, [], '0'],
    [10n, [], '1000'],
    [-10n, [], '1000'],
    [10n, ['buy 5 @ 90'], '1500'], // a cheap limit hides nothing: at the last price
    [10n, ['buy 5 @ 130'], '1650'], // a dear one counts in full
    [10n, ['sell 5 @ 130'], '1000'], // sells that close are no relief until they fill
    [10n, ['sell 5 @ 130', 'buy 5 @ 100'], '1500'],
    [0n, ['buy 5 @ 100', 'sell 3 @ 100'], '500'], // either may fill, not less than the worse
    [-10n, ['sell 5 @ 100'], '1500'],
    [-10n, ['buy 30 @ 110'], '2200'], // through zero to 20 long
    [10n, ['sell 30 @ 90'], '2000'], // through zero to 20 short
  ] as const)('%s held, working %j: %s', (held, orders, expected) => {
    const snapshot = account(
      [holding(held)],
      orders.map((text) => working(text)),
    )
    expect(formatMoney(notionalOfInstrument(snapshot, SAMSUNG, price('100')))).toBe(expected)
  })

  const anySide = fc.constantFrom<Side>('buy', 'sell')
  const anyOrders = fc.array(
    fc.tuple(anySide, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300 })),
    {
      maxLength: 6,
    },
  )

  test('whichever of the working orders fill, the position is never worth more than was said', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -60n, max: 60n }),
        anyOrders,
        fc.infiniteStream(fc.boolean()),
        (held, orders, fills) => {
          const snapshot = account(
            [holding(held)],
            orders.map(([side, units, unit]) => working(`${side} ${units} @ ${unit}`)),
          )
          const said = notionalOfInstrument(snapshot, SAMSUNG, price('100'))
          const reached = orders.reduce(
            (net, [side, units]) =>
              fills.next().value === true ? net + directionOf(side) * BigInt(units) : net,
            held,
          )
          const worth = (reached < 0n ? -reached : reached) * price('100')
          expect(said).toBeGreaterThanOrEqual(worth)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('an order that reduces never adds to it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -60n, max: 60n }), anyOrders, anySide, (held, orders, side) => {
        const reservations = orders.map(([of, units, unit]) => working(`${of} ${units} @ ${unit}`))
        const before = account([holding(held)], reservations)
        const units = 7n as Quantity
        fc.pre(reducesPosition(before, { instrumentId: SAMSUNG, side, quantity: units }))
        const placed = account([holding(held)], [...reservations, working(`${side} 7 @ 300`)])
        expect(notionalOfInstrument(placed, SAMSUNG, price('100'))).toBe(
          notionalOfInstrument(before, SAMSUNG, price('100')),
        )
      }),
    )
  })
})

describe('gross exposure', () => {
  test.each([
    ['nothing', account([]), {}, '0'],
    [
      'long and short both count',
      account([holding(10n), holding(-5n, HYNIX)]),
      { [SAMSUNG]: '100', [HYNIX]: '200' },
      '2000',
    ],
    ['an order on what is not held', account([], [working('buy 2 @ 200', HYNIX)]), { [HYNIX]: '190' }, '400'],
    [
      'one price missing',
      account([holding(10n)], [working('buy 2 @ 200', HYNIX)]),
      { [SAMSUNG]: '100' },
      'unknown',
    ],
    ['a flat position needs no price', account([holding(0n)]), {}, '0'],
  ] as const)('%s', (_name, snapshot, table, expected) => {
    expect(shown(grossExposure(snapshot, prices(table)))).toBe(expected)
  })
})
