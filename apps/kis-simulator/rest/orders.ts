// order-cash and order-rvsecncl.
import { type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import type { Side } from '#shared/domain/order.ts'
import { type Price, type Quantity, price, quantity } from '#shared/domain/values.ts'
import type { Entry } from '#shared/simulation/exchange.ts'
import type { Refusal } from '#shared/simulation/venue-order.ts'
import { ORDER_SHOTS, type OrderShot } from '../faults.ts'
import { hashOf, jsonObject } from './oauth.ts'
import { ORDER_KINDS, type OrderKind } from './order-types.ts'
import { refusal } from './refusals.ts'
import { type Call, type Desk, type Reply, failed, fieldInvalid, fieldMissing, kisTime, ok } from './reply.ts'

export const branchOf = { real: '06010', paper: '00950' } as const
export const formatOrderNumber = (orderNumber: number): string => String(orderNumber).padStart(10, '0')

export const accountOf = (call: Call): string => call.field('CANO') + call.field('ACNT_PRDT_CD')

/** Why the account may not be used with this key; `undefined` when it may. */
export const wrongAccount = (desk: Desk, call: Call): Reply | undefined =>
  desk.customers.owns(call.appKey, accountOf(call))
    ? undefined
    : failed(200, 'OPSQ2000', 'ERROR : INPUT INVALID_CHECK_ACNO')

function wrongBody(desk: Desk, call: Call, required: readonly string[]): Reply | undefined {
  if (jsonObject(call.bodyText) === undefined) return failed(200, 'OPSQ9997', 'JSON DATA FORMAT ERROR')
  const hash = call.header('hashkey')
  if (hash !== '' && hash !== hashOf(call.bodyText))
    return failed(500, 'EGW00131', '유효하지 않은 hashkey입니다.')
  const missing = required.find((name) => call.field(name) === '')
  if (missing !== undefined) return fieldMissing(missing)
  if (
    call.field('EXCG_ID_DVSN_CD') !== '' &&
    !exchangesOf[desk.profile].includes(call.field('EXCG_ID_DVSN_CD'))
  ) {
    return fieldInvalid('EXCG_ID_DVSN_CD')
  }
  return wrongAccount(desk, call)
}

/** NXT is another venue, which is not simulated; SOR routes to KRX here. */
const exchangesOf = { real: ['KRX', 'SOR'], paper: ['KRX'] }

const wholeNumber = (text: string): bigint | undefined =>
  /^\d{1,18}$/.test(text.trim()) ? BigInt(text.trim()) : undefined

/** Reads a won price: digits, perhaps with decimals. */
function priceField(text: string): Price | undefined {
  try {
    return price(text.trim())
  } catch {
    return undefined
  }
}

function instrumentField(text: string): InstrumentId | undefined {
  try {
    return instrumentId(`${text.trim()}.KRX`)
  } catch {
    return undefined
  }
}

export const orderCash =
  (side: Side) =>
  (desk: Desk, call: Call): Reply => {
    const wrong = wrongBody(desk, call, ['CANO', 'ACNT_PRDT_CD', 'PDNO', 'ORD_DVSN', 'ORD_QTY', 'ORD_UNPR'])
    if (wrong !== undefined) return wrong
    const units = wholeNumber(call.field('ORD_QTY'))
    const unit = priceField(call.field('ORD_UNPR'))
    const id = instrumentField(call.field('PDNO'))
    const kind = ORDER_KINDS[call.field('ORD_DVSN')]
    if (units === undefined) return fieldInvalid('ORD_QTY')
    if (unit === undefined || unit < 0n) return fieldInvalid('ORD_UNPR')
    if (id === undefined) return refusal(desk.profile, 'instrumentUnknown')
    if (kind === undefined) return refusal(desk.profile, 'typeNotAllowed')
    return withShot(
      desk,
      () => {
        const limitPrice = limitOf(desk, kind, id, side, unit)
        if (limitPrice === 'typeNotAllowed') return { outcome: 'refused', refusal: limitPrice }
        return desk.broker.submit({
          accountNumber: accountOf(call),
          instrumentId: id,
          side,
          orderType: kind.orderType,
          timeInForce: kind.timeInForce,
          typeCode: call.field('ORD_DVSN'),
          quantity: quantity(units.toString()),
          ...(limitPrice === undefined ? {} : { limitPrice }),
        })
      },
      side === 'buy' ? BOUGHT : SOLD,
    )
  }

/** Best-price types need a book, and none is shown in an auction. */
function limitOf(
  desk: Desk,
  kind: OrderKind,
  id: InstrumentId,
  side: Side,
  unit: Price,
): Price | undefined | 'typeNotAllowed' {
  if (kind.orderType === 'market') return undefined
  if (kind.limitFrom === undefined) return unit
  if (desk.broker.exchange.venue.isInAuction(id)) return 'typeNotAllowed'
  const { asks, bids } = desk.broker.exchange.venue.depth(id)
  const wanted = (side === 'buy') === (kind.limitFrom === 'opposite') ? asks[0] : bids[0]
  return wanted?.price ?? 'typeNotAllowed'
}

export function orderChange(desk: Desk, call: Call): Reply {
  const required = [
    'CANO',
    'ACNT_PRDT_CD',
    'ORGN_ODNO',
    'ORD_DVSN',
    'RVSE_CNCL_DVSN_CD',
    'ORD_QTY',
    'ORD_UNPR',
    'QTY_ALL_ORD_YN',
  ]
  const wrong = wrongBody(desk, call, required)
  if (wrong !== undefined) return wrong
  const orderNumber = wholeNumber(call.field('ORGN_ODNO'))
  const units = wholeNumber(call.field('ORD_QTY'))
  const limitPrice = priceField(call.field('ORD_UNPR'))
  const change = call.field('RVSE_CNCL_DVSN_CD')
  const isWhole = call.field('QTY_ALL_ORD_YN') === 'Y'
  if (orderNumber === undefined) return fieldInvalid('ORGN_ODNO')
  if (units === undefined) return fieldInvalid('ORD_QTY')
  if (limitPrice === undefined) return fieldInvalid('ORD_UNPR')
  if (change !== '01' && change !== '02') return fieldInvalid('RVSE_CNCL_DVSN_CD')
  const target = {
    accountNumber: accountOf(call),
    orderNumber: Number(orderNumber),
    typeCode: call.field('ORD_DVSN'),
  }
  const wanted = isWhole ? undefined : (units as Quantity)
  if (change === '02') return withShot(desk, () => desk.broker.cancel(target, wanted), CANCELED)
  // Only a limit order can be amended here; another type has no price to change.
  if (ORDER_KINDS[target.typeCode]?.limitFrom !== undefined || target.typeCode === '01') {
    return refusal(desk.profile, 'typeNotAllowed')
  }
  const to = { limitPrice, ...(wanted === undefined ? {} : { quantity: wanted }) }
  return withShot(desk, () => desk.broker.amend(target, to), AMENDED)
}

type Message = Record<Desk['profile'], readonly [code: string, text: string]>
const SENT = ['APBK0013', '주문 전송 완료 되었습니다.'] as const
const BOUGHT: Message = { real: SENT, paper: ['40600000', '모의투자 매수주문이 완료 되었습니다.'] }
const SOLD: Message = { real: SENT, paper: ['40590000', '모의투자 매도주문이 완료 되었습니다.'] }
const AMENDED: Message = { real: SENT, paper: ['40620000', '모의투자 정정주문이 완료 되었습니다.'] }
const CANCELED: Message = {
  real: ['APBK1711', '취소주문이 접수되었습니다.'],
  paper: ['40630000', '모의투자 취소주문이 완료 되었습니다.'],
}

const GATEWAY_TIMEOUTS: Partial<Record<OrderShot, readonly [code: string, text: string]>> = {
  gatewayTimeoutBeforeEffect: ['EGW00301', '연결시간이 초과되었습니다. 직전 거래를 확인하시기 바랍니다.'],
  gatewayTimeoutAfterEffect: ['EGW00302', '거래시간이 초과되었습니다. 직전 거래를 확인하시기 바랍니다.'],
}

/** Does it and answers, unless a loaded fault gets in the way. */
function withShot(desk: Desk, effect: () => Entry, message: Message): Reply {
  const shot = desk.faults.fire(ORDER_SHOTS)
  if (shot?.endsWith('BeforeEffect') === true) return spoiled(shot)
  const entry = effect()
  if (entry.outcome === 'refused') return refused(desk, entry.refusal)
  const { order, step } = entry
  if (shot !== undefined) return { ...spoiled(shot), notices: step.notices }
  const output = {
    KRX_FWDG_ORD_ORGNO: branchOf[desk.profile],
    ODNO: formatOrderNumber(order.orderNumber),
    ORD_TMD: kisTime(order.enteredTime),
  }
  return { ...ok({ output }, message[desk.profile]), notices: step.notices }
}

const refused = (desk: Desk, reason: Refusal): Reply => refusal(desk.profile, reason)

function spoiled(shot: OrderShot): Reply {
  const timeout = GATEWAY_TIMEOUTS[shot]
  if (timeout !== undefined) return failed(500, ...timeout)
  return { status: 500, body: {}, withheld: shot.startsWith('silence') ? 'silence' : 'reset' }
}
