import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import { parseInstant, sessionDate } from '#shared/domain/time.ts'
import { formatMoney, formatPrice, price } from '#shared/domain/values.ts'
import { BrokerRefusedError } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { brokerOrderOf } from './account-lists.ts'
import { rowOf } from './fields.ts'
import { noRecordedData, recordedAnswer } from './recorded-kis.fixture.ts'
import {
  ACCOUNT,
  type Answer,
  type ScriptedKis,
  failure,
  gatewayTo,
  scriptedKis,
  success,
} from './scripted-kis.fixture.ts'
import { PATH } from './tr-ids.ts'

const TODAY = sessionDate('2026-11-20')
const SYMBOL = instrumentId('000660.KRX')

let kis: ScriptedKis
let gateway: ReturnType<typeof gatewayTo>
beforeEach(async () => {
  kis = await scriptedKis()
  gateway = gatewayTo(kis, parseInstant('2026-11-20T11:00:00+09:00'))
})
afterEach(async () => {
  await gateway.close()
  await kis.close()
})

const soon = (): AbortSignal => AbortSignal.timeout(10_000)

const orderRow = (changes: Record<string, string> = {}): Record<string, string> => ({
  ord_dt: '20261120',
  ord_gno_brno: '06010',
  odno: '0000012345',
  orgn_odno: '',
  sll_buy_dvsn_cd: '02',
  pdno: '000660',
  ord_qty: '10',
  ord_unpr: '182300',
  ord_tmd: '101533',
  tot_ccld_qty: '4',
  avg_prvs: '182300.00',
  tot_ccld_amt: '729200',
  cnc_cfrm_qty: '0',
  rmn_qty: '6',
  rjct_qty: '0',
  ord_dvsn_cd: '00',
  excg_id_dvsn_Cd: 'KRX',
  ...changes,
})
const page = (rows: readonly unknown[], trCont: string, key = ''): Answer =>
  success(
    {
      output1: rows,
      output2: {},
      ctx_area_fk100: '50123456^01^N^'.padEnd(100),
      ctx_area_nk100: key.padEnd(100),
    },
    trCont,
  )

describe('the order list', () => {
  test('reads a row as KIS means it', async () => {
    kis.on(PATH.orders, page([orderRow()], 'D'))
    expect(await gateway.listOrders(ACCOUNT.accountId, TODAY, soon())).toEqual([
      {
        brokerOrderId: '0000012345',
        brokerRoute: '06010',
        instrumentId: SYMBOL,
        side: 'buy',
        quantity: 10n,
        limitPrice: 1_823_000_000n,
        filledQuantity: 4n,
        filledNotional: 7_292_000_000n,
        canceledQuantity: 0n,
        rejectedQuantity: 0n,
        remainingQuantity: 6n,
        isChange: false,
        orderTime: parseInstant('2026-11-20T10:15:33+09:00'),
      },
    ])
    expect(Object.fromEntries(kis.calls(PATH.orders)[0]?.query ?? [])).toMatchObject({
      INQR_STRT_DT: '20261120',
      CCLD_DVSN: '00',
      INQR_DVSN: '01',
      EXCG_ID_DVSN_CD: 'ALL',
    })
  })

  test.each([
    ['an empty original', { orgn_odno: '' }, false],
    ['an original of zeros', { orgn_odno: '0000000000' }, false],
    ['its own number as original', { orgn_odno: '0000012345' }, false],
    ['its own number without zeros', { orgn_odno: '12345' }, false],
    ['another number', { orgn_odno: '0000000777' }, true],
  ] as const)('%s: is the row itself a change?', async (_name, changes, isChange) => {
    const order = brokerOrderOf(rowOf(orderRow(changes), 'output1[0]'))
    expect([order.isChange, order.originalBrokerOrderId]).toEqual([
      isChange,
      isChange ? '0000000777' : undefined,
    ])
  })

  test('the canceled quantity is found under either spelling', () => {
    const { cnc_cfrm_qty: _one, ...rest } = orderRow()
    expect(brokerOrderOf(rowOf({ ...rest, cncl_cfrm_qty: '3' }, 'row')).canceledQuantity).toBe(3n)
    expect(brokerOrderOf(rowOf({ ...rest, cnc_cfrm_qty: '3' }, 'row')).canceledQuantity).toBe(3n)
    expect(() => brokerOrderOf(rowOf(rest, 'row'))).toThrow('cnc_cfrm_qty or cncl_cfrm_qty: is missing')
  })

  test('pitfall 9: order numbers come out padded, however they came in', () => {
    for (const odno of ['12345', '0000012345', '     12345', '12345     ']) {
      expect(brokerOrderOf(rowOf(orderRow({ odno }), 'row')).brokerOrderId).toBe('0000012345')
    }
  })

  test('every page is read, with the keys of the page before sent back as they came', async () => {
    kis.on(
      PATH.orders,
      page([orderRow({ odno: '1' }), orderRow({ odno: '2', ord_tmd: '101534' })], 'F', 'key-2'),
      page([orderRow({ odno: '3', ord_tmd: '101535' })], 'M', 'key-3'),
      page([orderRow({ odno: '4', ord_tmd: '101536' }), {}], 'E'),
    )
    const orders = await gateway.listOrders(ACCOUNT.accountId, TODAY, soon())
    expect(orders.map(({ brokerOrderId }) => Number(brokerOrderId))).toEqual([1, 2, 3, 4])
    const calls = kis.calls(PATH.orders)
    expect(calls.map(({ headers }) => headers['tr_cont'])).toEqual(['', 'N', 'N'])
    expect(calls.map(({ query }) => query.get('CTX_AREA_NK100'))).toEqual([
      '',
      'key-2'.padEnd(100),
      'key-3'.padEnd(100),
    ])
  })

  test('a ledger that changed while paging is read again from page one', async () => {
    const changed = failure('KIOK0561', '조회 이후 자료가 변경되었습니다. 다시 조회하시기 바랍니다.')
    kis.on(
      PATH.orders,
      page([orderRow({ odno: '1' })], 'F', 'key-2'),
      changed,
      page([orderRow({ odno: '1' })], 'F', 'key-2'),
      page([orderRow({ odno: '2' })], 'D'),
    )
    const orders = await gateway.listOrders(ACCOUNT.accountId, TODAY, soon())
    expect(orders.map(({ brokerOrderId }) => Number(brokerOrderId))).toEqual([1, 2])
    expect(kis.calls(PATH.orders).map(({ headers }) => headers['tr_cont'])).toEqual(['', 'N', '', 'N'])
  })

  test.each([
    ['pages that lead in a circle', [page([orderRow()], 'F', 'same'), page([orderRow()], 'F', 'same')]],
    ['a promised page without a key', [page([orderRow()], 'M')]],
    ['rows that are not a list', [success({ output1: 'none' })]],
    ['a maintenance page', [{ raw: '<html/>' }]],
    ['a broken row', [page([orderRow({ tot_ccld_qty: '-4' })], 'D')]],
    ['more filled than ordered', [page([orderRow({ tot_ccld_qty: '11' })], 'D')]],
    ['an unknown side', [page([orderRow({ sll_buy_dvsn_cd: '03' })], 'D')]],
  ] as const)('%s is never taken for the whole list', async (_name, answers) => {
    kis.on(PATH.orders, ...answers)
    await expect(gateway.listOrders(ACCOUNT.accountId, TODAY, soon())).rejects.toThrow(RetryableError)
  })

  test('pitfall 26: a day more than three months back has a TR id of its own', async () => {
    kis.on(PATH.orders, page([], 'D'))
    await gateway.listOrders(ACCOUNT.accountId, sessionDate('2026-08-01'), soon())
    await gateway.listOrders(ACCOUNT.accountId, sessionDate('2026-09-01'), soon())
    expect(kis.calls(PATH.orders).map(({ headers }) => headers['tr_id'])).toEqual(['CTSC9215R', 'TTTC0081R'])
  })

  test('an account that is not ours is refused', async () => {
    await expect(gateway.listOrders('kis:0', TODAY, soon())).rejects.toThrow(BrokerRefusedError)
  })
})

describe('a recorded order list of a paper account', () => {
  const recorded = recordedAnswer('inquire-daily-ccld_paper')
  if (recorded === undefined) {
    noRecordedData('the order list')
    return
  }
  test('all 15 rows are market sells, filled whole, and none is a change', () => {
    const rows = recorded['output1'] as unknown[]
    const orders = rows.map((row, index) => brokerOrderOf(rowOf(row, `output1[${index}]`)))
    expect(orders).toHaveLength(15)
    for (const order of orders) {
      expect(order).toMatchObject({ side: 'sell', isChange: false, remainingQuantity: 0n })
      expect(order.limitPrice).toBeUndefined()
      expect(order.filledQuantity).toBe(order.quantity)
    }
    expect(orders[1]?.filledNotional).toBe(3_122_000_000n)
    expect(orders[7]?.instrumentId).toBe('00680K.KRX')
  })
})

const holding = (changes: Record<string, string> = {}): Record<string, string> => ({
  pdno: '000660',
  hldg_qty: '12',
  ord_psbl_qty: '12',
  pchs_avg_pric: '181950.3333',
  prpr: '182300',
  ...changes,
})

describe('the balance', () => {
  const totals = [{ dnca_tot_amt: '1', nxdy_excc_amt: '2', prvs_rcdl_excc_amt: '-1500000' }]
  const balance = (rows: readonly unknown[], output2: unknown = totals): Answer =>
    success({ output1: rows, output2, ctx_area_fk100: ' ', ctx_area_nk100: 'next' }, 'D')

  test('cash is D+2, positions are what is held, sold-out symbols are gone', async () => {
    kis.on(PATH.balance, balance([holding(), holding({ pdno: '005930', hldg_qty: '0' })]))
    const read = await gateway.balance(ACCOUNT.accountId, soon())
    expect(formatMoney(read.cash)).toBe('-1500000')
    expect(
      read.positions.map((row) => [row.instrumentId, row.quantity, formatPrice(row.averagePrice)]),
    ).toEqual([[SYMBOL, 12n, '181950.3333']])
  })

  test('an empty account has cash and no rows', async () => {
    kis.on(PATH.balance, balance([]))
    expect((await gateway.balance(ACCOUNT.accountId, soon())).positions).toEqual([])
  })

  test.each([
    ['no cash line', balance([], [])],
    ['a cash line without D+2', balance([], [{ dnca_tot_amt: '1' }])],
    ['a quantity in words', balance([holding({ hldg_qty: 'many' })])],
    ['positions missing', success({ output2: totals })],
  ])('%s is not read as an empty account', async (_name, answer) => {
    kis.on(PATH.balance, answer)
    await expect(gateway.balance(ACCOUNT.accountId, soon())).rejects.toThrow(RetryableError)
  })

  test('EGW00215, the ledger limit of all customers, is waited out', async () => {
    kis.on(PATH.balance, failure('EGW00215', '', 500), balance([holding()]))
    expect((await gateway.balance(ACCOUNT.accountId, soon())).positions).toHaveLength(1)
  })
})

describe('orderable cash', () => {
  test('pitfall 13: a market buy is asked for as a market order; credit is left out', async () => {
    kis.on(PATH.orderableCash, success({ output: { nrcvb_buy_amt: '995000', max_buy_amt: '2000000' } }))
    const limited = await gateway.orderableCash(ACCOUNT.accountId, SYMBOL, price('182300'), soon())
    await gateway.orderableCash(ACCOUNT.accountId, SYMBOL, undefined, soon())
    expect(formatMoney(limited)).toBe('995000')
    expect(
      kis.calls(PATH.orderableCash).map(({ query }) => [query.get('ORD_DVSN'), query.get('ORD_UNPR')]),
    ).toEqual([
      ['00', '182300'],
      ['01', '0'],
    ])
  })
})
