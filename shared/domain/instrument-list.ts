// Instruments as a person names them in JTS_INSTRUMENTS: `SYMBOL.VENUE`, and where it matters its market and kind, as in
// `005930.KRX, 069500.KRX:KOSPI:etp:1, 122630.KRX:KOSPI:etp:2, 247540.KRX:KOSDAQ`. The market decides the sales tax, the
// kind the tick size, and how many times its index an ETF or ETN moves (an inverse one too, without the sign) its limits.
import { INSTRUMENT_KINDS, type Instrument, MARKETS, instrumentId } from './instrument.ts'
import { type Ratio, quantity, ratio } from './values.ts'

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
  const [id = '', market = 'KOSPI', kind = 'stock', leverage, ...more] = entry.split(':')
  if (more.length > 0) throw new Error(`${JSON.stringify(entry)} is not SYMBOL.VENUE:MARKET:KIND:LEVERAGE`)
  if (leverage !== undefined && kind !== 'etp')
    throw new Error(`${JSON.stringify(entry)}: only an etp is leveraged`)
  return {
    id: instrumentId(id),
    name: id,
    kind: oneOf(INSTRUMENT_KINDS, kind),
    market: oneOf(MARKETS, market),
    ...(leverage === undefined ? {} : { leverage: leverageOf(leverage) }),
    currency: 'KRW',
    quantityIncrement: quantity('1'),
    isTradable: true,
  }
}

/** KRX lists nothing beyond three times. */
const LEVERAGE = /^(0\.5|[123](\.5)?)$/

function leverageOf(text: string): Ratio {
  if (!LEVERAGE.test(text)) throw new Error(`${JSON.stringify(text)} is no leverage: 1, 1.5, 2, …`)
  return ratio(text)
}
