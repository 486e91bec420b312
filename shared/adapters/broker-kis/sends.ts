// Orders, amends and cancels. Each leaves at most once; what came of it is one of four words.
//
// X1. KIS has no client order id: the same body twice is two orders (pitfall 14). Nothing here repeats a request that
//     could have been read; rest.ts repeats only what KIS says it refused unread.
// X2. `notSent` is a proof, `rejected` is KIS's own no. Everything else is `unknown`, an acceptance whose order number
//     cannot be read included.
import { symbolOf, venueOf } from '#shared/domain/instrument.ts'
import type { ApprovedOrder, OrderType, TimeInForce } from '#shared/domain/order.ts'
import { type Price, type Quantity, formatPrice, formatQuantity } from '#shared/domain/values.ts'
import type { BrokerOrderRef, SendResult } from '#shared/ports/broker-gateway.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { KisAccount } from './accounts.ts'
import { orderNumber, quoted, rowOf } from './fields.ts'
import type { Call, KisRest, Reply } from './rest.ts'
import { PATH, tradingTr } from './tr-ids.ts'

export interface SendContext {
  readonly account: KisAccount
  readonly rest: KisRest
  readonly paperTrading: boolean
}

/** Above what an exchange takes to answer, below what a person would wait. */
const SEND_MS_MAX = 5_000
const QUANTITY_DIGITS_MAX = 10

const ORDER_DIVISION: Record<OrderType, Record<TimeInForce, string>> = {
  limit: { day: '00', ioc: '11', fok: '12' },
  market: { day: '01', ioc: '13', fok: '14' },
}

export async function submitOrder(
  context: SendContext,
  order: ApprovedOrder,
  signal: AbortSignal,
  cleared?: Promise<boolean>,
): Promise<SendResult> {
  const { account, paperTrading } = context
  const venue = venueFault(order, paperTrading)
  if (venue !== undefined) return venue
  if ((order.orderType === 'limit') !== (order.limitPrice !== undefined)) {
    return refusal('JTS_PRICE_MISSING', 'a limit order has a limit price and a market order has none')
  }
  const terms = termsOf(order.quantity, order.limitPrice)
  if ('outcome' in terms) return terms
  return send(
    context,
    {
      path: PATH.order,
      trId: tradingTr(order.side, paperTrading),
      priority: 'submit',
      deadlineMs: SEND_MS_MAX,
      body: {
        CANO: account.number,
        ACNT_PRDT_CD: account.product,
        PDNO: symbolOf(order.instrumentId),
        ORD_DVSN: ORDER_DIVISION[order.orderType][order.timeInForce],
        ...terms,
        EXCG_ID_DVSN_CD: venueOf(order.instrumentId),
        ...(order.side === 'sell' ? { SLL_TYPE: '01' } : {}),
      },
      ...(cleared === undefined ? {} : { cleared }),
    },
    signal,
  )
}

/**
 * Part, never all: with QTY_ALL_ORD_YN = Y KIS ignores the quantity and amends whatever remains by then, which after a
 * fill on the way is not what was approved. A quantity that is too large is refused.
 */
export async function amendOrder(
  context: SendContext,
  target: BrokerOrderRef,
  to: { readonly quantity: Quantity; readonly limitPrice: Price },
  signal: AbortSignal,
): Promise<SendResult> {
  const terms = termsOf(to.quantity, to.limitPrice)
  if ('outcome' in terms) return terms
  return change(context, target, { RVSE_CNCL_DVSN_CD: '01', ...terms, QTY_ALL_ORD_YN: 'N' }, 'submit', signal)
}

export function cancelOrder(
  context: SendContext,
  target: BrokerOrderRef,
  signal: AbortSignal,
): Promise<SendResult> {
  const everything = { RVSE_CNCL_DVSN_CD: '02', ORD_QTY: '0', ORD_UNPR: '0', QTY_ALL_ORD_YN: 'Y' }
  return change(context, target, everything, 'cancel', signal)
}

async function change(
  context: SendContext,
  target: BrokerOrderRef,
  fields: Readonly<Record<string, string>>,
  priority: Call['priority'],
  signal: AbortSignal,
): Promise<SendResult> {
  const original = orderNumber(target.brokerOrderId)
  if (original === undefined) {
    return refusal('JTS_ORDER_NUMBER', `${quoted(target.brokerOrderId)} is not a KIS order number`)
  }
  const venue = venueFault(target, context.paperTrading)
  if (venue !== undefined) return venue
  return send(
    context,
    {
      path: PATH.change,
      trId: tradingTr('change', context.paperTrading),
      priority,
      deadlineMs: SEND_MS_MAX,
      body: {
        CANO: context.account.number,
        ACNT_PRDT_CD: context.account.product,
        KRX_FWDG_ORD_ORGNO: target.brokerRoute,
        ORGN_ODNO: original,
        ORD_DVSN: '00',
        ...fields,
        EXCG_ID_DVSN_CD: venueOf(target.instrumentId),
      },
    },
    signal,
  )
}

async function send(context: SendContext, call: Call, signal: AbortSignal): Promise<SendResult> {
  return sendResultOf(await context.rest.call(call, signal))
}

function sendResultOf(reply: Reply): SendResult {
  switch (reply.kind) {
    case 'neverLeft':
      return { outcome: 'notSent', detail: reply.reason }
    case 'noAnswer':
      return { outcome: 'unknown', cause: 'noAnswer', detail: reply.reason }
    case 'done':
      return acceptanceOf(reply.root)
    case 'refused':
      return resultOfRefusal(reply)
  }
}

function resultOfRefusal(reply: Extract<Reply, { kind: 'refused' }>): SendResult {
  const detail = `${reply.code} ${reply.message}`
  switch (reply.verdict) {
    case 'no':
    case 'forbidden':
      return { outcome: 'rejected', code: reply.code, detail: reply.message }
    case 'unread':
    case 'token':
      return { outcome: 'notSent', detail }
    case 'timeout':
      return { outcome: 'unknown', cause: 'brokerTimeout', detail }
    case 'later':
      return { outcome: 'unknown', cause: 'noAnswer', detail }
  }
}

/** "KIS took it", not "the exchange took it": an exchange's refusal comes later, as a notice. */
function acceptanceOf(root: Record<string, unknown>): SendResult {
  try {
    const output = rowOf(root['output'], 'output')
    const brokerOrderId = orderNumber(output.text('ODNO'))
    if (brokerOrderId === undefined) throw output.fault('ODNO', `cannot be ${quoted(output.text('ODNO'))}`)
    return { outcome: 'accepted', brokerOrderId, brokerRoute: output.textIfAny('KRX_FWDG_ORD_ORGNO') }
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error
    return { outcome: 'unknown', cause: 'noAnswer', detail: `accepted, but ${error.message}` }
  }
}

function termsOf(
  units: Quantity,
  limitPrice: Price | undefined,
): { readonly ORD_QTY: string; readonly ORD_UNPR: string } | SendResult {
  const text = formatQuantity(units)
  if (units <= 0n || text.length > QUANTITY_DIGITS_MAX) return refusal('JTS_QUANTITY', `quantity ${text}`)
  const unit = limitPrice === undefined ? '0' : formatPrice(limitPrice)
  if (limitPrice !== undefined && (limitPrice <= 0n || unit.includes('.'))) {
    return refusal('JTS_PRICE', `limit price ${unit} is not a whole number of won above zero`)
  }
  return { ORD_QTY: text, ORD_UNPR: unit }
}

function venueFault(
  order: { readonly instrumentId: BrokerOrderRef['instrumentId'] },
  paperTrading: boolean,
): SendResult | undefined {
  const venue = venueOf(order.instrumentId)
  if (venue === 'KRX' || (venue === 'NXT' && !paperTrading)) return undefined
  const where = paperTrading ? 'the KIS paper server trades KRX only' : 'only KRX and NXT are traded here'
  return refusal('JTS_VENUE', `${order.instrumentId}: ${where}`)
}

/** Refused here, before anything left: a definite no, with a code that cannot be mistaken for KIS's. */
export const refusal = (code: string, detail: string): SendResult => ({ outcome: 'rejected', code, detail })
