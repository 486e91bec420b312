import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import { formatInstant, parseInstant, sessionDate } from '#shared/domain/time.ts'
import { formatMoney, formatPrice } from '#shared/domain/values.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { rowOf, rowsOf } from './fields.ts'
import { dailyBarOf, minuteBarsOf, minuteRowsOf, orderBookOf, quoteOf } from './quotes.ts'
import { noRecordedData, recordedAnswer } from './recorded-kis.fixture.ts'
import {
  type Received,
  type ScriptedKis,
  failure,
  gatewayTo,
  scriptedKis,
  success,
} from './scripted-kis.fixture.ts'
import { PATH } from './tr-ids.ts'

const SYMBOL = instrumentId('000660.KRX')
const NOW = parseInstant('2026-11-20T11:00:30+09:00')

let kis: ScriptedKis
let gateway: ReturnType<typeof gatewayTo>
beforeEach(async () => {
  kis = await scriptedKis()
  gateway = gatewayTo(kis, NOW)
})
afterEach(async () => {
  await gateway.close()
  await kis.close()
})

const soon = (): AbortSignal => AbortSignal.timeout(10_000)

const QUOTE = {
  stck_prpr: '128500',
  stck_sdpr: '128500',
  stck_mxpr: '167000',
  stck_llam: '90000',
  aspr_unit: '500',
  iscd_stat_cls_code: '55',
  temp_stop_yn: 'N',
}

describe('a quote', () => {
  test.each([
    ['trading', {}, true],
    ['halted', { iscd_stat_cls_code: '58' }, false],
    ['stopped for a while', { temp_stop_yn: 'Y' }, false],
    ['a flag nobody knows', { temp_stop_yn: '?' }, false],
  ])('%s', async (_name, changes, isTradable) => {
    kis.on(PATH.price, success({ output: { ...QUOTE, ...changes } }))
    expect(await gateway.quote(SYMBOL, soon())).toMatchObject({ isTradable, tickSize: 5_000_000n })
  })

  test.each(Object.keys(QUOTE))('without %s it is a fault that names the field', async (name) => {
    const { [name as keyof typeof QUOTE]: _gone, ...rest } = QUOTE
    kis.on(PATH.price, success({ output: rest }))
    await expect(gateway.quote(SYMBOL, soon())).rejects.toThrow(`FHKST01010100.output.${name}: is missing`)
  })

  test('a passing fault is asked again, a refusal for good is not', async () => {
    kis.on(PATH.price, failure('EGW00002', '', 500), 'reset', success({ output: QUOTE }))
    expect(await gateway.quote(SYMBOL, soon())).toMatchObject({ isTradable: true })
    kis.on(PATH.price, failure('EGW00103', 'invalid appkey', 500))
    await expect(gateway.quote(SYMBOL, soon())).rejects.toThrow(BrokerRefusedError)
    expect(kis.calls(PATH.price)).toHaveLength(4)
  })

  test('a broker that stays out of reach ends in RetryableError', async () => {
    kis.on(PATH.price, 'reset')
    await expect(gateway.quote(SYMBOL, soon())).rejects.toThrow(RetryableError)
  })

  test('pitfall 25: an instrument of another market is refused', async () => {
    await expect(gateway.quote(instrumentId('AAPL.NASDAQ'), soon())).rejects.toThrow(BrokerRefusedError)
  })
})

describe('daily bars', () => {
  const row = (date: string, changes: Record<string, string> = {}): Record<string, string> => ({
    stck_bsop_date: date,
    stck_oprc: '100',
    stck_hgpr: '120',
    stck_lwpr: '90',
    stck_clpr: '110',
    acml_vol: '1000',
    acml_tr_pbmn: '105000',
    ...changes,
  })
  /** Newest first, at most two a call, as far back as asked. */
  const chart =
    (days: readonly Record<string, string>[]) =>
    ({ query }: Received) => {
      const from = query.get('FID_INPUT_DATE_1') ?? ''
      const to = query.get('FID_INPUT_DATE_2') ?? ''
      const inside = days.filter(({ stck_bsop_date: day = '' }) => day >= from && day <= to)
      return success({ output1: {}, output2: inside.toReversed().slice(0, 2) })
    }
  const bars = (from: string, to: string) =>
    gateway.dailyBars(SYMBOL, sessionDate(from), sessionDate(to), soon())

  test('are paged back by date to the first day, oldest first, adjusted (pitfall 22)', async () => {
    const days = ['20261102', '20261103', '20261104', '20261105', '20261106'].map((day) => row(day))
    kis.on(PATH.dailyChart, chart(days))
    const read = await bars('2026-11-01', '2026-11-08')
    expect(read.map(({ openTime }) => formatInstant(openTime).slice(0, 10))).toEqual([
      '2026-11-02',
      '2026-11-03',
      '2026-11-04',
      '2026-11-05',
      '2026-11-06',
    ])
    expect(new Set(kis.calls(PATH.dailyChart).map(({ query }) => query.get('FID_ORG_ADJ_PRC')))).toEqual(
      new Set(['0']),
    )
  })

  test('leave out days without trades, the running session and filler', async () => {
    const suspended = row('20261118', { stck_oprc: '0', stck_hgpr: '0', stck_lwpr: '0', acml_vol: '0' })
    kis.on(
      PATH.dailyChart,
      success({ output1: {}, output2: [row('20261120'), row('20261119'), suspended, {}] }),
      success({ output2: [] }),
    )
    const read = await bars('2026-11-18', '2026-11-20')
    expect(read.map(({ closeTime }) => formatInstant(closeTime))).toEqual(['2026-11-19T06:30:00.000Z'])
  })

  test('prices that cannot belong to one day are a fault, not a bar', async () => {
    kis.on(PATH.dailyChart, success({ output2: [row('20261119', { stck_hgpr: '95' })] }))
    await expect(bars('2026-11-19', '2026-11-19')).rejects.toThrow('stck_hgpr')
  })

  test('a chart that never moves back ends', async () => {
    kis.on(PATH.dailyChart, success({ output2: [row('20261119')] }))
    expect(await bars('2026-11-01', '2026-11-19')).toHaveLength(1)
    expect(kis.calls(PATH.dailyChart)).toHaveLength(2)
  })
})

describe('minute bars', () => {
  const minute = (time: string, volume: string, value: string): Record<string, string> => ({
    stck_bsop_date: '20261120',
    stck_cntg_hour: time,
    stck_prpr: '110',
    stck_oprc: '100',
    stck_hgpr: '120',
    stck_lwpr: '90',
    cntg_vol: volume,
    acml_tr_pbmn: value,
  })
  const DAY = [
    minute('090000', '10', '1000'),
    minute('090100', '5', '1500'),
    minute('090200', '0', '1500'),
    minute('090300', '7', '2300'),
    minute('105900', '3', '2630'),
    minute('110000', '1', '2740'),
  ]
  const chart = ({ query }: Received) => {
    const hour = query.get('FID_INPUT_HOUR_1') ?? ''
    const inside = DAY.filter(({ stck_cntg_hour: time = '' }) => time <= hour)
    // A later hour than now: flat filler at the current price.
    const filler = hour >= '110100' ? [minute(hour, '0', '2740')] : []
    return success({ output1: {}, output2: [...inside, ...filler].toReversed().slice(0, 2) })
  }

  test('hold what closed by then: no filler, no running minute; each its own value', async () => {
    kis.on(PATH.minuteChart, chart)
    const bars = await gateway.minuteBars(SYMBOL, parseInstant('2026-11-20T15:00:00+09:00'), 10, soon())
    expect(
      bars.map(({ openTime, volume, notional }) => [
        formatInstant(openTime).slice(11, 16),
        volume,
        formatMoney(notional),
      ]),
    ).toEqual([
      ['00:00', 10n, '1100'], // the first row's own value is not known: its volume at its close
      ['00:01', 5n, '500'],
      ['00:03', 7n, '800'],
      ['01:59', 3n, '330'],
    ])
  })

  test('are the newest ones when there are more than asked', async () => {
    kis.on(PATH.minuteChart, chart)
    const bars = await gateway.minuteBars(SYMBOL, parseInstant('2026-11-20T09:04:00+09:00'), 2, soon())
    expect(
      bars.map(({ openTime, notional }) => [formatInstant(openTime).slice(11, 16), formatMoney(notional)]),
    ).toEqual([
      ['00:01', '500'],
      ['00:03', '800'],
    ])
  })

  test('of another day are not there: the chart knows today only', async () => {
    kis.on(PATH.minuteChart, chart)
    expect(await gateway.minuteBars(SYMBOL, parseInstant('2026-11-19T15:00:00+09:00'), 5, soon())).toEqual([])
    expect(kis.calls(PATH.minuteChart)).toHaveLength(0)
  })
})

describe('recorded answers', () => {
  const quote = recordedAnswer('inquire-price')
  const book = recordedAnswer('inquire-asking-price-exp-ccn')
  const daily = recordedAnswer('inquire-daily-itemchartprice')
  const minutes = recordedAnswer('inquire-time-itemchartprice')
  if (!quote || !book || !daily || !minutes) {
    noRecordedData('quotes, books and charts')
    return
  }

  test('a price', () => {
    expect(quoteOf(SYMBOL, rowOf(quote['output'], 'output'))).toEqual({
      instrumentId: SYMBOL,
      lastPrice: 1_285_000_000n,
      basePrice: 1_285_000_000n,
      upperLimit: 1_670_000_000n,
      lowerLimit: 900_000_000n,
      tickSize: 5_000_000n,
      isTradable: true,
    })
  })

  test('a book of ten levels a side, best first', () => {
    const read = orderBookOf(SYMBOL, rowOf(book['output1'], 'output1'), NOW)
    expect([read.asks.length, read.bids.length]).toEqual([10, 10])
    expect(read.asks[0]).toEqual({ price: 1_280_000_000n, quantity: 69_454n })
    expect(read.bids[0]).toEqual({ price: 1_275_000_000n, quantity: 83_147n })
    expect(formatInstant(read.eventTime)).toBe('2026-11-20T07:00:00.000Z')
  })

  test('a day and two minutes', () => {
    const [day] = rowsOf(daily, 'output2', 'daily').map((row) => dailyBarOf(SYMBOL, row))
    expect(day && [formatPrice(day.open), formatPrice(day.close), day.volume]).toEqual([
      '107000',
      '107500',
      2_203_472n,
    ])
    const bars = minuteBarsOf(SYMBOL, minuteRowsOf(minutes))
    expect(bars.map(({ openTime, volume }) => [formatInstant(openTime), volume])).toEqual([
      ['2022-09-02T00:59:00.000Z', 1_564n],
      ['2022-09-02T01:00:00.000Z', 1_383n],
    ])
    expect(bars[1]?.notional).toBe(1_278_271_000_000n)
  })
})
