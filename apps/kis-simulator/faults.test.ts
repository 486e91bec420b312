import { describe, expect, test } from 'vitest'
import { start } from './simulator.fixture.ts'
import { ACCOUNT, handStopwatch, post, quoteOf } from './test-client.ts'

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
    await expect(client.order('buy', '005930', 1, 71_500)).rejects.toThrow('fetch failed')
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
    await expect(quoteOf(client)).rejects.toThrow('fetch failed')
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
