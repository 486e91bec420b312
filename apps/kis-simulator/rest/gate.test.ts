import { connect as dial } from 'node:net'
import { describe, expect, test } from 'vitest'
import { openSimulator, start } from '../simulator.fixture.ts'
import { ACCOUNT, TRADER, call, connect, handStopwatch, post, quoteOf } from '../test-client.ts'

const CREDENTIALS = { grant_type: 'client_credentials', appkey: TRADER.appKey, appsecret: TRADER.appSecret }

describe('tokens', () => {
  test('a second token within a minute is refused in a shape of its own, later the same one comes back, after six hours a new one', async () => {
    const stopwatch = handStopwatch()
    const simulator = await openSimulator({ stopwatch })
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
    const simulator = await openSimulator()
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
