import { describe, expect, test } from 'vitest'
import { start } from '../simulator.fixture.ts'
import { quoteOf } from '../test-client.ts'

describe('quotes and charts', () => {
  test('before the open a quote states base price, limits and tick', async () => {
    const { client } = await start()
    expect((await quoteOf(client)).body.output).toMatchObject({
      stck_prpr: '71500',
      stck_sdpr: '71500',
      stck_mxpr: '92900',
      stck_llam: '50100',
      aspr_unit: '100',
    })
  })

  test('daily bars reach back before the tape, newest first, at most a hundred, and end at the base price', async () => {
    const { client } = await start()
    const query = {
      FID_COND_MRKT_DIV_CODE: 'J',
      FID_INPUT_ISCD: '005930',
      FID_INPUT_DATE_1: '20250101',
      FID_INPUT_DATE_2: '20261231',
      FID_PERIOD_DIV_CODE: 'D',
      FID_ORG_ADJ_PRC: '0',
    }
    const answer = await client.get('quotations/inquire-daily-itemchartprice', 'FHKST03010100', query)
    const rows = answer.body['output2'] as readonly Record<string, string>[]
    expect(rows).toHaveLength(100)
    expect(rows[0]).toMatchObject({ stck_bsop_date: '20260227', stck_clpr: '71500' })
    const dates = rows.map((row) => row['stck_bsop_date'])
    expect(dates).toEqual(dates.toSorted((left = '', right = '') => right.localeCompare(left)))
  })

  test('minute bars of today come in thirties and the future is flat filler', async () => {
    const { simulator: running, client } = await start()
    const ending = new AbortController()
    const run = running.run(ending.signal)
    await expect.poll(() => running.report().tape.events).toBeGreaterThan(20_000)
    ending.abort()
    await run
    const query = {
      FID_COND_MRKT_DIV_CODE: 'J',
      FID_INPUT_ISCD: '005930',
      FID_INPUT_HOUR_1: '235900',
      FID_PW_DATA_INCU_YN: 'N',
      FID_ETC_CLS_CODE: '',
    }
    const future = await client.get('quotations/inquire-time-itemchartprice', 'FHKST03010200', query)
    const filler = future.body['output2'] as readonly Record<string, string>[]
    expect(filler).toHaveLength(30)
    expect(new Set(filler.map((row) => row['cntg_vol']))).toEqual(new Set(['0']))
    const past = await client.get('quotations/inquire-time-itemchartprice', 'FHKST03010200', {
      ...query,
      FID_INPUT_HOUR_1: '092500',
    })
    const bars = past.body['output2'] as readonly Record<string, string>[]
    expect(bars.length).toBeGreaterThan(5)
    expect(bars.at(-1)).toMatchObject({ stck_cntg_hour: '090000' })
  })

  test('an unknown instrument is refused', async () => {
    const { client } = await start()
    const answer = await client.get('quotations/inquire-price', 'FHKST01010100', {
      FID_COND_MRKT_DIV_CODE: 'J',
      FID_INPUT_ISCD: 'nothing',
    })
    expect(answer.body.rt_cd).toBe('1')
  })
})
