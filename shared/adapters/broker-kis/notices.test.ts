import { describe, expect, test } from 'vitest'
import { formatInstant, parseInstant } from '#shared/domain/time.ts'
import { type NoticeReport, noticeReader } from './notices.ts'

const ACCOUNT_ID = 'kis:5012345601'
const NOW = parseInstant('2026-11-20T10:15:34+09:00')

/** The documented notices, 26 fields wide. */
const NEW =
  'trader01^5012345601^0000012345^^02^0^00^0^000660^0000000010^000182300^101533^0^1^1^00950^000000010^HONG GILDONG^000000000^1^Y^^10^^SK hynix^'
const FILL =
  'trader01^5012345601^0000012345^^02^0^00^0^000660^0000000004^000182300^101534^0^2^2^00950^000000010^HONG GILDONG^000000000^1^Y^^10^^SK hynix^000182300'
const CANCELED =
  'trader01^5012345601^0000012399^0000012345^02^2^00^0^000660^0000000006^000000000^101602^0^1^2^00950^000000006^HONG GILDONG^000000000^1^Y^^10^^SK hynix^'
const REFUSED =
  'trader01^5012345601^0000012400^^02^0^00^0^000660^0000000010^000182350^101610^1^1^1^00950^000000010^HONG GILDONG^000000000^1^Y^^10^^SK hynix^'

const changed = (notice: string, changes: Readonly<Record<number, string>>): string =>
  notice
    .split('^')
    .map((field, index) => changes[index] ?? field)
    .join('^')
/** The older layout: 23 fields, name and credit class elsewhere. */
const narrow = (notice: string): string =>
  [...notice.split('^').slice(0, 18), 'SK hynix', '10', '', 'SK hynix', ''].join('^')

const read = (text: string, count = 1, reader = noticeReader(ACCOUNT_ID)) => reader.read(text, count, NOW)
const reportOf = (text: string, reader = noticeReader(ACCOUNT_ID)): NoticeReport => {
  const [result] = read(text, 1, reader)
  if (result?.kind !== 'report') throw new Error(`no report: ${JSON.stringify(result)}`)
  return result.report
}

describe('a notice', () => {
  test('of a fill says what traded, not what was ordered (pitfall 10)', () => {
    expect(reportOf(FILL)).toEqual({
      executionId: 'kis:5012345601:2026-11-20:0000012345:fill:101534:4@1823000000:0',
      accountId: ACCOUNT_ID,
      kind: 'fill',
      brokerOrderId: '0000012345',
      instrumentId: '000660.KRX',
      side: 'buy',
      orderQuantity: 10n,
      lastQuantity: 4n,
      lastPrice: 1_823_000_000n,
      eventTime: parseInstant('2026-11-20T10:15:34+09:00'),
      brokerRoute: '00950',
    })
  })

  test('of a confirmed cancel carries its own number and that of the order it ended', () => {
    expect(reportOf(CANCELED)).toMatchObject({
      kind: 'canceled',
      brokerOrderId: '0000012399',
      originalBrokerOrderId: '0000012345',
      orderQuantity: 6n,
    })
  })

  test.each([
    // what happened              changes                              kind
    ['a new order was received', NEW, {}, 'accepted'],
    ['a new order was confirmed', NEW, { 14: '2' }, 'accepted'],
    ['an order was refused', REFUSED, {}, 'rejected'],
    ['a cancel was refused', CANCELED, { 12: '1' }, 'rejected'],
    ['an amend was confirmed', CANCELED, { 5: '1' }, 'amended'],
    ['the rest of an IOC was canceled', NEW, { 7: '1', 14: '3' }, 'canceled'],
    ['an amended order filled', FILL, { 3: '0000012000', 5: '1' }, 'fill'],
  ] as const)('%s', (_what, notice, changes, kind) => {
    expect(reportOf(changed(notice, changes)).kind).toBe(kind)
  })

  test('of an IOC remainder is about the order itself, not about a change of another', () => {
    const report = reportOf(changed(NEW, { 7: '1', 14: '3' }))
    expect([report.brokerOrderId, report.originalBrokerOrderId]).toEqual(['0000012345', undefined])
  })

  test.each([
    ['an amend', '1', 'the venue refused the amend'],
    ['a cancel', '2', 'the venue refused the cancel'],
    ['an order', '0', 'the venue refused the order'],
  ])('says of a refusal whether it was %s', (_what, change, detail) => {
    expect(reportOf(changed(REFUSED, { 5: change })).detail).toBe(detail)
  })

  test('that a change was received and not yet confirmed reports nothing', () => {
    expect(read(changed(CANCELED, { 14: '1' }))).toEqual([{ kind: 'ignored', otherAccount: false }])
  })

  test('of another account of the same login is not ours', () => {
    expect(read(changed(FILL, { 1: '5099999901' }))).toEqual([{ kind: 'ignored', otherAccount: true }])
  })

  test('pitfall 11: 23 and 26 columns, and columns to come, are read alike', () => {
    expect(reportOf(narrow(FILL))).toEqual(reportOf(FILL))
    expect(reportOf(`${FILL}^x^y`)).toEqual(reportOf(FILL))
  })

  test('pitfall 9: numbers without their zeros are the same numbers', () => {
    expect(reportOf(changed(FILL, { 2: '     12345' })).brokerOrderId).toBe('0000012345')
  })

  test('that is heard after midnight keeps its day, and its id', () => {
    const late = changed(FILL, { 11: '235959' })
    const [result] = noticeReader(ACCOUNT_ID).read(late, 1, parseInstant('2026-11-21T00:00:01+09:00'))
    expect(result?.kind === 'report' && formatInstant(result.report.eventTime)).toBe(
      '2026-11-20T14:59:59.000Z',
    )
  })

  test('several in one frame are all read', () => {
    expect(read(`${NEW}^${FILL}^${CANCELED}`, 3).map((result) => result.kind)).toEqual([
      'report',
      'report',
      'report',
    ])
  })
})

describe('the identity of an execution', () => {
  const ids = (notices: readonly string[], reader = noticeReader(ACCOUNT_ID)): string[] =>
    notices.map((notice) => reportOf(notice, reader).executionId)

  test('two equal partial fills in one second are two', () => {
    const [first, second] = ids([FILL, FILL])
    expect(first).not.toBe(second)
  })

  test('the same words heard again after a reconnect, or by another connection, are the same', () => {
    const words = [NEW, FILL, FILL, CANCELED]
    expect(ids(words)).toEqual(ids(words))
  })

  test('a fill heard once more when the order is already full is the one heard before', () => {
    const four = FILL
    const six = changed(FILL, { 9: '0000000006', 11: '101535' })
    const [first, second, again] = ids([four, six, six])
    expect(again).toBe(second)
    expect(again).not.toBe(first)
  })

  test('an order notice heard twice is one', () => {
    expect(new Set(ids([NEW, NEW])).size).toBe(1)
  })

  test('the order of arrival does not change what a report is called', () => {
    const other = changed(FILL, { 2: '0000012346' })
    expect(ids([FILL, other]).toSorted()).toEqual(ids([other, FILL]).toSorted())
  })
})

describe('a notice that cannot be read is reported, with the field', () => {
  test.each([
    ['no account', { 1: '' }, '#1'],
    ['no order number', { 2: '' }, '#2'],
    ['an order number of zeros', { 2: '0000000000' }, '#2'],
    ['an unknown side', { 4: '03' }, '#4'],
    ['an unknown change', { 5: '9' }, '#5'],
    ['no symbol', { 8: '' }, '#8'],
    ['a fill of nothing', { 9: '0000000000' }, '#9'],
    ['a fill in words', { 9: 'four' }, '#9'],
    ['a fill at no price', { 10: '000000000' }, '#10'],
    ['an impossible time', { 11: '256060' }, '#11'],
    ['neither fill nor order', { 13: '3' }, '#13'],
    ['a quantity with a sign', { 16: '-10' }, '#16'],
  ])('%s', (_fault, changes, place) => {
    const [result] = read(changed(FILL, changes))
    expect(result).toMatchObject({ kind: 'unreadable' })
    expect(result?.kind === 'unreadable' && result.reason).toContain(place)
  })

  test('a count that does not fit the fields', () => {
    expect(read(`${FILL}^${FILL}`, 1)).toMatchObject([{ kind: 'unreadable' }])
    expect(read(FILL, 3)).toMatchObject([{ kind: 'unreadable' }])
  })

  test('one bad notice in a frame does not hide the good ones', () => {
    const results = read(`${changed(NEW, { 2: '' })}^${FILL}`, 2)
    expect(results.map(({ kind }) => kind)).toEqual(['unreadable', 'report'])
  })
})
