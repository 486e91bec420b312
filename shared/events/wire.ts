// Scalars as they stand on the wire: decimal strings, RFC 3339 times, closed lists.
import * as z from 'zod'
import { INSTRUMENT_KINDS, MARKETS, VENUES } from '#shared/domain/instrument.ts'

export const DecimalString = z
  .string()
  .max(40)
  .regex(/^-?\d+(\.\d+)?$/, 'must be a decimal string')
/** At or above zero. */
export const UnsignedDecimal = z
  .string()
  .max(40)
  .regex(/^\d+(\.\d+)?$/, 'must be an unsigned decimal string')
/** A price: above zero, at most four places. */
export const PriceString = z
  .string()
  .max(40)
  .regex(/^(?=.*[1-9])\d+(\.\d{1,4})?$/, 'must be a positive decimal string with at most four places')
/** Whole units above zero. */
export const QuantityString = z
  .string()
  .max(20)
  .regex(/^0*[1-9]\d*$/, 'must be a positive whole number')
/** Whole units, zero allowed. */
export const CountString = z.string().max(20).regex(/^\d+$/, 'must be a whole number')
export const Time = z.iso.datetime({ offset: true })
export const DateString = z.iso.date()
export const Id = z.string().min(1).max(200)
export const InstrumentIdString = z
  .string()
  .regex(new RegExp(`^[A-Z0-9]{1,12}\\.(${VENUES.join('|')})$`), 'must be SYMBOL.VENUE with a known venue')
export const Kind = z.enum(INSTRUMENT_KINDS)
export const MarketName = z.enum(MARKETS)
