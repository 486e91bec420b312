import { describe, expect, test } from 'vitest'
import { type Instrument, instrumentId } from '#shared/domain/instrument.ts'
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { parseInstant, sessionDate } from '#shared/domain/time.ts'
import { price, quantity, ratio } from '#shared/domain/values.ts'
import { type InstrumentState, UNSEEN, decideQuote, decideTick, limitsFor } from './decide.ts'

const id = instrumentId('005930.KRX')
const at = (time: string) => parseInstant(`2025-09-02T${time}+09:00`)

const tick = (over: Partial<TradeTick> = {}): TradeTick => ({
  instrumentId: id,
  eventTime: at('10:00:05'),
  price: price('70000'),
  quantity: quantity('3'),
  aggressor: 'buy',
  sessionVolume: quantity('103'),
  bidPrice: price('69900'),
  askPrice: price('70000'),
  ...over,
})

const received = at('10:00:06')
const limits = { lower: price('49000'), upper: price('91000') }
/** One tick at 10:00:05, volume 103 so far. */
const running: InstrumentState = decideTick(
  UNSEEN,
  tick({ sessionVolume: quantity('3') }),
  received,
  limits,
).state
const seen: InstrumentState = { ...running, sessionVolume: quantity('103') }

describe('a tick', () => {
  test.each([
    // name                                   tick                                                kept   counts
    ['the next one', { sessionVolume: '106' }, true, []],
    ['seen before', { sessionVolume: '103' }, false, ['repeated']],
    ['older than one seen before', { sessionVolume: '50' }, false, ['repeated']],
    ['one share after a gap', { sessionVolume: '107' }, true, ['gap']],
    ['earlier within the minute', { sessionVolume: '106', time: '10:00:04' }, true, ['backwards']],
    ['of a minute that closed', { sessionVolume: '106', time: '09:59:59' }, true, ['backwards', 'late']],
    ['exactly at the upper limit', { sessionVolume: '106', price: '91000' }, true, []],
    ['above the upper limit', { sessionVolume: '106', price: '91100' }, false, ['outsideLimits']],
    ['exactly at the lower limit', { sessionVolume: '106', price: '49000' }, true, []],
    ['below the lower limit', { sessionVolume: '106', price: '48950' }, false, ['outsideLimits']],
    ['without a price', { sessionVolume: '106', price: '0' }, false, ['empty']],
    ['without a quantity', { sessionVolume: '106', quantity: '0' }, false, ['empty']],
    ['a minute ahead of us', { sessionVolume: '106', time: '10:01:06' }, true, []],
    ['more than a minute ahead of us', { sessionVolume: '106', time: '10:01:07' }, false, ['ahead']],
    ['from a feed without a running volume', { sessionVolume: '0' }, true, []],
  ])('%s: kept %s', (_name, given, kept, counts) => {
    const fields: Record<string, string> = given
    const decision = decideTick(
      seen,
      tick({
        sessionVolume: quantity(fields['sessionVolume'] ?? '0'),
        ...(fields['price'] === undefined ? {} : { price: price(fields['price']) }),
        ...(fields['quantity'] === undefined ? {} : { quantity: quantity(fields['quantity']) }),
        ...(fields['time'] === undefined ? {} : { eventTime: at(fields['time']) }),
      }),
      received,
      limits,
    )
    expect([decision.isKept, decision.counts]).toEqual([kept, counts])
  })

  test('the first of a session does not make a gap, though the day before ended higher', () => {
    const next = tick({ eventTime: parseInstant('2025-09-03T09:00:00+09:00'), sessionVolume: quantity('3') })
    const decision = decideTick(seen, next, parseInstant('2025-09-03T09:00:01+09:00'), undefined)
    expect(decision).toMatchObject({ isKept: true, counts: [] })
    expect(decision.closed.map((bar) => bar.interval)).toEqual(['1m', '5m', '1d'])
  })

  test('the first that we see of a running session says what was missed', () => {
    const decision = decideTick(UNSEEN, tick(), received, limits)
    expect(decision.counts).toEqual(['gap'])
    expect(decision.state.forming['1d'].bar?.missedVolume).toBe(100n)
  })

  test('a repeat changes nothing', () => {
    expect(decideTick(seen, tick({ sessionVolume: quantity('103') }), received, limits).state).toBe(seen)
  })
})

describe('price limits', () => {
  const instrument: Instrument = {
    id,
    name: 'Samsung Electronics',
    kind: 'stock',
    market: 'KOSPI',
    currency: 'KRW',
    quantityIncrement: quantity('1'),
    isTradable: true,
    basePrice: price('70000'),
    basePriceDate: sessionDate('2025-09-02'),
  }
  test.each([
    ['known for the day', instrument, limits],
    ['of an unknown instrument', undefined, undefined],
    ["yesterday's base price", { ...instrument, basePriceDate: sessionDate('2025-09-01') }, undefined],
    ['of an ETF that may be leveraged', { ...instrument, kind: 'etp' as const }, undefined],
    [
      'of an ETF that moves twice its index',
      { ...instrument, kind: 'etp' as const, leverage: ratio('2') },
      { lower: price('28000'), upper: price('112000') },
    ],
  ])('%s', (_name, given, expected) => {
    expect(limitsFor(given, sessionDate('2025-09-02'))).toEqual(expected)
  })
})

describe('a quote', () => {
  const quote = (bid: string, ask: string, bidQuantity = '5', time = '10:00:00'): QuoteTick => ({
    instrumentId: id,
    eventTime: at(time),
    bidPrice: price(bid),
    bidQuantity: quantity(bidQuantity),
    askPrice: price(ask),
    askQuantity: quantity('5'),
  })
  const { state } = decideQuote(UNSEEN, quote('100', '101'))

  test.each([
    ['with another bid', quote('99', '101'), true],
    ['with another ask', quote('100', '102'), true],
    ['with another size only', quote('100', '101', '6'), false],
    ['that is older', quote('99', '101', '5', '09:59:59'), false],
    ['that lost its ask', quote('100', '0'), true],
  ])('%s is news: %s', (_name, given, expected) => {
    expect(decideQuote(state, given).hasChanged).toBe(expected)
  })
})
