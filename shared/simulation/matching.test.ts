import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BookLevel } from '#shared/domain/market-data.ts'
import type { Side, TimeInForce } from '#shared/domain/order.ts'
import { type Price, type Quantity, formatPrice, price, quantity } from '#shared/domain/values.ts'
import type { Depth } from './market-event.ts'
import {
  type Match,
  type Matching,
  emptyMatching,
  enter,
  print,
  quote,
  uncross,
  withdraw,
} from './matching.ts'

/** `101x5 102x10 | 100x7 99x3`: asks, then bids, best first. */
function depth(text: string): Depth {
  const [asks = '', bids = ''] = text.split('|')
  const levels = (side: string): BookLevel[] =>
    side.split(' ').flatMap((level) => {
      const [at, units] = level.split('x')
      return at && units ? [{ price: price(at), quantity: quantity(units) }] : []
    })
  return { asks: levels(asks.trim()), bids: levels(bids.trim()) }
}

interface Played {
  state: Matching
  matches: Match[]
  killed: bigint
}

let priority = 0

/** `a buy 7 @ 100 ioc`, `a buy 7 @ market`, `print 100x9`, `book 101x5 | 100x7`, `auction 100x20`, `cancel buy a`. */
function play(steps: readonly string[]): Played {
  let played: Played = { state: emptyMatching, matches: [], killed: 0n }
  let isAuction = false
  const add = (next: { state: Matching; matches: readonly Match[]; killed?: bigint }): void => {
    const matches = [...played.matches, ...next.matches]
    played = { state: next.state, matches, killed: played.killed + (next.killed ?? 0n) }
  }
  for (const step of steps) {
    const words = step.split(' ')
    const [first = '', second = '', third = '', , limit = '', timeInForce = 'day'] = words
    const [at = '0', units = '0'] = second.split('x')
    if (first === 'print') add(print(played.state, price(at), quantity(units)))
    else if (first === 'book') add(quote(played.state, depth(step.slice(5))))
    else if (first === 'call') isAuction = true
    else if (first === 'auction') {
      add(uncross(played.state, price(at), quantity(units)))
      isAuction = false
    } else if (first === 'cancel') add({ state: withdraw(played.state, second as Side, third), matches: [] })
    else {
      priority += 1
      const order = {
        orderId: first,
        side: second as Side,
        quantity: quantity(third),
        timeInForce: timeInForce as TimeInForce,
        priority,
        ...(limit === 'market' ? {} : { limitPrice: price(limit) }),
      }
      add(enter(played.state, order, isAuction))
    }
  }
  return played
}

const told = (matches: readonly Match[]): string =>
  matches.map((match) => `${match.orderId} ${match.quantity}@${formatPrice(match.price)}`).join(', ')

const BOOK = 'book 101x5 102x10 103x20 | 100x7 99x3 98x50'

describe('an incoming order', () => {
  test.each([
    // name                                             steps                                                       matches
    ['takes displayed levels at their prices', [BOOK, 'a buy 12 @ 102'], 'a 5@101, a 7@102'],
    ['stops at its limit', [BOOK, 'a buy 12 @ 101'], 'a 5@101'],
    ['sells down the bids', [BOOK, 'a sell 9 @ 99'], 'a 7@100, a 2@99'],
    [
      'without a limit takes all that is displayed',
      [BOOK, 'a buy 40 @ market'],
      'a 5@101, a 10@102, a 20@103',
    ],
    ['that does not reach the other side rests', [BOOK, 'a buy 5 @ 100'], ''],
    ['cannot take what another has taken', [BOOK, 'a buy 5 @ 101', 'b buy 5 @ 102'], 'a 5@101, b 5@102'],
    ['cannot take it from the next book either', [BOOK, 'a buy 5 @ 101', BOOK, 'b buy 5 @ 101'], 'a 5@101'],
    [
      'may take a level again once as much has printed there',
      [BOOK, 'a buy 5 @ 101', 'print 101x5', BOOK, 'b buy 5 @ 101'],
      'a 5@101, b 5@101',
    ],
    [
      'may take a level again once it was gone',
      [BOOK, 'a buy 5 @ 101', 'book 102x10 | 100x7', BOOK, 'b buy 5 @ 101'],
      'a 5@101, b 5@101',
    ],
    [
      'meets our own better offer before the book',
      [BOOK, 'a sell 4 @ 101', 'cancel sell x', 'book 102x10 | 100x7', 'b buy 6 @ 102'],
      'b 4@101, a 4@101, b 2@102',
    ],
    [
      'meets the displayed quantity before our own at one price',
      [BOOK, 'a sell 4 @ 101', 'b buy 7 @ 101'],
      'b 5@101, b 2@101, a 2@101',
    ],
  ])('%s', (_name, steps, expected) => {
    expect(told(play(steps).matches)).toBe(expected)
  })

  test.each([
    ['IOC keeps nothing in the book', [BOOK, 'a buy 12 @ 101 ioc', 'print 90x100'], 'a 5@101', 7n],
    ['IOC that matches nothing is canceled whole', [BOOK, 'a buy 12 @ 100 ioc', 'print 90x100'], '', 12n],
    ['FOK takes everything or nothing', [BOOK, 'a buy 16 @ 102 fok'], '', 16n],
    ['FOK that fits is filled', [BOOK, 'a buy 15 @ 102 fok'], 'a 5@101, a 10@102', 0n],
    [
      'FOK that fails leaves the levels to others',
      [BOOK, 'a buy 16 @ 102 fok', 'b buy 5 @ 101'],
      'b 5@101',
      16n,
    ],
    [
      'a market IOC does not wait for more',
      [BOOK, 'a buy 50 @ market ioc', BOOK],
      'a 5@101, a 10@102, a 20@103',
      15n,
    ],
  ])('%s', (_name, steps, expected, killed) => {
    const played = play(steps)
    expect(told(played.matches)).toBe(expected)
    expect(played.killed).toBe(killed)
  })
})

describe('a resting order', () => {
  test.each([
    ['waits for the queue before it', [BOOK, 'a buy 5 @ 100', 'print 100x7'], ''],
    ['fills with what prints behind its queue', [BOOK, 'a buy 5 @ 100', 'print 100x9'], 'a 2@100'],
    [
      'keeps its place over several prints',
      [BOOK, 'a buy 5 @ 100', 'print 100x4', 'print 100x4', 'print 100x9'],
      'a 1@100, a 4@100',
    ],
    [
      'moves up when the queue leaves',
      [BOOK, 'a buy 5 @ 100', 'book 101x5 | 100x2', 'print 100x4'],
      'a 2@100',
    ],
    [
      'does not lose its place when others join',
      [BOOK, 'a buy 5 @ 100', 'book 101x5 | 100x90', 'print 100x8'],
      'a 1@100',
    ],
    [
      'at an empty price inside the spread has no queue',
      ['book 104x5 | 100x7', 'a buy 5 @ 102', 'print 102x3'],
      'a 3@102',
    ],
    ['deeper than the book shows waits until the level is seen', [BOOK, 'a buy 5 @ 97', 'print 97x900'], ''],
    [
      'deeper than the book shows fills when the tape goes through it',
      [BOOK, 'a buy 5 @ 97', 'print 96x900'],
      'a 5@97',
    ],
    ['never gets more than was printed', [BOOK, 'a buy 50 @ 100', 'print 99x20'], 'a 20@100'],
    ['fills at its own limit when the tape goes through', [BOOK, 'a sell 5 @ 102', 'print 105x9'], 'a 5@102'],
    [
      'fills at the printed price when it has no limit',
      [BOOK, 'a sell 70 @ market', 'print 97x9'],
      'a 7@100, a 3@99, a 50@98, a 9@97',
    ],
    [
      'is reached by the other side of a new book',
      [BOOK, 'a buy 9 @ 100', 'book 99x4 101x9 | 98x1'],
      'a 4@100',
    ],
    ['gives way to a better price', [BOOK, 'a buy 5 @ 98', 'b buy 5 @ 99', 'print 97x8'], 'b 5@99, a 3@98'],
    [
      'gives way to an earlier one at the same price',
      ['book 104x5 | 100x7', 'a buy 5 @ 102', 'b buy 5 @ 102', 'print 101x8'],
      'a 5@102, b 3@102',
    ],
    ['gives way to a market order', ['a buy 5 @ 102', 'b buy 5 @ market', 'print 101x8'], 'b 5@101, a 3@102'],
    ['that was canceled is gone', [BOOK, 'a buy 5 @ 100', 'cancel buy a', 'print 90x99'], ''],
  ])('%s', (_name, steps, expected) => {
    expect(told(play(steps).matches)).toBe(expected)
  })
})

describe('a call auction', () => {
  test.each([
    ['fills at its price, not at the limit', ['call', 'a buy 5 @ 105', 'auction 101x50'], 'a 5@101'],
    [
      'leaves what its price does not reach',
      ['call', 'a buy 5 @ 100', 'b sell 5 @ 102', 'auction 101x50'],
      '',
    ],
    [
      'fills no more than it traded, a side',
      ['call', 'a buy 40 @ 105', 'b buy 40 @ 106', 'auction 101x50'],
      'b 40@101, a 10@101',
    ],
    [
      'serves market orders first',
      ['call', 'a sell 40 @ 100', 'b sell 40 @ market', 'auction 101x50'],
      'b 40@101, a 10@101',
    ],
    ['does not match before its price is known', ['call', BOOK, 'a buy 5 @ market'], ''],
    [
      'keeps what is left for continuous trading',
      ['call', 'a buy 60 @ 105', 'auction 101x50', 'print 103x20'],
      'a 50@101, a 10@105',
    ],
  ])('%s', (_name, steps, expected) => {
    expect(told(play(steps.filter((step) => step !== '')).matches)).toBe(expected)
  })
})

const Step = fc.oneof(
  fc.record({
    kind: fc.constant('print' as const),
    at: fc.integer({ min: 95, max: 106 }),
    units: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({
    kind: fc.constant('book' as const),
    bid: fc.integer({ min: 96, max: 104 }),
    units: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('order' as const),
    side: fc.constantFrom<Side>('buy', 'sell'),
    at: fc.option(fc.integer({ min: 95, max: 106 }), { nil: undefined }),
    units: fc.integer({ min: 1, max: 50 }),
    timeInForce: fc.constantFrom<TimeInForce>('day', 'day', 'ioc', 'fok'),
  }),
)

test('whatever happens, no print is filled beyond its volume, nobody beyond its order, and a better price never waits', () => {
  fc.assert(
    fc.property(fc.array(Step, { maxLength: 60, size: 'max' }), (steps) => {
      let state = emptyMatching
      const wanted = new Map<string, { side: Side; left: bigint; limit: Price | undefined }>()
      for (const [index, step] of steps.entries()) {
        let matches: readonly Match[] = []
        if (step.kind === 'order') {
          const orderId = String(index)
          const limit = step.at === undefined ? undefined : price(String(step.at))
          const units = BigInt(step.units) as Quantity
          wanted.set(orderId, { side: step.side, left: units, limit })
          const { side, timeInForce } = step
          const order = { orderId, side, quantity: units, timeInForce, priority: index }
          const entered = enter(state, limit === undefined ? order : { ...order, limitPrice: limit }, false)
          ;({ state, matches } = entered)
        } else if (step.kind === 'book') {
          const text = `${step.bid + 1}x${step.units} ${step.bid + 2}x9 | ${step.bid}x${step.units} ${step.bid - 1}x9`
          ;({ state, matches } = quote(state, depth(text)))
        } else {
          const at = price(String(step.at))
          ;({ state, matches } = print(state, at, BigInt(step.units) as Quantity))
          checkPrint(state, matches, wanted, BigInt(step.units))
        }
        for (const match of matches) {
          const order = wanted.get(match.orderId)
          expect(order).toBeDefined()
          if (order === undefined) continue
          order.left -= match.quantity
          expect(order.left).toBeGreaterThanOrEqual(0n)
          const { limit } = order
          const isWithin =
            limit === undefined || (order.side === 'buy' ? match.price <= limit : match.price >= limit)
          expect(isWithin).toBe(true)
        }
      }
    }),
    { numRuns: 400 },
  )
})

function checkPrint(
  state: Matching,
  matches: readonly Match[],
  wanted: ReadonlyMap<string, { side: Side; limit: Price | undefined }>,
  printed: bigint,
): void {
  for (const side of ['buy', 'sell'] as const) {
    const own = matches.filter((match) => wanted.get(match.orderId)?.side === side)
    expect(own.reduce((sum, match) => sum + match.quantity, 0n)).toBeLessThanOrEqual(printed)
    const waiting = side === 'buy' ? state.buys : state.sells
    for (const match of own) {
      const limit = wanted.get(match.orderId)?.limit
      const better = waiting.filter((order) => {
        if (order.orderId === match.orderId || limit === undefined) return false
        if (order.limitPrice === undefined) return true
        return side === 'buy' ? order.limitPrice > limit : order.limitPrice < limit
      })
      expect(better).toEqual([])
    }
  }
}
