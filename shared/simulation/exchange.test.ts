import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Instrument, instrumentId } from '#shared/domain/instrument.ts'
import type { Side } from '#shared/domain/order.ts'
import { type Instant, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { type Money, formatMoney, money, price, quantity, ratio, shareOf } from '#shared/domain/values.ts'
import { sellTaxRatioOf } from '#shared/domain/krx-rules.ts'
import { type Entry, Exchange } from './exchange.ts'
import type { MarketEvent } from './market-event.ts'
import type { VenueOrder } from './venue-order.ts'

const DATE = sessionDate('2026-03-03')
const ID = instrumentId('005930.KRX')
const SAMSUNG: Instrument = {
  id: ID,
  name: '삼성전자',
  kind: 'stock',
  market: 'KOSPI',
  currency: 'KRW',
  quantityIncrement: quantity('1'),
  isTradable: true,
}
const FEE = ratio('0.00015')
const at = (text: string): Instant => kstInstant(DATE, timeOfDay(text))

const opened = (isTradable = true): MarketEvent => ({
  kind: 'sessionOpened',
  at: at('08:30'),
  date: DATE,
  instruments: [{ ...SAMSUNG, isTradable, basePrice: price('70000') }],
})
const phase = (time: string, next: 'continuous' | 'closingAuction' | 'closed'): MarketEvent => ({
  kind: 'phaseChanged',
  at: at(time),
  phase: next,
})
const printed = (won: number, units: number, time = '10:00'): MarketEvent => ({
  kind: 'printed',
  at: at(time),
  instrumentId: ID,
  price: price(String(won)),
  quantity: quantity(String(units)),
  aggressor: 'none',
})

function open(options: { venueRejects?: boolean; cash?: string; isTradable?: boolean } = {}): Exchange {
  const exchange = new Exchange({
    accounts: [
      { accountNumber: 'A', cash: money(options.cash ?? '10000000') },
      { accountNumber: 'B', cash: money('10000000') },
    ],
    feeRatio: FEE,
    venueRejects: options.venueRejects ?? false,
  })
  exchange.apply(opened(options.isTradable))
  exchange.apply(phase('09:00', 'continuous'))
  return exchange
}

function order(exchange: Exchange, side: Side, units: number, won?: number, accountNumber = 'A'): Entry {
  return exchange.submit({
    accountNumber,
    instrumentId: ID,
    side,
    orderType: won === undefined ? 'market' : 'limit',
    timeInForce: 'day',
    typeCode: won === undefined ? '01' : '00',
    quantity: quantity(String(units)),
    ...(won === undefined ? {} : { limitPrice: price(String(won)) }),
  })
}

const refusalOf = (entry: Entry): string => (entry.outcome === 'refused' ? entry.refusal : 'taken')
const numberOf = (entry: Entry): number => (entry.outcome === 'taken' ? entry.order.orderNumber : -1)
const kindsOf = (entry: Entry): readonly string[] =>
  entry.outcome === 'taken' ? entry.step.notices.map((notice) => notice.kind) : []

describe('admission', () => {
  test.each([
    // name                          side    units  won     verdict
    ['a fine order', 'buy', 1, 70_000, 'taken'],
    ['no quantity', 'buy', 0, 70_000, 'quantityNotPositive'],
    ['off the tick', 'buy', 1, 70_050, 'offTick'],
    ['at the upper limit', 'buy', 1, 91_000, 'taken'],
    ['above the upper limit', 'buy', 1, 91_100, 'outsideLimits'],
    ['at the lower limit', 'buy', 1, 49_000, 'taken'],
    ['below the lower limit', 'buy', 1, 48_950, 'outsideLimits'],
    ['all the cash but for the fee', 'buy', 142, 70_000, 'taken'],
    ['a share too many', 'buy', 143, 70_000, 'cashInsufficient'],
    ['a market buy held at the upper limit', 'buy', 109, undefined, 'taken'],
    ['a market buy beyond it', 'buy', 110, undefined, 'cashInsufficient'],
    ['selling what is not held', 'sell', 1, 70_000, 'holdingNone'],
  ] as const)('%s', (_name, side, units, won, verdict) => {
    expect(refusalOf(order(open(), side, units, won))).toBe(verdict)
  })

  test('cash held by working buys cannot be used twice, and comes back with a cancel', () => {
    const exchange = open()
    const first = order(exchange, 'buy', 100, 70_000)
    expect(refusalOf(order(exchange, 'buy', 100, 70_000))).toBe('cashInsufficient')
    exchange.cancel({ accountNumber: 'A', orderNumber: numberOf(first), typeCode: '00' })
    expect(refusalOf(order(exchange, 'buy', 100, 70_000))).toBe('taken')
  })

  test('a holding cannot be sold twice', () => {
    const exchange = open()
    order(exchange, 'buy', 10, 70_000)
    exchange.apply(printed(69_900, 100))
    expect(refusalOf(order(exchange, 'sell', 6, 71_000))).toBe('taken')
    expect(refusalOf(order(exchange, 'sell', 5, 71_000))).toBe('holdingInsufficient')
  })

  test('outside the session nothing is taken', () => {
    const exchange = new Exchange({
      accounts: [{ accountNumber: 'A', cash: money('1') }],
      feeRatio: FEE,
      venueRejects: false,
    })
    expect(refusalOf(order(exchange, 'buy', 1, 70_000))).toBe('sessionNotOpen')
    exchange.apply(opened())
    exchange.apply(phase('15:30', 'closed'))
    expect(refusalOf(order(exchange, 'buy', 1, 70_000))).toBe('sessionClosed')
  })

  test('where the venue decides, a bad price is taken and then rejected, and holds nothing', () => {
    const exchange = open({ venueRejects: true })
    const entry = order(exchange, 'buy', 10, 70_050)
    expect(kindsOf(entry)).toEqual(['accepted', 'rejected'])
    expect(exchange.record.order(numberOf(entry))).toMatchObject({ rejected: 10n, remaining: 0n })
    expect(formatMoney(exchange.record.freeCash('A'))).toBe('10000000')
  })

  test('a suspended instrument is not traded', () => {
    expect(refusalOf(order(open({ isTradable: false }), 'buy', 1, 70_000))).toBe('notTradable')
  })
})

describe('changes', () => {
  test('an amend makes a new order of what remains and kills the old number', () => {
    const exchange = open()
    const first = order(exchange, 'buy', 10, 70_000)
    exchange.apply(printed(69_900, 3))
    const target = { accountNumber: 'A', orderNumber: numberOf(first), typeCode: '00' }
    const second = exchange.amend(target, { limitPrice: price('69000') })
    expect(kindsOf(second)).toEqual(['amendReceived', 'amended'])
    expect(second).toMatchObject({ order: { originalNumber: numberOf(first), quantity: 7n, remaining: 7n } })
    expect(exchange.record.order(numberOf(first))).toMatchObject({ filled: 3n, moved: 7n, remaining: 0n })
    expect(refusalOf(exchange.cancel(target))).toBe('nothingRemains')
  })

  test('part of an order can be canceled, but not more than remains', () => {
    const exchange = open()
    const first = order(exchange, 'buy', 10, 70_000)
    const target = { accountNumber: 'A', orderNumber: numberOf(first), typeCode: '00' }
    expect(refusalOf(exchange.cancel(target, quantity('11')))).toBe('quantityOverRemaining')
    expect(kindsOf(exchange.cancel(target, quantity('4')))).toEqual(['cancelReceived', 'canceled'])
    expect(exchange.record.order(numberOf(first))).toMatchObject({ canceled: 4n, remaining: 6n })
  })

  test("nobody changes another account's order", () => {
    const exchange = open()
    const first = order(exchange, 'buy', 10, 70_000)
    const target = { accountNumber: 'B', orderNumber: numberOf(first), typeCode: '00' }
    expect(refusalOf(exchange.cancel(target))).toBe('orderUnknown')
  })

  test('an amend that the cash does not cover leaves the order as it was', () => {
    const exchange = open({ cash: '710000' })
    const first = order(exchange, 'buy', 10, 70_000)
    const target = { accountNumber: 'A', orderNumber: numberOf(first), typeCode: '00' }
    expect(refusalOf(exchange.amend(target, { limitPrice: price('72000') }))).toBe('cashInsufficient')
    exchange.apply(printed(69_900, 100))
    expect(exchange.record.order(numberOf(first))).toMatchObject({ filled: 10n })
  })

  test('at the close every working order expires and releases its cash', () => {
    const exchange = open()
    const first = order(exchange, 'buy', 10, 69_000)
    exchange.apply(phase('15:30', 'closed'))
    expect(exchange.record.order(numberOf(first))).toMatchObject({ expired: 10n, remaining: 0n })
    expect(formatMoney(exchange.record.freeCash('A'))).toBe('10000000')
  })
})

test('charges do not depend on how an order is cut into fills, nor on an amend in between', () => {
  const cashAfter = (prints: readonly number[], amends: boolean): string => {
    const exchange = open()
    const first = order(exchange, 'buy', 100, 70_000)
    for (const [index, units] of prints.entries()) {
      exchange.apply(printed(69_900, units))
      if (!amends || index > 0) continue
      exchange.amend(
        { accountNumber: 'A', orderNumber: numberOf(first), typeCode: '00' },
        { limitPrice: price('70000') },
      )
    }
    return formatMoney(exchange.record.account('A')?.cash ?? money('0'))
  }
  expect(cashAfter([100], false)).toBe(cashAfter([1, 1, 1, 97], false))
  expect(cashAfter([100], false)).toBe(cashAfter([33, 33, 34], true))
})

const Command = fc.oneof(
  fc.record({
    kind: fc.constant('print' as const),
    step: fc.integer({ min: -20, max: 20 }),
    units: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('order' as const),
    side: fc.constantFrom<Side>('buy', 'sell'),
    account: fc.constantFrom('A', 'B'),
    step: fc.option(fc.integer({ min: -20, max: 20 }), { nil: undefined }),
    units: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({
    kind: fc.constant('cancel' as const),
    which: fc.nat(30),
    units: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('amend' as const),
    which: fc.nat(30),
    step: fc.integer({ min: -20, max: 20 }),
  }),
)

test('whatever happens, cash and shares are conserved and no account promises what it does not have', () => {
  let fills = 0
  fc.assert(
    fc.property(fc.array(Command, { maxLength: 80, size: 'max' }), (commands) => {
      const exchange = open()
      for (const command of commands) {
        const wonAt = (step: number): number => 70_000 + step * 100
        if (command.kind === 'print') exchange.apply(printed(wonAt(command.step), command.units))
        else if (command.kind === 'order') {
          const won = command.step === undefined ? undefined : wonAt(command.step)
          order(exchange, command.side, command.units, won, command.account)
        } else {
          const row = exchange.record.order(command.which)
          const target = {
            accountNumber: row?.accountNumber ?? 'A',
            orderNumber: command.which,
            typeCode: '00',
          }
          if (command.kind === 'amend')
            exchange.amend(target, { limitPrice: price(String(wonAt(command.step))) })
          else
            exchange.cancel(target, command.units === undefined ? undefined : quantity(String(command.units)))
        }
        check(exchange)
      }
      for (const row of exchange.record.orders()) fills += row.fills
    }),
    { numRuns: 250 },
  )
  expect(fills).toBeGreaterThan(1000)
})

function check(exchange: Exchange): void {
  const rows = [...exchange.record.orders()]
  for (const row of rows) {
    const parts = row.filled + row.canceled + row.rejected + row.expired + row.moved + row.remaining
    expect(parts).toBe(row.change === 'cancel' ? 0n : row.quantity)
  }
  for (const accountNumber of ['A', 'B']) {
    const own = rows.filter((row) => row.accountNumber === accountNumber)
    const account = exchange.record.account(accountNumber)
    expect(account?.cash).toBe(cashOf(own))
    const held = own.reduce((sum, row) => sum + (row.side === 'buy' ? row.filled : 0n - row.filled), 0n)
    expect(account?.holdings.get(ID)?.position.quantity ?? 0n).toBe(held)
    expect(exchange.record.freeCash(accountNumber)).toBeGreaterThanOrEqual(0n)
    expect(exchange.record.freeQuantity(accountNumber, ID)).toBeGreaterThanOrEqual(0n)
  }
}

/** Counted again from the rows alone: charges once per chain of amends. */
function cashOf(rows: readonly VenueOrder[]): bigint {
  let cash: bigint = money('10000000')
  const replaced = new Set(rows.flatMap((row) => (row.change === 'amend' ? [row.originalNumber] : [])))
  const taxRatio = sellTaxRatioOf('stock', 'KOSPI', DATE)
  for (const row of rows) {
    cash += row.side === 'buy' ? 0n - row.filledNotional : row.filledNotional
    // The last of a chain knows what the whole chain traded.
    if (row.change === 'cancel' || replaced.has(row.orderNumber)) continue
    const traded = (row.earlierNotional + row.filledNotional) as Money
    cash -= shareOf(traded, FEE, 'down')
    if (row.side === 'sell') cash -= shareOf(traded, taxRatio, 'down')
  }
  return cash
}
