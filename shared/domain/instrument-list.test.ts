import { expect, test } from 'vitest'
import { parseInstruments } from './instrument-list.ts'
import { ratio } from './values.ts'

test('market and kind have the usual defaults and can be said', () => {
  const listed = parseInstruments('005930.KRX, 233740.KRX:KOSPI:etp,247540.KRX:KOSDAQ,')
  expect(listed.map(({ id, market, kind }) => [id, market, kind])).toEqual([
    ['005930.KRX', 'KOSPI', 'stock'],
    ['233740.KRX', 'KOSPI', 'etp'],
    ['247540.KRX', 'KOSDAQ', 'stock'],
  ])
})

test('what is leveraged says so; nothing is guessed for the others', () => {
  const listed = parseInstruments('122630.KRX:KOSPI:etp:2,252670.KRX:KOSPI:etp:2,069500.KRX:KOSPI:etp')
  expect(listed.map(({ leverage }) => leverage)).toEqual([ratio('2'), ratio('2'), undefined])
})

test.each([
  ['005930', 'SYMBOL.VENUE'],
  ['005930.KRX:NASDAQ', '"NASDAQ" is none of KOSPI'],
  ['005930.KRX:KOSPI:bond', '"bond" is none of stock'],
  ['122630.KRX:KOSPI:etp:2:x', 'SYMBOL.VENUE:MARKET:KIND:LEVERAGE'],
  ['122630.KRX:KOSPI:etp:-2', '"-2" is no leverage'],
  ['005930.KRX:KOSPI:stock:2', 'only an etp is leveraged'],
])('%s is refused, naming the fault', (text, fault) => {
  expect(() => parseInstruments(text)).toThrow(fault)
})
