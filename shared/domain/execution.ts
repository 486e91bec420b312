// Execution reports: any word from the broker about an order, in house terms (FIX 35=8).
import type { InstrumentId } from './instrument.ts'
import type { Side } from './order.ts'
import type { Instant } from './time.ts'
import type { Money, Price, Quantity } from './values.ts'

export const EXECUTION_KINDS = [
  'accepted',
  'rejected',
  'fill', // an increment, from the notice stream
  'listed', // the broker's order list: cumulative, the other road
  'canceled',
  'amended',
  'expired',
] as const
export type ExecutionKind = (typeof EXECUTION_KINDS)[number]

/** `stream`: pushed as it happened. `list`: read from the broker's order list. */
export type ExecutionOrigin = 'stream' | 'list'

export interface ExecutionReport {
  /** The same for the same word however often it is heard. */
  readonly executionId: string
  readonly accountId: string
  readonly kind: ExecutionKind
  readonly brokerOrderId: string
  /** The order that this amends or cancels. */
  readonly originalBrokerOrderId?: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderQuantity: Quantity
  /** Absent for a market order. Notices leave it out. */
  readonly orderPrice?: Price
  /** Of this event only. Present for `fill`. */
  readonly lastQuantity?: Quantity
  readonly lastPrice?: Price
  /** Since the order began. Present for `listed`. */
  readonly filledQuantity?: Quantity
  readonly filledNotional?: Money
  /** Not filled and no longer working: canceled or refused. Present for `listed`. */
  readonly endedQuantity?: Quantity
  readonly eventTime: Instant
}
