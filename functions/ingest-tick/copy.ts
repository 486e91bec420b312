// The hot copy of an instrument's state: text in, text out.
//
// C1. The copy is behind, never ahead: it holds only what was published (the handler writes the state as it was before
//     the event in hand). A frame delivered again after a crash is then merged again, or known as repeated (D1).
// C2. What a copy lacks, the venue's running volume tells at the next tick: the bars in the making then carry the missed
//     volume and are not emitted unless they are whole (B4). So after a FLUSHALL with a restart, or a crash, the bars that
//     were forming are lost to this function; history has them from the broker. A FLUSHALL alone loses nothing.
import * as z from 'zod'
import { instrumentId } from '#shared/domain/instrument.ts'
import { BAR_INTERVALS } from '#shared/domain/market-data.ts'
import { instant } from '#shared/domain/time.ts'
import { type Money, type Price, type Quantity } from '#shared/domain/values.ts'
import type { InstrumentState } from './decide.ts'

const Whole = z
  .string()
  .regex(/^-?\d+$/)
  .transform((text) => BigInt(text))
const PriceField = Whole.transform((value) => value as Price)
const QuantityField = Whole.transform((value) => value as Quantity)
const InstantField = z.int().transform(instant)

const BarField = z.strictObject({
  instrumentId: z.string().transform(instrumentId),
  interval: z.enum(BAR_INTERVALS),
  openTime: InstantField,
  closeTime: InstantField,
  open: PriceField,
  high: PriceField,
  low: PriceField,
  close: PriceField,
  volume: QuantityField,
  notional: Whole.transform((value) => value as Money),
  trades: z.int(),
  missedVolume: QuantityField,
})
const SlotField = z
  .strictObject({ bar: BarField.optional(), closedUntil: InstantField })
  .transform(({ bar, closedUntil }) => (bar === undefined ? { closedUntil } : { bar, closedUntil }))

const Copy = z.strictObject({
  forming: z.strictObject({ '1m': SlotField, '5m': SlotField, '1d': SlotField }),
  dayOpenTime: InstantField,
  sessionVolume: QuantityField,
  lastEventTime: InstantField,
  bidPrice: PriceField,
  askPrice: PriceField,
  quoteTime: InstantField,
})

export const copyKeyOf = (id: string): string => `forming/${id}`

export const writeCopy = (state: InstrumentState): string =>
  JSON.stringify(state, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))

/** Undefined for a text that is not a whole copy, as one of another release may be. */
export function readCopy(text: string): InstrumentState | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = Copy.safeParse(raw)
  return parsed.success ? parsed.data : undefined
}
