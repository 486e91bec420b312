// Where an order can be in its life and every legal step. The picture in docs/order-lifecycle.md is printed from here.
import type { Quantity } from './values.ts'

export const ORDER_STATUSES = [
  'requested', // wanted, not yet decided
  'denied', // refused by JTS, never sent
  'approved', // passed the limits, exposure reserved
  'submitting', // intent recorded; the request may or may not have left
  'outcomeUnknown', // sent or maybe sent, no answer; only evidence ends it
  'accepted', // the broker has it
  'partiallyFilled',
  'pendingAmend', // an amend is on its way
  'pendingCancel', // a cancel is on its way
  'rejected', // refused by the broker or the venue
  'filled',
  'canceled', // ended by request, or IOC/FOK remainder
  'expired', // ended by its time in force
  'parked', // no evidence either way in time: a person was called
] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

export const ORDER_STEPS = [
  'deny',
  'approve',
  'submit',
  'loseOutcome',
  'accept',
  'reject',
  'fillPart',
  'fillWhole',
  'requestAmend',
  'amend',
  'refuseAmend',
  'requestCancel',
  'cancel',
  'refuseCancel',
  'expire',
  'park',
] as const
export type OrderStep = (typeof ORDER_STEPS)[number]

/** `resume` in the table: back to accepted or partiallyFilled, by what has been filled. */
type Next = OrderStatus | 'resume'

/** Every legal step of an order's life. A step that is not here is a defect or a lie and is quarantined. */
export const NEXT: Record<OrderStatus, Partial<Record<OrderStep, Next>>> = {
  requested: { deny: 'denied', approve: 'approved' },
  approved: {
    submit: 'submitting',
    deny: 'denied', // the approval was too old, or trading was halted, when place-order came to it
  },
  submitting: {
    accept: 'accepted',
    reject: 'rejected',
    loseOutcome: 'outcomeUnknown',
    fillPart: 'partiallyFilled', // the notice overtook the acknowledgement
    fillWhole: 'filled',
    cancel: 'canceled', // IOC or FOK, same overtaking
  },
  outcomeUnknown: {
    accept: 'accepted', // found at the broker
    reject: 'rejected',
    submit: 'submitting', // provably absent: sent again as a new attempt
    fillPart: 'partiallyFilled',
    fillWhole: 'filled',
    cancel: 'canceled',
    expire: 'expired',
    park: 'parked',
  },
  accepted: {
    accept: 'accepted', // the acknowledgement after a notice, or the other way round
    reject: 'rejected', // the broker took it, the venue did not
    fillPart: 'partiallyFilled',
    fillWhole: 'filled',
    requestAmend: 'pendingAmend',
    requestCancel: 'pendingCancel',
    cancel: 'canceled',
    expire: 'expired',
  },
  partiallyFilled: {
    accept: 'partiallyFilled', // the acknowledgement came after the first fill
    fillPart: 'partiallyFilled',
    fillWhole: 'filled',
    requestAmend: 'pendingAmend',
    requestCancel: 'pendingCancel',
    cancel: 'canceled',
    expire: 'expired',
  },
  pendingAmend: {
    fillPart: 'pendingAmend',
    fillWhole: 'filled',
    amend: 'resume',
    refuseAmend: 'resume',
    requestCancel: 'pendingCancel',
    cancel: 'canceled',
    expire: 'expired',
    reject: 'rejected',
  },
  pendingCancel: {
    fillPart: 'pendingCancel',
    fillWhole: 'filled',
    amend: 'pendingCancel',
    refuseAmend: 'pendingCancel',
    cancel: 'canceled',
    refuseCancel: 'resume',
    expire: 'expired',
    reject: 'rejected',
  },
  canceled: {
    accept: 'canceled', // a late acknowledgement
    fillPart: 'canceled', // a fill crossed our cancel
    fillWhole: 'filled',
  },
  expired: { fillPart: 'expired', fillWhole: 'filled' },
  filled: { accept: 'filled' },
  parked: {
    accept: 'accepted', // a person, or a late notice, found it
    reject: 'rejected',
    fillPart: 'partiallyFilled',
    fillWhole: 'filled',
    cancel: 'canceled',
    expire: 'expired',
  },
  denied: {},
  rejected: {},
}

/** Returns `undefined` for an illegal step; the caller quarantines the report. */
export function nextStatus(from: OrderStatus, step: OrderStep, filled: Quantity): OrderStatus | undefined {
  const next = NEXT[from][step]
  if (next !== 'resume') return next
  return filled > 0n ? 'partiallyFilled' : 'accepted'
}

const CLOSED = new Set<OrderStatus>(['denied', 'rejected', 'filled', 'canceled', 'expired'])

/** Nothing more is expected of it, and it holds no reservation. A parked order is not closed. */
export const isClosed = (status: OrderStatus): boolean => CLOSED.has(status)

const WORKING = new Set<OrderStatus>(['accepted', 'partiallyFilled', 'pendingAmend', 'pendingCancel'])

/** Acknowledged by the broker and not yet closed. */
export const isWorking = (status: OrderStatus): boolean => WORKING.has(status)
