import { describe, expect, test } from 'vitest'
import { BarClosed, QuoteChanged, TickTraded } from '#shared/events/market.ts'
import { OrderApproved, OrderRequested } from '#shared/events/orders.ts'
import { backoffMs, backoffOf } from './backoff.ts'
import { CONSEQUENCES, consequenceOfStatus, isRetryableStatus } from './delivery.ts'
import { functionsFor, topicsOf } from './routing.ts'

describe('the delivery table', () => {
  test.each([
    ['done', false],
    ['ignored', false],
    ['retry', true],
    ['poison', false],
    ['defect', true],
  ] as const)('%s: a trigger delivers again: %s', (outcome, retried) => {
    const { status } = CONSEQUENCES[outcome]
    expect(isRetryableStatus(status)).toBe(retried)
    expect(status < 300).toBe(CONSEQUENCES[outcome].action === 'resolve')
  })

  test.each([
    [200, 'resolve'],
    [202, 'redeliver'],
    [204, 'resolve'],
    [301, 'redeliver'],
    [400, 'deadLetter'],
    [401, 'redeliver'],
    [404, 'redeliver'],
    [406, 'redeliver'],
    [408, 'redeliver'],
    [409, 'redeliver'],
    [413, 'deadLetter'],
    [415, 'redeliver'],
    [422, 'deadLetter'],
    [429, 'redeliver'],
    [500, 'redeliver'],
    [503, 'redeliver'],
    [599, 'redeliver'],
  ] as const)('an answer of %i: %s', (status, action) => {
    expect(consequenceOfStatus(status)).toBe(action)
  })
})

describe('routing', () => {
  const strategy = { name: 'strategy', consumes: [TickTraded, BarClosed] }
  const archive = { name: 'archive', consumes: [TickTraded, QuoteChanged, OrderRequested, OrderApproved] }
  const all = [strategy, archive]

  test.each([
    ['one of two', QuoteChanged.type, ['archive']],
    ['both, in order', TickTraded.type, ['strategy', 'archive']],
    ['a type of another version', 'jts.tick.traded.v2', []],
    ['a type that begins alike', 'jts.tick.traded.v10', []],
    ['a type in capitals', 'JTS.TICK.TRADED.V1', []],
    ['a foreign type', 'com.example.other', []],
    ['no type', '', []],
  ])('%s', (_name, type, names) => {
    expect(functionsFor({ type }, all).map(({ name }) => name)).toEqual(names)
  })

  test('a topic is subscribed once, however many of its types are consumed', () => {
    expect(topicsOf(archive)).toEqual(['market.ticks', 'orders'])
  })
})

describe('back-off', () => {
  const options = { baseMs: 100, maxMs: 1_000 }

  test.each([
    [1, 50, 100],
    [2, 100, 200],
    [4, 400, 800],
    [5, 500, 1_000],
    [1_000_000, 500, 1_000],
  ])('repetition %i waits between %i and %i ms', (attempt, least, most) => {
    expect(backoffMs(attempt, options, () => 0)).toBe(least)
    expect(backoffMs(attempt, options, () => 1)).toBe(most)
  })

  test('after a reset it begins anew', () => {
    const backoff = backoffOf(options, () => 1)
    expect([backoff.nextMs(), backoff.nextMs()]).toEqual([100, 200])
    backoff.reset()
    expect(backoff.nextMs()).toBe(100)
  })
})
