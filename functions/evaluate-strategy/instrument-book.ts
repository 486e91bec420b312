// Instruments as read. Base prices change once a session; within one, what was read stands.
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import type { SessionDate } from '#shared/domain/time.ts'
import type { Instruments } from '#shared/ports/instruments.ts'

export interface InstrumentBook {
  /** At once when it was read with the base price of that date. */
  of(instrumentId: InstrumentId, date: SessionDate): Instrument | undefined | Promise<Instrument | undefined>
}

export function instrumentBook(instruments: Pick<Instruments, 'get'>): InstrumentBook {
  const known = new Map<InstrumentId, Instrument>()
  const read = async (instrumentId: InstrumentId): Promise<Instrument | undefined> => {
    const instrument = await instruments.get(instrumentId)
    if (instrument !== undefined) known.set(instrumentId, instrument)
    return instrument
  }
  return {
    of(instrumentId, date) {
      const instrument = known.get(instrumentId)
      return instrument?.basePriceDate === date ? instrument : read(instrumentId)
    },
  }
}
