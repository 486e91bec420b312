import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import type { TradeTick } from '#shared/domain/market-data.ts'
import { addMs, formatInstant, parseInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice, price, quantity } from '#shared/domain/values.ts'
import {
  type Forming,
  type FormingBar,
  NOTHING_FORMING,
  addTick,
  endPhase,
  isComplete,
  openTimeOf,
} from './bars.ts'

const SAMSUNG = instrumentId('005930.KRX')
const APPLE = instrumentId('AAPL.NASDAQ')
const none = quantity('0')

/** `10:00:05 3 @ 70000`, on 2 September 2025 in Seoul. */
function tick(text: string, id = SAMSUNG): TradeTick {
  const [time = '', units = '', , unitPrice = ''] = text.split(' ')
  return {
    instrumentId: id,
    eventTime: parseInstant(`2025-09-02T${time}+09:00`),
    price: price(unitPrice),
    quantity: quantity(units),
    aggressor: 'buy',
    sessionVolume: none,
    bidPrice: price('0'),
    askPrice: price('0'),
  }
}

function run(ticks: readonly TradeTick[], from: Forming = NOTHING_FORMING) {
  let forming = from
  const closed: FormingBar[] = []
  let late = 0
  for (const each of ticks) {
    const formed = addTick(forming, each)
    forming = formed.forming
    closed.push(...formed.closed)
    late += formed.late.length
  }
  return { forming, closed, late }
}

/** `1m 10:00 o/h/l/c volume` with the opening time in Seoul. */
function show(bar: FormingBar): string {
  const prices = [bar.open, bar.high, bar.low, bar.close].map(formatPrice).join('/')
  const opened = formatInstant(addMs(bar.openTime, 9 * 3_600_000)).slice(11, 16)
  return `${bar.interval} ${opened} ${prices} ${bar.volume}`
}

describe('bars from ticks', () => {
  test('a bar closes when the first tick of a later minute comes, and holds none of it', () => {
    const { closed } = run([
      tick('10:00:05 3 @ 70000'),
      tick('10:00:30 1 @ 70200'),
      tick('10:00:59 2 @ 69900'),
      tick('10:01:00 9 @ 80000'),
    ])
    expect(closed.map(show)).toEqual(['1m 10:00 70000/70200/69900/69900 6'])
    expect(closed[0]).toMatchObject({ trades: 3 })
    expect(formatMoney((closed[0] as FormingBar).notional)).toBe('420000')
  })

  test('a minute without trades makes no bar', () => {
    const { closed } = run([tick('10:00:05 1 @ 100'), tick('10:03:00 1 @ 101'), tick('10:04:00 1 @ 102')])
    expect(closed.map(show)).toEqual(['1m 10:00 100/100/100/100 1', '1m 10:03 101/101/101/101 1'])
  })

  test('five minutes are aligned to the clock, not to the first tick', () => {
    const { closed } = run([tick('10:03:00 1 @ 100'), tick('10:04:59 1 @ 101'), tick('10:05:00 1 @ 102')])
    expect(closed.filter((bar) => bar.interval === '5m').map(show)).toEqual(['5m 10:00 100/101/100/101 2'])
  })

  test('a late tick changes nothing that closed, but still counts for longer bars in the making', () => {
    const before = run([tick('10:00:05 1 @ 100'), tick('10:01:05 1 @ 101')])
    const after = addTick(before.forming, tick('10:00:59 7 @ 500'))
    expect(after.late).toEqual(['1m'])
    expect(after.closed).toEqual([])
    expect(after.forming['1m']).toEqual(before.forming['1m'])
    expect(after.forming['5m'].bar).toMatchObject({ high: price('500'), volume: 9n })
  })

  test('time going back within a minute is merged: the venue prints seconds only', () => {
    const { forming, late } = run([tick('10:00:05 1 @ 100'), tick('10:00:04 1 @ 90')])
    expect(late).toBe(0)
    expect(forming['1m'].bar).toMatchObject({ low: price('90'), volume: 2n })
  })
})

describe('session phases', () => {
  const day = [
    tick('09:00:00 100 @ 50'), // opening auction
    tick('15:19:59 1 @ 60'),
    tick('15:30:00 200 @ 70'), // closing auction
  ]

  test('the day bar holds both auctions', () => {
    const { forming } = run(day)
    const { closed } = endPhase(forming, 'closed', parseInstant('2025-09-02T15:30:00+09:00'))
    expect(closed.map(show)).toEqual([
      '1m 15:30 70/70/70/70 200',
      '5m 15:30 70/70/70/70 200',
      '1d 09:00 50/70/50/70 301',
    ])
  })

  test('the end of continuous trading closes minutes and leaves the day open', () => {
    const { forming } = run(day.slice(0, 2))
    const at = parseInstant('2025-09-02T15:20:00+09:00')
    const ended = endPhase(forming, 'closingAuction', at)
    expect(ended.closed.map(show)).toEqual(['1m 15:19 60/60/60/60 1', '5m 15:15 60/60/60/60 1'])
    expect(endPhase(ended.forming, 'closingAuction', at).closed).toEqual([])
    expect(ended.forming['1d'].bar).toBeDefined()
  })

  test.each(['openingAuction', 'continuous'] as const)('the phase %s closes nothing', (phase) => {
    const { forming } = run(day)
    expect(endPhase(forming, phase, parseInstant('2025-09-02T16:00:00+09:00')).closed).toEqual([])
  })

  test('a close announced late does not end the bars of the next morning', () => {
    const { forming } = run([tick('09:00:00 1 @ 50')])
    expect(endPhase(forming, 'closed', parseInstant('2025-09-01T15:30:00+09:00')).closed).toEqual([])
  })

  test('a print after the close does not reopen the day', () => {
    const { forming } = run(day)
    const ended = endPhase(forming, 'closed', parseInstant('2025-09-02T15:30:00+09:00'))
    const after = addTick(ended.forming, tick('15:30:20 5 @ 99'))
    expect(after.late).toEqual(['1m', '5m', '1d'])
  })

  test('a New York session is one day, though Seoul has midnight in it', () => {
    const { closed } = run([tick('22:30:00 1 @ 200', APPLE), tick('23:59:00 1 @ 201', APPLE)])
    const next = addTick(run([tick('22:30:00 1 @ 200', APPLE)]).forming, {
      ...tick('23:59:00 1 @ 201', APPLE),
      eventTime: parseInstant('2025-09-03T04:59:00+09:00'),
    })
    expect(closed.filter((bar) => bar.interval === '1d')).toEqual([])
    expect(next.closed.filter((bar) => bar.interval === '1d')).toEqual([])
  })
})

describe('missed volume', () => {
  test.each([
    // seen, missed, complete
    ['99', '1', true],
    ['98', '1', false],
    ['1', '0', true],
    ['0', '1', false],
  ] as const)('%s seen and %s missed is complete: %s', (seen, missed, complete) => {
    const bar = addTick(NOTHING_FORMING, tick('10:00:00 1 @ 10')).forming['1m'].bar as FormingBar
    expect(isComplete({ ...bar, volume: quantity(seen), missedVolume: quantity(missed) })).toBe(complete)
  })

  test('a gap between two minutes is held against both', () => {
    const first = addTick(NOTHING_FORMING, tick('10:00:00 1 @ 10'))
    const second = addTick(first.forming, tick('10:01:00 1 @ 10'), quantity('50'))
    expect(second.closed[0]?.missedVolume).toBe(50n)
    expect(second.forming['1m'].bar?.missedVolume).toBe(50n)
    expect(second.forming['1d'].bar?.missedVolume).toBe(50n)
  })
})

test('no volume is lost or counted twice, whatever the ticks', () => {
  const trade = fc.record({
    step: fc.integer({ min: 0, max: 200_000 }),
    units: fc.bigInt(1n, 1000n),
    unit: fc.bigInt(1n, 10_000n),
  })
  fc.assert(
    fc.property(fc.array(trade, { minLength: 1, maxLength: 120 }), (trades) => {
      let at = parseInstant('2025-09-02T09:00:00+09:00')
      const ticks = trades.map(({ step, units, unit }) => {
        at = addMs(at, step)
        return {
          ...tick('09:00:00 1 @ 1'),
          eventTime: at,
          quantity: quantity(`${units}`),
          price: price(`${unit}`),
        }
      })
      const { forming, closed } = run(ticks)
      const all = [...closed, ...endPhase(forming, 'closed', at).closed]
      const expected = ticks.reduce((sum, each) => sum + each.quantity, 0n)
      for (const interval of ['1m', '5m', '1d'] as const) {
        const bars = all.filter((bar) => bar.interval === interval)
        expect(bars.reduce((sum, bar) => sum + bar.volume, 0n)).toBe(expected)
        expect(new Set(bars.map((bar) => bar.openTime)).size).toBe(bars.length)
        for (const bar of bars) {
          const inside = ticks.filter(
            (each) => openTimeOf(SAMSUNG, interval, each.eventTime) === bar.openTime,
          )
          expect([inside[0]?.price, inside.at(-1)?.price]).toEqual([bar.open, bar.close])
          expect(inside.every((each) => each.price >= bar.low && each.price <= bar.high)).toBe(true)
        }
      }
    }),
    { numRuns: 60 },
  )
})
