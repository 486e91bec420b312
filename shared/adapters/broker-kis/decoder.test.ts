import { describe, expect, test } from 'vitest'
import { type Instant, formatInstant, parseInstant } from '#shared/domain/time.ts'
import { formatPrice } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import { kisFrameDecoder } from './decoder.ts'
import { naiveDecode } from './naive-decoder.fixture.ts'
import { noRecordedData, recordedFrames } from './recorded-kis.fixture.ts'

const RECEIVED = parseInstant('2026-11-20T01:15:31Z')

/** The documented example: 46 fields, a buyer took 15 shares at 182,300 won. */
const TRADE =
  '000660^101530^182300^2^1300^0.72^181950.35^181200^182900^180700^182300^182200^15^1204567^219171384250^6120^7035^915^112.40^541230^608337^1^0.51^61.25^090012^2^1100^095817^5^-600^090441^2^1600^20261120^20^N^1820^2415^88431^104227^0.17^1103442^109.16^0^^181200'
const BOOK =
  '000660^101531^0^182300^182400^182500^182600^182700^182800^182900^183000^183100^183200^182200^182100^182000^181900^181800^181700^181600^181500^181400^181300^1820^2210^3175^1540^2890^4102^1995^2660^3480^2875^2415^3020^1875^2640^3305^2190^4125^1760^2985^3340^26747^27655^0^0^0^0^1204567^-181000^5^-100.00^1204607^-120^85^0^0^0'

const trade = (changes: Readonly<Record<number, string>>): string => replaced(TRADE, changes)
const book = (changes: Readonly<Record<number, string>>): string => replaced(BOOK, changes)
const replaced = (record: string, changes: Readonly<Record<number, string>>): string =>
  record
    .split('^')
    .map((field, index) => changes[index] ?? field)
    .join('^')
const trades = (...records: readonly string[]): string =>
  `0|H0STCNT0|${String(records.length).padStart(3, '0')}|${records.join('^')}`
const books = (...records: readonly string[]): string =>
  `0|H0STASP0|${String(records.length).padStart(3, '0')}|${records.join('^')}`

const decode = (frame: string, received: Instant = RECEIVED) => kisFrameDecoder().decode(frame, received)

describe('a trade frame', () => {
  test('gives each record in house terms', () => {
    const [tick] = decode(trades(TRADE)).trades
    expect(tick).toEqual({
      instrumentId: '000660.KRX',
      eventTime: parseInstant('2026-11-20T10:15:30+09:00'),
      price: 1_823_000_000n,
      quantity: 15n,
      aggressor: 'buy',
      sessionVolume: 1_204_567n,
      bidPrice: 1_822_000_000n,
      askPrice: 1_823_000_000n,
    })
  })

  test('pitfall 12: every record of a frame is read, not only the first', () => {
    const frame = trades(TRADE, trade({ 2: '182200', 12: '40', 21: '5' }), trade({ 0: 'Q500001', 12: '7' }))
    expect(
      decode(frame).trades.map(({ instrumentId, quantity, aggressor }) => [
        instrumentId,
        quantity,
        aggressor,
      ]),
    ).toEqual([
      ['000660.KRX', 15n, 'buy'],
      ['000660.KRX', 40n, 'sell'],
      ['Q500001.KRX', 7n, 'buy'],
    ])
  })

  test.each([
    ['1', 'buy'],
    ['5', 'sell'],
    ['3', 'none'],
    ['', 'none'],
  ])('side class %o is read as %s', (field, aggressor) => {
    expect(decode(trades(trade({ 21: field }))).trades[0]?.aggressor).toBe(aggressor)
  })

  test.each(['46', '47', '66'])('columns that KIS appended are not looked at: width %s', (width) => {
    const spare = '^x'.repeat(Number(width) - 46)
    expect(decode(trades(TRADE + spare, TRADE + spare)).trades).toHaveLength(2)
  })

  test.each(['277750', '2067.5', '30102.25', '0.0001'])('a half-tick price is legal: %s', (text) => {
    const [tick] = decode(trades(trade({ 2: text }))).trades
    expect(tick && formatPrice(tick.price)).toBe(text)
  })

  test('takes its day from the frame, so that a replay of an old day stays in that day', () => {
    const [tick] = decode(trades(trade({ 1: '153000', 33: '20240229' }))).trades
    expect(tick && formatInstant(tick.eventTime)).toBe('2024-02-29T06:30:00.000Z')
  })

  test.each([
    ['a price of zero', { 2: '0' }, 'STCK_PRPR'],
    ['no price', { 2: '' }, 'STCK_PRPR'],
    ['a negative price', { 2: '-182300' }, 'STCK_PRPR'],
    ['a price with a blank', { 2: ' 182300' }, 'STCK_PRPR'],
    ['a price with a letter', { 2: '1823O0' }, 'STCK_PRPR'],
    ['a price with an exponent', { 2: '1e5' }, 'STCK_PRPR'],
    ['a price of ten digits', { 2: '1823000000' }, 'STCK_PRPR'],
    ['a price with five places', { 2: '1.00001' }, 'STCK_PRPR'],
    ['a price that ends in a point', { 2: '1.' }, 'STCK_PRPR'],
    ['no ask', { 10: '' }, 'ASKP1'],
    ['a bid in words', { 11: 'null' }, 'BIDP1'],
    ['a volume of zero', { 12: '0' }, 'CNTG_VOL'],
    ['a negative volume', { 12: '-15' }, 'CNTG_VOL'],
    ['a fractional volume', { 12: '1.5' }, 'CNTG_VOL'],
    ['a volume of fifteen digits', { 12: '100000000000000' }, 'CNTG_VOL'],
    ['a day volume below the trade', { 13: '14' }, 'ACML_VOL'],
    ['hour 24', { 1: '240000' }, 'STCK_CNTG_HOUR'],
    ['minute 60', { 1: '106030' }, 'STCK_CNTG_HOUR'],
    ['second 60', { 1: '101560' }, 'STCK_CNTG_HOUR'],
    ['a time of five digits', { 1: '91530' }, 'STCK_CNTG_HOUR'],
    ['30 February', { 33: '20260230' }, 'BSOP_DATE'],
    ['29 February of a common year', { 33: '20260229' }, 'BSOP_DATE'],
    ['month 13', { 33: '20261320' }, 'BSOP_DATE'],
    ['day 0', { 33: '20261100' }, 'BSOP_DATE'],
    ['no date', { 33: '' }, 'BSOP_DATE'],
    ['a symbol of five', { 0: '00066' }, 'MKSC_SHRN_ISCD'],
    ['a symbol in small letters', { 0: '00066k' }, 'MKSC_SHRN_ISCD'],
    ['a symbol with a point', { 0: '00066.' }, 'MKSC_SHRN_ISCD'],
    ['a side of two characters', { 21: '15' }, 'CCLD_DVSN'],
  ])('%s is refused, with record and field', (_fault, changes: Readonly<Record<number, string>>, field) => {
    const frame = trades(TRADE, trade(changes))
    expect(() => decode(frame)).toThrow(PoisonError)
    expect(() => decode(frame)).toThrow(`record 2 of 2: ${field}`)
  })

  test('pitfall 11: a column inserted before the date is noticed, not read as something else', () => {
    const shifted = TRADE.split('^').toSpliced(20, 0, '7').join('^')
    expect(() => decode(trades(shifted))).toThrow('BSOP_DATE')
  })

  test('a refused frame leaves nothing behind for the next one', () => {
    const decoder = kisFrameDecoder()
    expect(() => decoder.decode(trades(trade({ 33: '20269999' })), RECEIVED)).toThrow(PoisonError)
    expect(decoder.decode(trades(TRADE), RECEIVED)).toEqual(decode(trades(TRADE)))
    const long = trades(...Array.from({ length: 500 }, () => TRADE))
    expect(decoder.decode(long, RECEIVED).trades).toHaveLength(500)
    expect(decoder.decode(trades(TRADE), RECEIVED)).toEqual(decode(trades(TRADE)))
  })
})

describe('an order book frame', () => {
  test('gives the best of both sides', () => {
    expect(decode(books(BOOK)).quotes).toEqual([
      {
        instrumentId: '000660.KRX',
        eventTime: parseInstant('2026-11-20T10:15:31+09:00'),
        bidPrice: 1_822_000_000n,
        bidQuantity: 2415n,
        askPrice: 1_823_000_000n,
        askQuantity: 1820n,
      },
    ])
  })

  test.each([59, 62, 63])('is %i fields wide in one year or another', (width) => {
    expect(decode(books(BOOK + '^0'.repeat(width - 59))).quotes).toHaveLength(1)
  })

  test('a side without a price or without a quantity is no quote', () => {
    const [quote] = decode(books(book({ 3: '0', 33: '0' }))).quotes
    expect(quote).toMatchObject({ askPrice: 0n, askQuantity: 0n, bidPrice: 0n, bidQuantity: 0n })
  })

  test('a frame of late evening that was received after midnight keeps its day', () => {
    const afterMidnight = parseInstant('2026-11-21T00:00:01+09:00')
    const [quote] = decode(books(book({ 1: '235959' })), afterMidnight).quotes
    expect(quote && formatInstant(quote.eventTime)).toBe('2026-11-20T14:59:59.000Z')
  })

  test.each([
    ['an ask in words', { 3: '(null)' }, 'ASKP1'],
    ['no quantity', { 23: '' }, 'ASKP_RSQN1'],
    ['a negative quantity', { 33: '-1' }, 'BIDP_RSQN1'],
    ['an impossible time', { 1: '250000' }, 'BSOP_HOUR'],
  ])('%s is refused', (_fault, changes: Readonly<Record<number, string>>, field) => {
    expect(() => decode(books(book(changes)))).toThrow(`record 1 of 1: ${field}`)
  })
})

describe('a frame is decoded whole or not at all', () => {
  test.each([
    ['nothing', ''],
    ['a header alone', '0|H0STCNT0|001|'],
    ['an encrypted frame', `1|H0STCNT0|001|${TRADE}`],
    ['another channel', `0|H0STCNI0|001|${TRADE}`],
    ['a count of none', `0|H0STCNT0|000|${TRADE}`],
    ['a count in letters', `0|H0STCNT0|0O1|${TRADE}`],
    ['a count of two digits', `0|H0STCNT0|01|${TRADE}`],
    ['a count that is too high', `0|H0STCNT0|002|${TRADE}`],
    ['a count that lies by half', `0|H0STCNT0|001|${TRADE}^${TRADE}`],
    ['a record cut short', trades(TRADE).slice(0, -30)],
    ['one field too many in two records', `0|H0STCNT0|002|${TRADE}^${TRADE}^1`],
    ['fewer fields than a trade has', `0|H0STCNT0|001|${TRADE.split('^').slice(0, 45).join('^')}`],
    ['twenty-one unknown columns', trades(TRADE + '^x'.repeat(21))],
    ['letters that look like digits', trades(trade({ 2: '１８２３００' }))],
    ['a character whose low byte is a digit', trades(trade({ 12: 'ı' }))],
    ['a lone surrogate', trades(trade({ 45: '\ud800' }))],
    [
      'more than a frame may hold',
      trades(...Array.from({ length: 999 }, () => `${TRADE}^${'0'.repeat(30)}`)),
    ],
  ])('%s is refused', (_fault, frame) => {
    expect(() => decode(frame)).toThrow(PoisonError)
  })
})

describe('recorded frames', () => {
  const frames = recordedFrames()
  if (frames.size === 0) {
    noRecordedData('websocket frames')
    return
  }

  test('all 16 decode to 32 records, as the second decoder reads them', () => {
    const decoder = kisFrameDecoder()
    let records = 0
    for (const frame of frames.values()) {
      const decoded = decoder.decode(frame, RECEIVED)
      expect(decoded).toEqual(naiveDecode(frame, RECEIVED))
      records += decoded.trades.length + decoded.quotes.length
    }
    expect([frames.size, records]).toEqual([16, 32])
  })

  test('an opening auction has no aggressor, and a mid-price trade lies between two ticks', () => {
    const auction = decode(frames.get('d04') ?? '').trades[0]
    expect(auction).toMatchObject({ aggressor: 'none', quantity: 200_607n, instrumentId: '005930.KRX' })
    const midPrice = decode(frames.get('d01') ?? '').trades[0]
    expect(midPrice?.price).toBe(2_777_500_000n)
  })
})
