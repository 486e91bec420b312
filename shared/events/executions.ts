// What the broker says of orders, and of the stream that says it.
import * as z from 'zod'
import { EXECUTION_KINDS } from '#shared/domain/execution.ts'
import { SIDES } from '#shared/domain/order.ts'
import { defineEvent } from './contract.ts'
import {
  CountString,
  Id,
  InstrumentIdString,
  PriceString,
  QuantityString,
  Time,
  UnsignedDecimal,
} from './wire.ts'

export const ExecutionReported = defineEvent({
  name: 'ExecutionReported',
  type: 'jts.execution.reported.v1',
  topic: 'executions',
  summary: 'The broker said something about an order.',
  key: (report) => report.accountId,
  subject: (report) => report.brokerOrderId,
  schema: z.strictObject({
    executionId: Id,
    accountId: Id,
    kind: z.enum(EXECUTION_KINDS),
    origin: z.enum(['stream', 'list']),
    brokerOrderId: Id,
    brokerRoute: z.string().max(100),
    originalBrokerOrderId: Id.optional(),
    instrumentId: InstrumentIdString,
    side: z.enum(SIDES),
    orderQuantity: QuantityString,
    /** Zero or absent for a market order. */
    orderPrice: UnsignedDecimal.optional(),
    /** Of this event only; with kind `fill`. */
    lastQuantity: QuantityString.optional(),
    lastPrice: PriceString.optional(),
    /** Since the order began; with kind `listed`. */
    filledQuantity: CountString.optional(),
    filledNotional: UnsignedDecimal.optional(),
    /** Unfilled and no longer working; with kind `listed`. */
    endedQuantity: CountString.optional(),
    detail: z.string().max(1000).optional(),
    eventTime: Time,
  }),
})

export const StreamConnected = defineEvent({
  name: 'StreamConnected',
  type: 'jts.stream.connected.v1',
  topic: 'executions',
  summary: 'The broker stream is live; what happened before it must be read from the lists.',
  key: (stream) => stream.accountId,
  schema: z.strictObject({ accountId: Id, broker: Id, connection: z.int().min(1), connectedTime: Time }),
})

export const StreamLost = defineEvent({
  name: 'StreamLost',
  type: 'jts.stream.lost.v1',
  topic: 'executions',
  summary: 'The broker stream ended.',
  key: (stream) => stream.accountId,
  schema: z.strictObject({ accountId: Id, broker: Id, reason: z.string().max(500), lostTime: Time }),
})
