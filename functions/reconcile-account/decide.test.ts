import { describe, expect, test } from 'vitest'
import { type Instant, addMs, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { ZERO_MONEY, money, price, quantity } from '#shared/domain/values.ts'
import type { BrokerOrder } from '#shared/ports/broker-gateway.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import { DATE, HYNIX, NOON, SAMSUNG, account, position, stored } from '../../test/build.ts'
import { balanceOf } from '../../test/scripted-broker.ts'
import {
  differencesOf,
  expiryOf,
  forgotten,
  hasNews,
  isAbandoned,
  isInSession,
  listedReportOf,
  sessionEndOf,
  verdictOf,
} from './decide.ts'

const RULES = { settleMs: 30_000, deadlineMs: 600_000, clockSkewMs: 5_000 }
const lost = stored('buy 10 @ 70000', { status: 'outcomeUnknown', attempt: 1, submittedTime: NOON })

const row = (over: Partial<BrokerOrder> = {}): BrokerOrder => ({
  brokerOrderId: '0000000001',
  brokerRoute: '00950',
  instrumentId: SAMSUNG,
  side: 'buy',
  quantity: quantity('10'),
  limitPrice: price('70000'),
  filledQuantity: quantity('0'),
  filledNotional: ZERO_MONEY,
  canceledQuantity: quantity('0'),
  rejectedQuantity: quantity('0'),
  remainingQuantity: quantity('10'),
  isChange: false,
  orderTime: NOON,
  ...over,
})

describe('what a list proves of an unclear order', () => {
  test.each([
    // name                                             rows                                            after ms  verdict
    ['its row', [row()], 0, 'found'],
    ['its row, by a clock that runs behind ours', [row({ orderTime: addMs(NOON, -5_000) })], 0, 'found'],
    ['a row that is older than the order', [row({ orderTime: addMs(NOON, -5_001) })], 30_000, 'absent'],
    ['another price', [row({ limitPrice: price('69900') })], 30_000, 'absent'],
    ['another quantity', [row({ quantity: quantity('11') })], 30_000, 'absent'],
    ['the other side', [row({ side: 'sell' })], 30_000, 'absent'],
    ['another instrument', [row({ instrumentId: HYNIX })], 30_000, 'absent'],
    ['an amend or a cancel', [row({ isChange: true })], 30_000, 'absent'],
    ['nothing, before the list is complete', [], 29_999, 'wait'],
    ['nothing, once it is', [], 30_000, 'absent'],
    ['two rows', [row(), row({ brokerOrderId: '0000000002' })], 30_000, 'park'],
  ] as const)('%s', (_name, rows, afterMs, expected) => {
    expect(verdictOf(lost, rows, addMs(NOON, afterMs), RULES).verdict).toBe(expected)
  })
})

describe('what is said of an order', () => {
  const next = kstInstant(sessionDate('2025-09-03'), timeOfDay('10:00'))

  test('has the same id however often and on whatever day it is read', () => {
    const id = (at: Instant) => listedReportOf(lost, row(), at).executionId
    expect(id(addMs(NOON, 1))).toBe(id(NOON))
    expect(id(next)).toBe(id(NOON))
  })

  test('read on a later day carries the end of the day that it belongs to', () => {
    expect(listedReportOf(lost, row(), addMs(NOON, 7)).eventTime).toBe(addMs(NOON, 7))
    expect(listedReportOf(lost, row(), next).eventTime).toBe(kstInstant(DATE, timeOfDay('15:30')))
  })

  test('has another id once more is known', () => {
    const ids = [row(), row({ filledQuantity: quantity('1') }), row({ canceledQuantity: quantity('1') })].map(
      (each) => listedReportOf(lost, each, NOON).executionId,
    )
    expect(new Set(ids).size).toBe(3)
  })

  test('an expiry has one id', () => {
    const ids = [NOON, next].map((at) => expiryOf(lost, '0000000001', at).executionId)
    expect(new Set(ids).size).toBe(1)
  })

  test.each([
    ['more is filled', row({ filledQuantity: quantity('1') }), true],
    ['nothing has changed', row(), false],
    ['the rest has ended', row({ remainingQuantity: quantity('0'), canceledQuantity: quantity('10') }), true],
    ['a part has ended', row({ remainingQuantity: quantity('6'), canceledQuantity: quantity('4') }), false],
  ])('only if there is news: %s', (_name, listed, expected) => {
    expect(hasNews(stored('buy 10 @ 70000', { status: 'accepted' }), listed)).toBe(expected)
  })
})

describe('sessions', () => {
  const at = (time: string, date = DATE) => kstInstant(date, timeOfDay(time))

  test.each([
    ['before order entry', at('08:29:59'), false],
    ['from order entry', at('08:30'), true],
    ['until the close', at('15:29:59'), true],
    ['from the close', at('15:30'), false],
    ['on a Sunday', at('12:00', sessionDate('2025-09-07')), false],
    ['beyond the calendar', at('12:00', sessionDate('2099-09-07')), false],
  ])('%s', (_name, now, expected) => expect(isInSession(now)).toBe(expected))

  test.each([
    ['has not ended a moment before', DATE, addMs(at('15:30'), -1), undefined],
    ['has ended at the close', DATE, at('15:30'), at('15:30')],
    ['has ended at its close the next day too', DATE, at('09:00', sessionDate('2025-09-03')), at('15:30')],
    [
      'beyond the calendar ends with its day',
      sessionDate('2099-09-07'),
      at('23:59', sessionDate('2099-09-07')),
      undefined,
    ],
  ])('a session %s', (_name, day, now, expected) => expect(sessionEndOf(day, now)).toBe(expected))
})

describe('orders that nobody comes for', () => {
  const waiting = stored('buy 10 @ 70000', { clientOrderId: 'b' })
  const ids = (open: readonly StoredOrder[], afterMs: number) =>
    forgotten(open, addMs(NOON, afterMs), 5_000).map(({ clientOrderId }) => clientOrderId)

  test('an approved one is woken once it is old enough', () => {
    expect(ids([waiting], 5_000)).toEqual([])
    expect(ids([waiting], 5_001)).toEqual(['b'])
  })

  test('not while one of its shape is unclear', () => {
    expect(ids([lost, waiting], 60_000)).toEqual([])
    expect(ids([{ ...lost, status: 'accepted' }, waiting], 60_000)).toEqual(['b'])
    expect(ids([{ ...lost, limitPrice: price('69900') }, waiting], 60_000)).toEqual(['b'])
  })

  test('a sender is gone for good after four settle waits', () => {
    const sending = { ...lost, status: 'submitting' as const }
    expect(isAbandoned(sending, addMs(NOON, 119_999), RULES)).toBe(false)
    expect(isAbandoned(sending, addMs(NOON, 120_000), RULES)).toBe(true)
    expect(isAbandoned(lost, addMs(NOON, 120_000), RULES)).toBe(false)
  })
})

describe('both sides compared', () => {
  const ours = account({ cash: money('1000000'), positions: [position(SAMSUNG, 10n, '700000')] })
  const theirs = (cash: string, units: string) => balanceOf(cash, [{ id: SAMSUNG, units, at: '70000' }])

  test.each([
    ['the same', theirs('1000000', '10'), '0', 0],
    ['other cash', theirs('999999', '10'), '0', 1],
    ['other cash within the tolerance, either way', theirs('999990', '10'), '10', 0],
    ['other cash beyond it', theirs('1000010.0001', '10'), '10', 1],
    ['another position and other cash', theirs('1', '9'), '0', 2],
    ['a position that they do not have', balanceOf('1000000'), '0', 1],
  ])('%s', (_name, balance, tolerance, lines) => {
    expect(differencesOf(ours, balance, money(tolerance))).toHaveLength(lines)
  })

  test('a flat position of ours is none', () => {
    const flat = account({ cash: money('1'), positions: [position(HYNIX, 0n, '0')] })
    expect(differencesOf(flat, balanceOf('1'), ZERO_MONEY)).toEqual([])
  })
})
