// The instruments we know.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'

export interface Instruments {
  get(instrumentId: InstrumentId): Promise<Instrument | undefined>
  list(): Promise<readonly Instrument[]>
  /** Adds or replaces. */
  put(instruments: readonly Instrument[]): Promise<void>
}
