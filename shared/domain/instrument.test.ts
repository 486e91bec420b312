import { describe, expect, test } from 'vitest'
import { InstrumentIdError, instrumentId, symbolOf, venueOf } from './instrument.ts'

describe('instrument ids', () => {
  test.each([
    ['005930.KRX', '005930', 'KRX'],
    ['0000J0.KRX', '0000J0', 'KRX'], // newer codes hold letters
    ['Q530036.KRX', 'Q530036', 'KRX'],
    ['AAPL.NASDAQ', 'AAPL', 'NASDAQ'],
  ])('%s', (text, symbol, venue) => {
    const id = instrumentId(text)
    expect(symbolOf(id)).toBe(symbol)
    expect(venueOf(id)).toBe(venue)
  })

  test.each([
    '005930', // no venue
    '005930.XXX', // a venue that we do not know
    '.KRX',
    '005930.',
    '005930.krx',
    'aapl.NASDAQ',
    'BRK.B.NYSE',
    '005930.KRX ',
    '1234567890123.KRX',
    '',
  ])('%j is refused', (text) => {
    expect(() => instrumentId(text)).toThrow(InstrumentIdError)
  })

  test('the refusal names the text', () => {
    expect(() => instrumentId('005930')).toThrow('not SYMBOL.VENUE: "005930"')
  })
})
