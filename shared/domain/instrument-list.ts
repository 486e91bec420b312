// Instruments as a person names them in JTS_INSTRUMENTS: `SYMBOL.VENUE`, and where it matters its market and kind, as in
// `005930.KRX, 233740.KRX:KOSPI:etp, 247540.KRX:KOSDAQ`. The market decides the sales tax, the kind the tick size.
import { INSTRUMENT_KINDS, type Instrument, MARKETS, instrumentId } from './instrument.ts'
import { quantity } from './values.ts'

const oneOf = <Word extends string>(words: readonly Word[], text: string): Word => {
  const word = words.find((each) => each === text)
  if (word === undefined) throw new Error(`${JSON.stringify(text)} is none of ${words.join(', ')}`)
  return word
}

/** @throws Error that names the entry at fault. Base prices are read from the broker when a session opens. */
export function parseInstruments(text: string): readonly Instrument[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry)
}

function parseEntry(entry: string): Instrument {
  const [id = '', market = 'KOSPI', kind = 'stock', ...more] = entry.split(':')
  if (more.length > 0) throw new Error(`${JSON.stringify(entry)} is not SYMBOL.VENUE:MARKET:KIND`)
  return {
    id: instrumentId(id),
    name: id,
    kind: oneOf(INSTRUMENT_KINDS, kind),
    market: oneOf(MARKETS, market),
    currency: 'KRW',
    quantityIncrement: quantity('1'),
    isTradable: true,
  }
}
