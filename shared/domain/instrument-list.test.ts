import { expect, test } from 'vitest'
import { parseInstruments } from './instrument-list.ts'

test('market and kind have the usual defaults and can be said', () => {
  const listed = parseInstruments('005930.KRX, 233740.KRX:KOSPI:etp,247540.KRX:KOSDAQ,')
  expect(listed.map(({ id, market, kind }) => [id, market, kind])).toEqual([
    ['005930.KRX', 'KOSPI', 'stock'],
    ['233740.KRX', 'KOSPI', 'etp'],
    ['247540.KRX', 'KOSDAQ', 'stock'],
  ])
})

test.each([
  ['005930', 'SYMBOL.VENUE'],
  ['005930.KRX:NASDAQ', '"NASDAQ" is none of KOSPI'],
  ['005930.KRX:KOSPI:bond', '"bond" is none of stock'],
  ['005930.KRX:KOSPI:etp:x', 'SYMBOL.VENUE:MARKET:KIND'],
])('%s is refused, naming the fault', (text, fault) => {
  expect(() => parseInstruments(text)).toThrow(fault)
})
