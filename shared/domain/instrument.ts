// What can be traded and where.
import type { SessionDate } from './time.ts'
import type { Price, Quantity, Ratio } from './values.ts'

declare const kind: unique symbol
/** `SYMBOL.VENUE`, as in `005930.KRX`. */
export type InstrumentId = string & { readonly [kind]: 'instrumentId' }

export const VENUES = ['KRX', 'NXT', 'NASDAQ', 'NYSE', 'AMEX'] as const
export type Venue = (typeof VENUES)[number]

/** `etp` covers ETF and ETN, which have a tick table of their own and pay no sales tax. */
export const INSTRUMENT_KINDS = ['stock', 'etp'] as const
export type InstrumentKind = (typeof INSTRUMENT_KINDS)[number]

/** Part of the venue; it decides the sales tax. */
export const MARKETS = ['KOSPI', 'KOSDAQ', 'KONEX'] as const
export type Market = (typeof MARKETS)[number]

export interface Instrument {
  readonly id: InstrumentId
  readonly name: string
  readonly kind: InstrumentKind
  readonly market: Market
  /**
   * How many times its index an ETF or ETN moves, without the sign: its daily limits are as many times wider. Left out
   * where nobody has said, and for stocks; then limits are taken to be the usual ones.
   */
  readonly leverage?: Ratio
  /** ISO 4217. */
  readonly currency: string
  /** Units come in multiples of this. */
  readonly quantityIncrement: Quantity
  /** False while the venue has suspended trading. */
  readonly isTradable: boolean
  /** The price that the daily limits are counted from, and the session it holds for. */
  readonly basePrice?: Price
  readonly basePriceDate?: SessionDate
}

export class InstrumentIdError extends Error {
  override name = 'InstrumentIdError'
}

const ID = /^([A-Z0-9]{1,12})\.([A-Z]{2,8})$/

/** @throws InstrumentIdError unless the text is `SYMBOL.VENUE` with a venue of VENUES. */
export function instrumentId(text: string): InstrumentId {
  const venue = ID.exec(text)?.[2]
  if (!(VENUES as readonly (string | undefined)[]).includes(venue)) {
    throw new InstrumentIdError(`not SYMBOL.VENUE: ${JSON.stringify(text)}`)
  }
  return text as InstrumentId
}

export const symbolOf = (id: InstrumentId): string => id.slice(0, id.lastIndexOf('.'))
export const venueOf = (id: InstrumentId): Venue => id.slice(id.lastIndexOf('.') + 1) as Venue
