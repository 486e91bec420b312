// An order as the broker keeps it: one row for each order number. An amend or a cancel is a row of its own.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { OrderType, Side, TimeInForce } from '#shared/domain/order.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Money, Price, Quantity } from '#shared/domain/values.ts'

/**
 * quantity = filled + canceled + rejected + expired + moved + remaining, always. For a cancel row `quantity` is what it
 * canceled and everything else is zero.
 */
export interface VenueOrder {
  readonly orderNumber: number
  /** The order that this one amends or cancels. */
  readonly originalNumber?: number
  readonly change?: 'amend' | 'cancel'
  readonly accountNumber: string
  readonly instrumentId: InstrumentId
  readonly side: Side
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce
  /** The broker's code for type and time in force, handed back as it came. */
  readonly typeCode: string
  readonly quantity: Quantity
  /** Present for `limit`. */
  readonly limitPrice?: Price
  /** Unit price that cash is held at. */
  readonly reservedPrice: Price
  readonly filled: Quantity
  readonly fills: number
  readonly filledNotional: Money
  /** Traded by the orders that this one replaced: charges run on. */
  readonly earlierNotional: Money
  readonly canceled: Quantity
  readonly rejected: Quantity
  readonly expired: Quantity
  /** Taken over by an amend. */
  readonly moved: Quantity
  readonly remaining: Quantity
  readonly date: SessionDate
  readonly enteredTime: Instant
  readonly priority: number
  readonly queueAhead: Quantity
}

/** Why the broker says no. */
export const REFUSALS = [
  'quantityNotPositive',
  'instrumentUnknown',
  'sessionNotOpen',
  'sessionClosed',
  'typeNotAllowed',
  'notTradable',
  'offTick',
  'outsideLimits',
  'cashInsufficient',
  'holdingNone',
  'holdingInsufficient',
  'orderUnknown',
  'nothingRemains',
  'quantityOverRemaining',
] as const
export type Refusal = (typeof REFUSALS)[number]

export const VENUE_NOTICES = [
  'accepted',
  'rejected', // by the venue, after the broker took it
  'filled', // in part or whole
  'amendReceived',
  'amended',
  'cancelReceived',
  'canceled',
  'killed', // remainder of IOC or FOK
] as const

/** One word to the customer, in the order it happened. */
export interface VenueNotice {
  readonly kind: (typeof VENUE_NOTICES)[number]
  /** The order as it stood then. */
  readonly order: VenueOrder
  readonly at: Instant
  /** Of this notice: filled, canceled, amended or refused. */
  readonly quantity: Quantity
  /** Present for `filled`. */
  readonly price?: Price
}
