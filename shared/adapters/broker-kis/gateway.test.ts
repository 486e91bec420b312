import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { price, quantity } from '#shared/domain/values.ts'
import type { BrokerOrderRef, SendResult } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { systemClock } from '../system/clock.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import { kisGateway } from './gateway.ts'
import {
  ACCOUNT,
  type Answer,
  type ScriptedKis,
  TOKEN_ANSWER,
  approvedOrder,
  failure,
  scriptedKis,
  success,
} from './scripted-kis.fixture.ts'
import { keyNameOf } from './token.ts'
import { PATH } from './tr-ids.ts'

let kis: ScriptedKis
const opened: { close(): Promise<void> }[] = []
beforeEach(async () => (kis = await scriptedKis()))
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
  await kis.close()
})

const soon = (ms = 10_000): AbortSignal => AbortSignal.timeout(ms)
const ACCEPTED = success({ output: { KRX_FWDG_ORD_ORGNO: '06010', ODNO: '0000012345', ORD_TMD: '101533' } })
const REF: BrokerOrderRef = {
  accountId: ACCOUNT.accountId,
  brokerOrderId: '0000012345',
  brokerRoute: '06010',
  instrumentId: instrumentId('000660.KRX'),
}

function gateway(changes: Partial<ScriptedKis['settings']> = {}) {
  const made = kisGateway({
    settings: { ...kis.settings, ...changes },
    accounts: [ACCOUNT],
    hotState: memoryHotState({ stopwatch: systemStopwatch }),
    clock: systemClock,
    stopwatch: systemStopwatch,
  })
  opened.push(made)
  return made
}

async function submitted(...answers: readonly Answer[]): Promise<{ result: SendResult; calls: number }> {
  kis.on(PATH.order, ...answers)
  const result = await gateway().submit(approvedOrder(), soon())
  return { result, calls: kis.calls(PATH.order).length }
}

describe('an order on the wire', () => {
  test('carries every header and upper-case key that KIS asks for', async () => {
    const { result } = await submitted(ACCEPTED)
    expect(result).toEqual({ outcome: 'accepted', brokerOrderId: '0000012345', brokerRoute: '06010' })
    const [sent] = kis.calls(PATH.order)
    expect(sent?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      authorization: 'Bearer token-1',
      appkey: 'PSkey-1',
      appsecret: 'secret-1',
      tr_id: 'TTTC0012U',
      custtype: 'P',
    })
    expect(sent?.body).toEqual({
      CANO: '50123456',
      ACNT_PRDT_CD: '01',
      PDNO: '000660',
      ORD_DVSN: '00',
      ORD_QTY: '10',
      ORD_UNPR: '182300',
      EXCG_ID_DVSN_CD: 'KRX',
    })
  })

  test.each([
    ['limit', 'day', '00', '182300'],
    ['limit', 'ioc', '11', '182300'],
    ['limit', 'fok', '12', '182300'],
    ['market', 'day', '01', '0'],
    ['market', 'ioc', '13', '0'],
    ['market', 'fok', '14', '0'],
  ] as const)('%s %s is division %s', async (orderType, timeInForce, division, unit) => {
    kis.on(PATH.order, ACCEPTED)
    const { limitPrice, ...rest } = approvedOrder({ orderType, timeInForce, side: 'sell' })
    await gateway().submit((orderType === 'limit' ? { ...rest, limitPrice } : rest) as ApprovedOrder, soon())
    const [sent] = kis.calls(PATH.order)
    expect(sent?.headers['tr_id']).toBe('TTTC0011U')
    expect(sent?.body).toMatchObject({ ORD_DVSN: division, ORD_UNPR: unit, SLL_TYPE: '01' })
  })

  test('pitfall 15: a paper account has paper TR ids', async () => {
    kis.on(PATH.order, ACCEPTED)
    kis.on(PATH.change, ACCEPTED)
    const paper = gateway({ paperTrading: true })
    await paper.submit(approvedOrder(), soon())
    await paper.cancel(REF, soon())
    expect(kis.received.map(({ headers }) => headers['tr_id'])).toEqual([undefined, 'VTTC0012U', 'VTTC0013U'])
  })

  test('a cancel names the original with its leading zeros and takes all that remains', async () => {
    kis.on(PATH.change, success({ output: { krx_fwdg_ord_orgno: '06010', odno: '12399', ord_tmd: '1' } }))
    const result = await gateway().cancel({ ...REF, brokerOrderId: '12345' }, soon())
    expect(result).toEqual({ outcome: 'accepted', brokerOrderId: '0000012399', brokerRoute: '06010' })
    expect(kis.calls(PATH.change)[0]?.body).toMatchObject({
      KRX_FWDG_ORD_ORGNO: '06010',
      ORGN_ODNO: '0000012345',
      RVSE_CNCL_DVSN_CD: '02',
      ORD_QTY: '0',
      ORD_UNPR: '0',
      QTY_ALL_ORD_YN: 'Y',
    })
  })

  test('an amend states its quantity, and never "all", which after a fill on the way is another quantity', async () => {
    kis.on(PATH.change, ACCEPTED)
    await gateway().amend(REF, { quantity: quantity('6'), limitPrice: price('182000') }, soon())
    expect(kis.calls(PATH.change)[0]?.body).toMatchObject({
      RVSE_CNCL_DVSN_CD: '01',
      ORD_QTY: '6',
      ORD_UNPR: '182000',
      QTY_ALL_ORD_YN: 'N',
    })
  })
})

describe('what became of an order', () => {
  test.each([
    // name                                     answer                                                outcome    calls
    ['no cash', failure('APBK0952', '주문가능금액을 초과 했습니다', 200, '7'), 'rejected', 1],
    ['closed market', failure('APBK0918', '장운영시간이 아닙니다.(주문불가)'), 'rejected', 1],
    ['paper refusal', failure('40240000', '모의투자 잔고내역이 없습니다.'), 'rejected', 1],
    ['pitfall 15 EGW02006', failure('EGW02006', '모의투자 TR 이 아닙니다', 500), 'rejected', 1],
    ['pitfall 27 EGW00206', failure('EGW00206', 'no permission', 500), 'rejected', 1],
    ['EGW00301 after it was taken', failure('EGW00301', 'check the last transaction', 500), 'unknown', 1],
    ['EGW00302', failure('EGW00302', '', 500), 'unknown', 1],
    ['EGW00002', failure('EGW00002', 'server error', 500), 'unknown', 1],
    ['IGW00009: the reply could not be built', failure('IGW00009', ''), 'unknown', 1],
    ['a code nobody knows', failure('XYZ12345', ''), 'unknown', 1],
    ['a success code in a failure', failure('APBK0013', ''), 'unknown', 1],
    ['maintenance page', { raw: '<html>점검중</html>', status: 503 }, 'unknown', 1],
    ['empty answer', { raw: '', status: 502 }, 'unknown', 1],
    ['JSON that is no object', { raw: '[]' }, 'unknown', 1],
    ['accepted without an order number', success({ output: {} }), 'unknown', 1],
    ['accepted with a broken order number', success({ output: { ODNO: 'abc' } }), 'unknown', 1],
    ['accepted without output', success({}), 'unknown', 1],
    ['connection cut after the request', 'reset', 'unknown', 1],
    ['half an answer', 'half', 'unknown', 1],
  ] as const)('pitfalls 14 and 21: %s', async (_name, answer, outcome, calls) => {
    const seen = await submitted(answer)
    expect([seen.result.outcome, seen.calls]).toEqual([outcome, calls])
  })

  test('the broker that lost sight of it is told apart from one that never answered', async () => {
    const { result } = await submitted(failure('EGW00302', '', 500))
    expect(result).toMatchObject({ outcome: 'unknown', cause: 'brokerTimeout' })
    const silent = await submitted('reset')
    expect(silent.result).toMatchObject({ outcome: 'unknown', cause: 'noAnswer' })
  })

  test('a broker that does not answer within the deadline leaves the outcome open', async () => {
    kis.on(PATH.order, 'hang')
    const result = await gateway().submit(approvedOrder(), soon(300))
    expect(result).toMatchObject({ outcome: 'unknown', cause: 'noAnswer' })
    expect(kis.calls(PATH.order)).toHaveLength(1)
  })

  test('a host that nobody listens on has not been sent anything', async () => {
    const hotState = memoryHotState({ stopwatch: systemStopwatch })
    // A token is at hand, so it is the order itself that finds nobody.
    const token = JSON.stringify({ text: 'token-1', endsAt: systemClock.now() + 3_600_000 })
    await hotState.set(`kis:token:${keyNameOf(ACCOUNT)}`, token)
    const settings = { ...kis.settings, apiBaseUrl: 'http://127.0.0.1:1' }
    const made = kisGateway({
      settings,
      accounts: [ACCOUNT],
      hotState,
      clock: systemClock,
      stopwatch: systemStopwatch,
    })
    opened.push(made)
    const refused = { outcome: 'notSent', detail: expect.stringContaining('ECONNREFUSED') }
    expect(await made.submit(approvedOrder(), soon())).toMatchObject(refused)
    expect(await made.cancel(REF, soon())).toMatchObject(refused)
    await expect(made.quote(REF.instrumentId, soon())).rejects.toThrow(RetryableError)
  })

  test('an aborted signal sends nothing', async () => {
    kis.on(PATH.order, ACCEPTED)
    expect(await gateway().submit(approvedOrder(), AbortSignal.abort())).toMatchObject({ outcome: 'notSent' })
    expect(kis.calls(PATH.order)).toHaveLength(0)
  })

  test('EGW00201 and EGW00215 were refused unread, so the order goes again, and once it is in, no more', async () => {
    const busy = failure('EGW00201', '초당 거래건수를 초과하였습니다.', 500)
    const { result, calls } = await submitted(busy, failure('EGW00215', '', 429), busy, ACCEPTED)
    expect([result.outcome, calls]).toEqual(['accepted', 4])
  })

  test('a limit that does not end is "not sent", inside the deadline', async () => {
    kis.on(PATH.order, failure('EGW00201', '초당 거래건수를 초과하였습니다.', 500))
    const result = await gateway().submit(approvedOrder(), soon(500))
    expect(result).toMatchObject({ outcome: 'notSent' })
  })

  test('pitfalls 1 and 2: an expired token is re-issued once and the order goes once more', async () => {
    kis.on('/oauth2/tokenP', TOKEN_ANSWER('token-1'), TOKEN_ANSWER('token-2'))
    kis.on(PATH.order, failure('EGW00123', '기간이 만료된 token 입니다.', 500), ACCEPTED)
    const hotState = memoryHotState({ stopwatch: systemStopwatch })
    const made = kisGateway({
      settings: kis.settings,
      accounts: [ACCOUNT],
      hotState,
      clock: systemClock,
      stopwatch: systemStopwatch,
    })
    opened.push(made)
    kis.on(PATH.price, failure('EGW00206', ''))
    await made.quote(REF.instrumentId, soon()).catch(() => undefined)
    await hotState.delete(`kis:token:${keyNameOf(ACCOUNT)}:lease`) // the minute has passed
    const result = await made.submit(approvedOrder(), soon())
    expect(result.outcome).toBe('accepted')
    expect(kis.calls(PATH.order).map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  test('a token that cannot be had means "not sent"', async () => {
    kis.on('/oauth2/tokenP', {
      json: { error_code: 'EGW00133', error_description: '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)' },
      status: 403,
    })
    expect(await gateway().submit(approvedOrder(), soon())).toMatchObject({ outcome: 'notSent' })
    expect(kis.calls(PATH.order)).toHaveLength(0)
  })

  test.each([
    ['another account', { accountId: 'kis:9999999901' }, 'JTS_ACCOUNT'],
    ['another venue', { instrumentId: instrumentId('AAPL.NASDAQ') }, 'JTS_VENUE'],
    ['no quantity', { quantity: quantity('0') }, 'JTS_QUANTITY'],
    ['half a won', { limitPrice: price('182300.5') }, 'JTS_PRICE'],
    ['a market order with a price', { orderType: 'market' }, 'JTS_PRICE_MISSING'],
  ] as const)('%s is refused here, before anything leaves', async (_name, changes, code) => {
    const result = await gateway().submit(approvedOrder(changes), soon())
    expect(result).toMatchObject({ outcome: 'rejected', code })
    expect(kis.received).toHaveLength(0)
  })
})
