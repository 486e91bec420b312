// An order's life on the wire. Every event of one account is on one partition, so the life is in order.
import * as z from 'zod'
import { ORDER_TYPES, SIDES, TIMES_IN_FORCE } from '#shared/domain/order.ts'
import { DENIAL_CODES } from '#shared/domain/risk.ts'
import { defineEvent } from './contract.ts'
import {
  CountString,
  DecimalString,
  Id,
  InstrumentIdString,
  PriceString,
  QuantityString,
  Time,
  UnsignedDecimal,
} from './wire.ts'

const REQUEST = {
  accountId: Id,
  clientOrderId: Id,
  requestedBy: Id,
  instrumentId: InstrumentIdString,
  side: z.enum(SIDES),
  orderType: z.enum(ORDER_TYPES),
  timeInForce: z.enum(TIMES_IN_FORCE),
  quantity: QuantityString,
  /** Present for `limit`, absent for `market`. */
  limitPrice: PriceString.optional(),
  decidedTime: Time,
}

const OF_ORDER = { accountId: Id, clientOrderId: Id }
const byAccount = (data: { readonly accountId: string }): string => data.accountId
const aboutOrder = (data: { readonly clientOrderId: string }): string => data.clientOrderId

const limitHasPrice = (order: {
  readonly orderType: string
  readonly limitPrice?: string | undefined
}): boolean => (order.orderType === 'limit') === (order.limitPrice !== undefined)
const LIMIT_PRICE_RULE = {
  error: 'limitPrice goes with orderType limit, and only with it',
  path: ['limitPrice'],
}

export const OrderRequested = defineEvent({
  name: 'OrderRequested',
  type: 'jts.order.requested.v1',
  topic: 'orders',
  summary: 'A strategy or a person wants an order.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...REQUEST, reason: z.string().max(500) }).refine(limitHasPrice, LIMIT_PRICE_RULE),
})

export const OrderApproved = defineEvent({
  name: 'OrderApproved',
  type: 'jts.order.approved.v1',
  topic: 'orders',
  summary: 'The order passed every limit and its exposure is reserved.',
  key: byAccount,
  subject: aboutOrder,
  schema: z
    .strictObject({ ...REQUEST, limitsVersion: Id, reservedCash: UnsignedDecimal, approvedTime: Time })
    .refine(limitHasPrice, LIMIT_PRICE_RULE),
})

/** JTS refused the order. It never reached the broker. */
export const OrderDenied = defineEvent({
  name: 'OrderDenied',
  type: 'jts.order.denied.v1',
  topic: 'orders',
  summary: 'JTS refused the order; it never reached the broker.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    code: z.enum(DENIAL_CODES),
    /** `key=value` context for a person; no program parses it. */
    detail: z.string().max(1000),
  }),
})

/** Recorded before the first byte leaves: from here on the order may exist at the broker. */
export const OrderSubmitted = defineEvent({
  name: 'OrderSubmitted',
  type: 'jts.order.submitted.v1',
  topic: 'orders',
  summary: 'The intent to send is recorded; the order may now exist at the broker.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    attempt: z.int().min(1),
    epoch: z.int().min(1),
    submittedTime: Time,
  }),
})

export const OrderAccepted = defineEvent({
  name: 'OrderAccepted',
  type: 'jts.order.accepted.v1',
  topic: 'orders',
  summary: 'The broker has the order.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    brokerOrderId: Id,
    /** What the broker needs beside the id to amend or cancel; opaque. */
    brokerRoute: z.string().max(100),
    /** How we know: the answer to our request, the notice stream, or the broker's list. */
    evidence: z.enum(['response', 'stream', 'list']),
    acceptedTime: Time,
  }),
})

export const OrderRejected = defineEvent({
  name: 'OrderRejected',
  type: 'jts.order.rejected.v1',
  topic: 'orders',
  summary: 'The broker or the venue refused the order.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    code: z.string().max(100),
    detail: z.string().max(1000),
    rejectedTime: Time,
  }),
})

export const OrderOutcomeUnknown = defineEvent({
  name: 'OrderOutcomeUnknown',
  type: 'jts.order.outcome-unknown.v1',
  topic: 'orders',
  summary: 'The order was sent, or may have been, and no definite answer came.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    attempt: z.int().min(1),
    cause: z.enum(['noAnswer', 'brokerTimeout', 'interrupted']),
    detail: z.string().max(1000),
    sinceTime: Time,
  }),
})

/**
 * Reconciliation proved that an attempt never reached the broker: it may be sent again. Attempt 0: the order is approved
 * and has not been sent at all; it may be now.
 */
export const OrderAbsent = defineEvent({
  name: 'OrderAbsent',
  type: 'jts.order.absent.v1',
  topic: 'orders',
  summary: "The broker's complete list proves that an attempt never arrived.",
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...OF_ORDER, attempt: z.int().min(0), listedTime: Time }),
})

const FILL = {
  ...OF_ORDER,
  executionId: Id,
  instrumentId: InstrumentIdString,
  side: z.enum(SIDES),
  lastQuantity: QuantityString,
  lastPrice: PriceString,
  lastNotional: UnsignedDecimal,
  filledQuantity: QuantityString,
  remainingQuantity: CountString,
  fee: UnsignedDecimal,
  tax: UnsignedDecimal,
  eventTime: Time,
}

export const OrderPartiallyFilled = defineEvent({
  name: 'OrderPartiallyFilled',
  type: 'jts.order.partially-filled.v1',
  topic: 'orders',
  summary: 'A part of the order traded.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject(FILL),
})

export const OrderFilled = defineEvent({
  name: 'OrderFilled',
  type: 'jts.order.filled.v1',
  topic: 'orders',
  summary: 'The last part of the order traded.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject(FILL),
})

export const OrderAmendRequested = defineEvent({
  name: 'OrderAmendRequested',
  type: 'jts.order.amend-requested.v1',
  topic: 'orders',
  summary: 'Somebody wants a working order changed.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    requestedBy: Id,
    quantity: QuantityString,
    limitPrice: PriceString,
    decidedTime: Time,
  }),
})

export const OrderCancelRequested = defineEvent({
  name: 'OrderCancelRequested',
  type: 'jts.order.cancel-requested.v1',
  topic: 'orders',
  summary: 'Somebody wants a working order ended. Passes in every trading state.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...OF_ORDER, requestedBy: Id, decidedTime: Time }),
})

export const OrderPendingAmend = defineEvent({
  name: 'OrderPendingAmend',
  type: 'jts.order.pending-amend.v1',
  topic: 'orders',
  summary: 'An amend is on its way to the broker.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...OF_ORDER, sentTime: Time }),
})

export const OrderPendingCancel = defineEvent({
  name: 'OrderPendingCancel',
  type: 'jts.order.pending-cancel.v1',
  topic: 'orders',
  summary: 'A cancel is on its way to the broker.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...OF_ORDER, sentTime: Time }),
})

export const OrderAmended = defineEvent({
  name: 'OrderAmended',
  type: 'jts.order.amended.v1',
  topic: 'orders',
  summary: 'The broker confirmed an amend; the order has a new broker order id.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    brokerOrderId: Id,
    quantity: QuantityString,
    limitPrice: PriceString,
    eventTime: Time,
  }),
})

export const OrderCanceled = defineEvent({
  name: 'OrderCanceled',
  type: 'jts.order.canceled.v1',
  topic: 'orders',
  summary: 'The rest of the order was ended by request, or as an IOC or FOK remainder.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    filledQuantity: CountString,
    canceledQuantity: CountString,
    eventTime: Time,
  }),
})

export const OrderExpired = defineEvent({
  name: 'OrderExpired',
  type: 'jts.order.expired.v1',
  topic: 'orders',
  summary: 'The session ended with a rest unfilled.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({
    ...OF_ORDER,
    filledQuantity: CountString,
    expiredQuantity: CountString,
    eventTime: Time,
  }),
})

export const OrderParked = defineEvent({
  name: 'OrderParked',
  type: 'jts.order.parked.v1',
  topic: 'orders',
  summary: 'No evidence either way in time: nothing is guessed, a person is called.',
  key: byAccount,
  subject: aboutOrder,
  schema: z.strictObject({ ...OF_ORDER, detail: z.string().max(1000), parkedTime: Time }),
})

export const PositionChanged = defineEvent({
  name: 'PositionChanged',
  type: 'jts.position.changed.v1',
  topic: 'orders',
  summary: 'A fill changed a position and the cash of an account.',
  key: byAccount,
  subject: (position) => `${position.accountId}/${position.instrumentId}`,
  schema: z.strictObject({
    accountId: Id,
    instrumentId: InstrumentIdString,
    /** Signed: short is negative. */
    quantity: z.string().regex(/^-?\d+$/),
    averagePrice: UnsignedDecimal,
    realizedPnl: DecimalString,
    cash: DecimalString,
    eventTime: Time,
  }),
})
