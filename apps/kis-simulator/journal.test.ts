import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import { money, price, quantity, ratio } from '#shared/domain/values.ts'
import type { Side } from '#shared/domain/order.ts'
import { Broker } from './broker.ts'
import { JournalError } from './journal.ts'
import { seededMarket } from './market/seeded.ts'

const ACCOUNT = '5012345601'
let directory = ''
let statePath = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'jts-journal-'))
  statePath = join(directory, 'journal')
})
afterEach(() => rmSync(directory, { recursive: true }))

const open = (state?: string, seed = 7): Broker =>
  new Broker({
    accounts: [{ accountNumber: ACCOUNT, cash: money('1000000000') }],
    feeRatio: ratio('0.00014'),
    venueRejects: false,
    source: seededMarket({ seed, eventsPerSecond: 1 }),
    elapsedMs: () => 0,
    ...(state === undefined ? {} : { statePath: state }),
  })

function order(broker: Broker, side: Side, symbol: string, units: number, won?: number): void {
  broker.submit({
    accountNumber: ACCOUNT,
    instrumentId: instrumentId(`${symbol}.KRX`),
    side,
    orderType: won === undefined ? 'market' : 'limit',
    timeInForce: 'day',
    typeCode: won === undefined ? '01' : '00',
    quantity: quantity(String(units)),
    ...(won === undefined ? {} : { limitPrice: price(String(won)) }),
  })
}

function advance(broker: Broker, events: number): void {
  for (let count = 0; count < events; count += 1) broker.advance()
  broker.markPosition()
}

/** Orders at fixed places of the tape, enough of them resting that queues and partial fills matter. */
function trade(broker: Broker, from: number, to: number): void {
  for (let event = from; event < to; event += 1) {
    if (event % 400 === 50) order(broker, 'buy', '005930', 300, 71_000 + (event % 7) * 100)
    if (event % 900 === 100) order(broker, 'buy', '114800', 20_000)
    if (event % 700 === 650) order(broker, 'sell', '114800', 900, 3_570)
    advance(broker, 1)
  }
}

test('a broker that was stopped anywhere goes on as if it never had been', () => {
  const whole = open()
  trade(whole, 0, 9_000)
  const cut = [1, 777, 3_210, 8_999]
  let at = 0
  for (const stop of cut) {
    const part = open(statePath)
    trade(part, at, stop)
    part.close()
    at = stop
  }
  const last = open(statePath)
  trade(last, at, 9_000)
  const { tape: _mine, ...mine } = last.report()
  const { tape: _theirs, ...theirs } = whole.report()
  expect(mine).toEqual(theirs)
  expect(mine.brokerFills).toBeGreaterThan(20)
  expect(last.tape.position()).toEqual(whole.tape.position())
  expect([...last.exchange.record.orders()]).toEqual([...whole.exchange.record.orders()])
  last.close()
})

test('a restart costs one session, not the whole tape, and base prices and charts survive it', () => {
  const first = open(statePath)
  const { date } = first.tape.position()
  while (first.tape.position().date === date || first.tape.position().index < 500) first.advance()
  first.markPosition()
  const samsung = instrumentId('005930.KRX')
  const day = first.tape.day(samsung)
  first.close()
  const second = open(statePath)
  expect(second.tape.position()).toEqual(first.tape.position())
  expect(second.tape.day(samsung)?.instrument.basePrice).toBe(day?.instrument.basePrice)
  expect(second.tape.day(samsung)?.volume).toBe(day?.volume)
  expect(second.tape.history(samsung)).toEqual(first.tape.history(samsung))
  second.close()
})

test('a line that was not finished is forgotten, the ones before it are not', () => {
  const first = open(statePath)
  order(first, 'buy', '005930', 5, 60_000)
  first.close()
  appendFileSync(statePath, '{"at":1,"orders":[{"orderNumber":2,"accou')
  const second = open(statePath)
  expect(second.report().brokerOrders).toBe(1)
  order(second, 'buy', '005930', 5, 60_000)
  expect([...second.exchange.record.orders()].map((row) => row.orderNumber)).toEqual([1, 2])
  second.close()
})

test('another market keeps the account and begins its tape at the beginning', () => {
  const first = open(statePath)
  order(first, 'buy', '005930', 5, 90_000)
  advance(first, 60)
  expect(first.report().accounts[0]?.positions).toHaveLength(1)
  first.close()
  const second = open(statePath, 8)
  expect(second.report().accounts).toEqual(first.report().accounts)
  expect(second.tape.position().index).toBe(1)
  second.close()
})

test('a file that is no journal is refused, not overwritten', () => {
  writeFileSync(statePath, 'my diary\n')
  expect(() => open(statePath)).toThrow(JournalError)
  expect(readFileSync(statePath, 'utf8')).toBe('my diary\n')
})

test('the file starts anew when a session ends, so it does not grow for ever', () => {
  const broker = open(statePath)
  const { date } = broker.tape.position()
  while (broker.tape.position().date === date) advance(broker, 1)
  advance(broker, 10)
  expect(readFileSync(statePath, 'utf8').split('\n').length).toBeLessThan(30)
  broker.close()
})
