import { describe, expect, test } from 'vitest'
import { sessionDate } from '#shared/domain/time.ts'
import { start } from '../simulator.fixture.ts'
import { ACCOUNT, TRADER, playTo } from '../test-client.ts'

describe('orders', () => {
  test('an accepted order has a padded number, shows in the list at once and holds its cash', async () => {
    const { client } = await start()
    const answer = await client.order('buy', '005930', 10, 60_000)
    expect(answer.body).toMatchObject({
      rt_cd: '0',
      msg_cd: '40600000',
      output: { KRX_FWDG_ORD_ORGNO: '00950', ODNO: '0000000001', ORD_TMD: '083000' },
    })
    const list = await client.dailyOrders()
    expect(list.headers.get('tr_cont')).toBe('E')
    expect(list.body.output1).toMatchObject([
      {
        odno: '0000000001',
        ord_qty: '10',
        rmn_qty: '10',
        tot_ccld_qty: '0',
        ord_unpr: '60000',
        sll_buy_dvsn_cd: '02',
      },
    ])
    const left = await client.get('trading/inquire-psbl-order', 'VTTC8908R', {
      ...ACCOUNT,
      PDNO: '005930',
      ORD_UNPR: '0',
      ORD_DVSN: '01',
    })
    expect(left.body.output).toMatchObject({ nrcvb_buy_amt: String(100_000_000 - 600_000 - 84) })
  })

  test.each([
    ['off the tick', ['005930', 1, 71_550], '40030000'],
    ['too much cash', ['005930', 10_000, 71_500], '40250000'],
    ['an unknown instrument', ['999999', 1, 1000], '40070000'],
  ] as const)(
    '%s is refused by the paper host with its own code',
    async (_name, [symbol, units, won], code) => {
      const { client } = await start()
      const answer = await client.order('buy', symbol, units, won)
      expect(answer).toMatchObject({ status: 200, body: { rt_cd: '1', msg_cd: code } })
      expect((await client.dailyOrders()).body.output1).toEqual([])
    },
  )

  test('selling nothing, a missing field and a lower-case body are refused', async () => {
    const { client } = await start()
    expect((await client.order('sell', '005930', 1, 71_500)).body.msg_cd).toBe('40240000')
    const body = { ...ACCOUNT, PDNO: '005930', ORD_DVSN: '00', ORD_UNPR: '71000' }
    expect((await client.post('trading/order-cash', 'VTTC0012U', body)).body.msg_cd).toBe('OPSQ2001')
    const lower = Object.fromEntries(
      Object.entries({ ...body, ORD_QTY: '1' }).map(([name, value]) => [name.toLowerCase(), value]),
    )
    expect((await client.post('trading/order-cash', 'VTTC0012U', lower)).body.rt_cd).toBe('1')
  })

  test('the same body twice makes two orders', async () => {
    const { client } = await start()
    await client.order('buy', '005930', 1, 71_500)
    await client.order('buy', '005930', 1, 71_500)
    expect((await client.dailyOrders()).body.output1).toHaveLength(2)
  })

  test('an amend and a cancel get numbers of their own; the amended number is dead', async () => {
    const { client } = await start()
    await client.order('buy', '005930', 10, 60_000)
    const amended = await client.change('1', '01', 61_000)
    expect(amended.body).toMatchObject({ msg_cd: '40620000', output: { ODNO: '0000000002' } })
    expect((await client.change('0000000001', '02')).body.msg_cd).toBe('40330000')
    const canceled = await client.change('0000000002', '02')
    expect(canceled.body).toMatchObject({ msg_cd: '40630000', output: { ODNO: '0000000003' } })
    const rows = (await client.dailyOrders()).body.output1 ?? []
    expect(rows).toMatchObject([
      { odno: '0000000001', rmn_qty: '0', cncl_cfrm_qty: '0' },
      { odno: '0000000002', orgn_odno: '0000000001', ord_unpr: '61000', rmn_qty: '0', cncl_cfrm_qty: '10' },
      {
        odno: '0000000003',
        orgn_odno: '0000000002',
        ord_qty: '10',
        rmn_qty: '0',
        sll_buy_dvsn_cd_name: '매수취소*',
      },
    ])
  })

  test('the list comes in pages of fifteen whose keys lead on', async () => {
    const { client } = await start()
    for (let order = 0; order < 33; order += 1) await client.order('buy', '114800', 1, 3_500)
    const seen: string[] = []
    const marks: (string | null)[] = []
    let keys: Record<string, string> = {}
    for (let page = 0; page < 3; page += 1) {
      const answer = await client.dailyOrders(keys, page === 0 ? {} : { tr_cont: 'N' })
      seen.push(...(answer.body.output1 ?? []).map((row) => row['odno'] ?? ''))
      marks.push(answer.headers.get('tr_cont'))
      expect(String(answer.body['ctx_area_fk100'])).toHaveLength(100)
      keys = {
        CTX_AREA_FK100: String(answer.body['ctx_area_fk100']),
        CTX_AREA_NK100: String(answer.body['ctx_area_nk100']),
      }
    }
    expect(marks).toEqual(['F', 'M', 'D'])
    expect(new Set(seen).size).toBe(33)
  })

  test('a fill shows in list and balance, with its fee, and pages say so', async () => {
    const { simulator: running, client } = await start()
    await client.order('buy', '005930', 10, 90_000)
    const ending = new AbortController()
    const run = running.run(ending.signal)
    await expect.poll(() => running.report().brokerFills).toBeGreaterThan(0)
    ending.abort()
    await run
    const [row] = (await client.dailyOrders()).body.output1 ?? []
    const paid = Number(row?.['tot_ccld_amt'])
    expect(row).toMatchObject({ tot_ccld_qty: '10', rmn_qty: '0', avg_prvs: String(paid / 10) })
    const balance = await client.get('trading/inquire-balance', 'VTTC8434R', ACCOUNT)
    const cash = 100_000_000 - paid - Math.floor(paid * 0.00014)
    expect(balance.body.output1).toMatchObject([{ pdno: '005930', hldg_qty: '10', ord_psbl_qty: '10' }])
    expect(balance.body['output2']).toMatchObject([
      { prvs_rcdl_excc_amt: String(cash), dnca_tot_amt: '100000000' },
    ])
    expect(running.report().accounts).toMatchObject([
      { cash: String(cash), positions: [{ symbol: '005930', quantity: '10' }] },
    ])
  })
})

describe('order types', () => {
  test('in continuous trading IOC, FOK and best-price orders do what they say', async () => {
    const { simulator: running, client } = await start({ accounts: [{ ...TRADER, cash: '10000000000' }] })
    await playTo(running, 2_000)
    const book = await client.get('quotations/inquire-asking-price-exp-ccn', 'FHKST01010200', {
      FID_COND_MRKT_DIV_CODE: 'J',
      FID_INPUT_ISCD: '005930',
    })
    const shown = book.body['output1'] as unknown as Readonly<Record<string, string>>
    const [ask, bid, offered] = [shown['askp1'], shown['bidp1'], Number(shown['askp_rsqn1'])]
    await client.order('buy', '005930', 5, Number(bid), '11') // below the ask: nothing to take
    await client.order('buy', '005930', offered + 1, Number(ask), '12') // one more than is there
    await client.order('buy', '005930', 3, 0, '03') // at the opposite best
    await client.order('buy', '005930', 3, 0, '04') // at the own best
    await client.order('buy', '005930', 2, 0, '13') // market, at once
    const rows = (await client.dailyOrders()).body.output1 ?? []
    expect(
      rows.map((row) => [row['ord_dvsn_cd'], row['ord_unpr'], row['tot_ccld_qty'], row['cncl_cfrm_qty']]),
    ).toEqual([
      ['11', bid, '0', '5'],
      ['12', ask, '0', String(offered + 1)],
      ['03', ask, '3', '0'],
      ['04', bid, '0', '0'],
      ['13', '0', '2', '0'],
    ])
  })

  test('an auction takes no IOC and shows no best price; an unknown type is refused', async () => {
    const { client } = await start()
    for (const type of ['11', '03', '22']) {
      expect((await client.order('buy', '005930', 1, 71_500, type)).body.msg_cd).toBe('40030000')
    }
  })

  test('after the close nothing is taken and what was left has expired', async () => {
    const { simulator: running, client } = await start({
      market: { kind: 'seeded', seed: 7, eventsPerSecond: 0.05, startDate: sessionDate('2026-12-30') },
    })
    await client.order('buy', '005930', 1, 50_200)
    await running.run(AbortSignal.timeout(10_000)) // the last session of the calendar
    expect((await client.order('buy', '005930', 1, 71_500)).body.msg_cd).toBe('40580000')
    expect((await client.change('1', '02')).body.msg_cd).toBe('40330000')
    expect((await client.dailyOrders()).body.output1).toMatchObject([
      { rmn_qty: '0', cncl_cfrm_qty: '1', cncl_yn: 'N' },
    ])
  })
})

describe('the real host', () => {
  test('takes an off-tick order and lets the venue reject it, with the real codes and column names', async () => {
    const { client } = await start({ profile: 'real' })
    const body = { ...ACCOUNT, PDNO: '005930', ORD_DVSN: '00', ORD_QTY: '1', ORD_UNPR: '71550' }
    const answer = await client.post('trading/order-cash', 'TTTC0012U', body)
    expect(answer.body).toMatchObject({
      rt_cd: '0',
      msg_cd: 'APBK0013',
      output: { KRX_FWDG_ORD_ORGNO: '06010' },
    })
    const list = await client.get('trading/inquire-daily-ccld', 'TTTC0081R', {
      ...ACCOUNT,
      INQR_STRT_DT: '20260301',
      INQR_END_DT: '20260305',
    })
    expect(list.body.output1).toMatchObject([
      { rjct_qty: '1', rmn_qty: '0', cnc_cfrm_qty: '0', orgn_odno: '', excg_id_dvsn_Cd: 'KRX' },
    ])
    const short = await client.post('trading/order-cash', 'TTTC0012U', {
      ...body,
      ORD_QTY: '100000',
      ORD_UNPR: '71500',
    })
    expect(short.body).toMatchObject({ rt_cd: '7', msg_cd: 'APBK0952' })
  })

  test('lists what can still be changed, and knows the holidays', async () => {
    const { client } = await start({ profile: 'real' })
    await client.post('trading/order-cash', 'TTTC0012U', {
      ...ACCOUNT,
      PDNO: '005930',
      ORD_DVSN: '00',
      ORD_QTY: '3',
      ORD_UNPR: '70000',
    })
    const open = await client.get('trading/inquire-psbl-rvsecncl', 'TTTC0084R', {
      ...ACCOUNT,
      INQR_DVSN_1: '0',
      INQR_DVSN_2: '0',
    })
    expect(open.body.output).toMatchObject([{ odno: '0000000001', psbl_qty: '3' }])
    const days = await client.get('quotations/chk-holiday', 'CTCA0903R', {
      BASS_DT: '20260105',
      CTX_AREA_NK: '',
      CTX_AREA_FK: '',
    })
    expect(days.body.output).toMatchObject({
      0: { bass_dt: '20260105', wday_dvsn_cd: '02', opnd_yn: 'Y' },
      5: { opnd_yn: 'N' },
    })
  })
})
