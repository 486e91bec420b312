import { connect as dial } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { ACCOUNT, type Client, TRADER, call, connect, post, startTestSimulator } from '../test-client.ts'

let simulator: Simulator | undefined

async function start(
  options: Partial<SimulatorOptions> = {},
): Promise<{ simulator: Simulator; client: Client }> {
  simulator = await startTestSimulator(options)
  return { simulator, client: await connect(simulator) }
}

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

/** Process time that a test moves. */
function handStopwatch(): Stopwatch & { add(ms: number): void } {
  let ms = 0
  return {
    elapsedMs: () => ms,
    sleep: (time, signal) => systemStopwatch.sleep(time, signal),
    add: (more) => (ms += more),
  }
}

const CREDENTIALS = { grant_type: 'client_credentials', appkey: TRADER.appKey, appsecret: TRADER.appSecret }
const quoteOf = (client: Client, more: Record<string, string> = {}) =>
  client.get(
    'quotations/inquire-price',
    'FHKST01010100',
    { FID_COND_MRKT_DIV_CODE: 'J', FID_INPUT_ISCD: '005930' },
    more,
  )

describe('tokens', () => {
  test('a second token within a minute is refused in a shape of its own, later the same one comes back, after six hours a new one', async () => {
    const stopwatch = handStopwatch()
    simulator = await startTestSimulator({ stopwatch })
    const url = `${simulator.restUrl}/oauth2/tokenP`
    const first = await post(url, CREDENTIALS)
    expect(first.body).toMatchObject({ token_type: 'Bearer', expires_in: 86_400 })
    expect(String(first.body['access_token_token_expired'])).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/)
    stopwatch.add(59_000)
    const second = await post(url, CREDENTIALS)
    expect(second.status).toBe(403)
    expect(second.body).toEqual({
      error_code: 'EGW00133',
      error_description: '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)',
    })
    stopwatch.add(2_000)
    expect((await post(url, CREDENTIALS)).body['access_token']).toBe(first.body['access_token'])
    stopwatch.add(6 * 3_600_000)
    expect((await post(url, CREDENTIALS)).body['access_token']).not.toBe(first.body['access_token'])
  })

  test.each([
    ['a wrong secret', { ...CREDENTIALS, appsecret: 'x' }, 'EGW00105'],
    ['an unknown key', { ...CREDENTIALS, appkey: 'x' }, 'EGW00103'],
    ['no grant type', { ...CREDENTIALS, grant_type: '' }, 'EGW00115'],
  ])('%s gets no token', async (_name, body, code) => {
    simulator = await startTestSimulator()
    const answer = await post(`${simulator.restUrl}/oauth2/tokenP`, body)
    expect(answer).toMatchObject({ status: 403, body: { error_code: code } })
  })

  test('an expired and a revoked token are told apart', async () => {
    const { simulator: running, client } = await start()
    expect((await quoteOf(client)).status).toBe(200)
    await call(`${running.restUrl}/simulator/tokens/expire`, { method: 'POST' })
    expect(await quoteOf(client)).toMatchObject({ status: 500, body: { rt_cd: '1', msg_cd: 'EGW00123' } })
    const fresh = await connect(running)
    const token = fresh.headers['authorization']?.split(' ')[1]
    const revoked = await post(`${running.restUrl}/oauth2/revokeP`, {
      appkey: TRADER.appKey,
      appsecret: TRADER.appSecret,
      token,
    })
    expect(revoked.body).toEqual({ code: 200, message: '접근토큰 폐기에 성공하였습니다' })
    expect(await quoteOf(fresh)).toMatchObject({ status: 500, body: { msg_cd: 'EGW00121' } })
  })

  test('a hash of the order body is accepted and another one is not', async () => {
    const { simulator: running, client } = await start()
    const body = { ...ACCOUNT, PDNO: '005930', ORD_DVSN: '00', ORD_QTY: '1', ORD_UNPR: '71000' }
    const hash = await post(`${running.restUrl}/uapi/hashkey`, body, {
      appkey: TRADER.appKey,
      appsecret: TRADER.appSecret,
    })
    expect(String(hash.body['HASH'])).toMatch(/^[0-9a-f]{64}$/)
    const good = await client.post('trading/order-cash', 'VTTC0012U', body, {
      hashkey: String(hash.body['HASH']),
    })
    expect(good.body.rt_cd).toBe('0')
    const bad = await client.post(
      'trading/order-cash',
      'VTTC0012U',
      { ...body, ORD_QTY: '2' },
      { hashkey: String(hash.body['HASH']) },
    )
    expect(bad.body.msg_cd).toBe('EGW00131')
  })
})

describe('the gate', () => {
  test.each([
    ['no app key', { appkey: '' }, 'EGW00102'],
    ['an unknown app key', { appkey: 'nobody' }, 'EGW00103'],
    ['a wrong secret', { appsecret: 'wrong' }, 'EGW00105'],
    ['no bearer', { authorization: 'Basic abc' }, 'EGW00205'],
    ['a made-up token', { authorization: 'Bearer abc' }, 'EGW00121'],
    ['no TR id', { tr_id: '' }, 'OPSQ9999'],
    ['a TR id of another call', { tr_id: 'FHKST01010200' }, 'OPSQ0002'],
  ])('%s is stopped with HTTP 500', async (_name, headers, code) => {
    const { client } = await start()
    const answer = await quoteOf(client, headers)
    expect(answer).toMatchObject({ status: 500, body: { rt_cd: '1', msg_cd: code } })
  })

  test('a real TR on the paper host, and a call that paper does not serve, are EGW02006', async () => {
    const { client } = await start()
    const query = { ...ACCOUNT, INQR_DVSN_1: '0', INQR_DVSN_2: '0' }
    expect((await client.get('trading/inquire-psbl-rvsecncl', 'TTTC0084R', query)).body.msg_cd).toBe(
      'EGW02006',
    )
    expect((await client.get('trading/inquire-balance', 'TTTC8434R', ACCOUNT)).body.msg_cd).toBe('EGW02006')
  })

  test('a paper TR on the real host is EGW02004', async () => {
    const { client } = await start({ profile: 'real' })
    expect((await client.get('trading/inquire-balance', 'VTTC8434R', ACCOUNT)).body.msg_cd).toBe('EGW02004')
  })

  test('more than the rate is refused with HTTP 500 and let through again a second later', async () => {
    const stopwatch = handStopwatch()
    const { client } = await start({ ratePerSecond: 2, stopwatch })
    const codes: unknown[] = []
    for (let request = 0; request < 3; request += 1) codes.push((await quoteOf(client)).body.msg_cd)
    expect(codes).toEqual(['MCA00000', 'MCA00000', 'EGW00201'])
    stopwatch.add(500)
    expect((await quoteOf(client)).body.msg_cd).toBe('MCA00000')
  })

  test('an account of another key is refused', async () => {
    const { client } = await start()
    const answer = await client.get('trading/inquire-balance', 'VTTC8434R', {
      CANO: '99999999',
      ACNT_PRDT_CD: '01',
    })
    expect(answer).toMatchObject({ status: 200, body: { rt_cd: '1', msg_cd: 'OPSQ2000' } })
  })
})

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
    expect(dates).toEqual([...dates].sort().reverse())
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

describe('faults', () => {
  test('an order that is never answered exists all the same', async () => {
    const { simulator: running, client } = await start()
    running.faults.load('silenceAfterEffect')
    const body = { ...ACCOUNT, PDNO: '005930', ORD_DVSN: '00', ORD_QTY: '1', ORD_UNPR: '71500' }
    const url = `${running.restUrl}/uapi/domestic-stock/v1/trading/order-cash`
    const waiting = fetch(url, {
      method: 'POST',
      headers: { ...client.headers, tr_id: 'VTTC0012U', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(300),
    })
    await expect(waiting).rejects.toThrow(/timeout/)
    expect(running.isIdle()).toBe(true)
    expect((await client.dailyOrders()).body.output1).toHaveLength(1)
  })

  test.each([
    ['resetBeforeEffect', 0],
    ['resetAfterEffect', 1],
  ] as const)('%s resets the connection and leaves %i orders', async (shot, orders) => {
    const { simulator: running, client } = await start()
    running.faults.load(shot)
    await expect(client.order('buy', '005930', 1, 71_500)).rejects.toThrow()
    expect((await client.dailyOrders()).body.output1).toHaveLength(orders)
  })

  test.each([
    ['gatewayTimeoutBeforeEffect', 'EGW00301', 0],
    ['gatewayTimeoutAfterEffect', 'EGW00302', 1],
  ] as const)('%s answers %s and leaves %i orders', async (shot, code, orders) => {
    const { simulator: running, client } = await start()
    await post(`${running.restUrl}/simulator/faults/shots`, { shot })
    expect(await client.order('buy', '005930', 1, 71_500)).toMatchObject({
      status: 500,
      body: { msg_cd: code },
    })
    expect((await client.dailyOrders()).body.output1).toHaveLength(orders)
  })

  test('a burst of server errors ends, and a refused connection is reset', async () => {
    const { simulator: running, client } = await start()
    running.faults.load('serverError', 2)
    expect((await quoteOf(client)).status).toBe(500)
    expect((await quoteOf(client)).status).toBe(500)
    expect((await quoteOf(client)).status).toBe(200)
    running.faults.load('refuseConnection')
    await expect(quoteOf(client)).rejects.toThrow()
  })

  test('a delayed list shows an order only later', async () => {
    const stopwatch = handStopwatch()
    const { client } = await start({ stopwatch, faults: { orderListDelayMs: 3000 } })
    await client.order('buy', '005930', 1, 71_500)
    expect((await client.dailyOrders()).body.output1).toEqual([])
    stopwatch.add(3000)
    expect((await client.dailyOrders()).body.output1).toHaveLength(1)
  })

  test('a page asked for after the ledger changed is refused when told so', async () => {
    const { client } = await start({ faults: { refuseStalePages: true } })
    for (let order = 0; order < 16; order += 1) await client.order('buy', '114800', 1, 3_500)
    const first = await client.dailyOrders()
    await client.order('buy', '114800', 1, 3_500)
    const second = await client.dailyOrders(
      { CTX_AREA_NK100: String(first.body['ctx_area_nk100']) },
      { tr_cont: 'N' },
    )
    expect(second.body).toMatchObject({ rt_cd: '7' })
    expect(second.body.msg1).toContain('변경')
  })

  test('an unknown fault is named', async () => {
    const { simulator: running } = await start()
    const answer = await post(`${running.restUrl}/simulator/faults/shots`, { shot: 'earthquake' })
    expect(answer).toMatchObject({ status: 400 })
    expect(String(answer.body['error'])).toContain('shot')
  })
})

test('garbage on the line does not disturb the others', async () => {
  const { simulator: running, client } = await start()
  const { port } = new URL(running.restUrl)
  await new Promise<void>((resolve) => {
    const socket = dial(Number(port), '127.0.0.1', () => socket.end('\u0000\u0001 nonsense\r\n\r\n'))
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.resume()
  })
  const big = await fetch(`${running.restUrl}/oauth2/tokenP`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(big.status).toBe(413)
  expect((await quoteOf(client)).status).toBe(200)
})
