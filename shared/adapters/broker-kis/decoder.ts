// H0STCNT0 (trades) and H0STASP0 (order book) frames in one pass over their bytes.
//
// D1. Whole or not at all: any fault in any record refuses the frame, with record, field and text.
// D2. The width of a record is what the frame says (fields ÷ count). KIS adds columns at the end without notice
//     (46 → 47, 59 → 62 → 63); columns beyond those known are not looked at.
// D3. A width is at most WIDTH_SPARE above the narrowest ever seen, so that a count that lies by half cannot pass off
//     two records as one wide one.
// D4. Only what becomes part of a tick is checked, and all of that is: digits, lengths, ranges, real times, real days.
// D5. Half-tick prices (mid-price trades) are legal; a price may have four decimal places.
import type { InstrumentId } from '#shared/domain/instrument.ts'
import type { Aggressor, QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { type Instant, MS_PER_DAY } from '#shared/domain/time.ts'
import type { Price, Quantity } from '#shared/domain/values.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { FrameDecoder } from '#shared/ports/frame-decoder.ts'
import { BOOK, BOOK_NAMES, BOOK_WIDTH, TRADE, TRADE_NAMES, TRADE_WIDTH } from './market-columns.ts'
import { BOOK_CHANNEL, TRADE_CHANNEL } from './tr-ids.ts'

/** As FrameReceived allows. */
const FRAME_CHARACTERS_MAX = 262_144
const CHARACTERS_AT_FIRST = 16_384
const PAYLOAD = '0|H0STCNT0|001|'.length
const TRADE_HEADER = `0|${TRADE_CHANNEL}|`
const BOOK_HEADER = `0|${BOOK_CHANNEL}|`
const WIDTH_SPARE = 20
const PRICE_DIGITS_MAX = 9
const PRICE_PLACES = 4
const PRICE_SCALE = 10_000
const QUANTITY_DIGITS_MAX = 14
const KST_OFFSET_MS = 9 * 3_600_000
const SYMBOLS_MAX = 8_192
/** A power of two. */
const PRICES_KEPT = 4_096

/** The word that the payload begins in; the header's last bytes hold no `^`. */
const FIRST_WORD = PAYLOAD >> 2
const FOUR_CARETS = 0x5e5e5e5e
const LOW_BITS = 0x7f7f7f7f
const DOT = 0x2e
const ZERO = 0x30

const NOTHING: readonly never[] = []

export function kisFrameDecoder(): FrameDecoder {
  const scan = new FrameScan()
  return {
    broker: 'kis',
    decode(frame, receivedTime) {
      if (frame.startsWith(TRADE_HEADER)) {
        return { trades: scan.trades(frame), quotes: NOTHING }
      }
      if (frame.startsWith(BOOK_HEADER)) {
        return { trades: NOTHING, quotes: scan.quotes(frame, receivedTime) }
      }
      const start = JSON.stringify(frame.slice(0, PAYLOAD))
      throw new PoisonError(
        frame.startsWith('1|')
          ? `an encrypted frame is no market data: ${start}`
          : `no KIS market frame: ${start}`,
      )
    },
  }
}

/** The working memory of one decoder. Nothing of a frame outlives it but names of instruments and of one day. */
class FrameScan {
  readonly #encoder = new TextEncoder()
  readonly #symbols = new Map<number, InstrumentId>()
  #bytes = new Uint8Array(0)
  /** The same memory, as aligned words and at any place. */
  #words = new Int32Array(0)
  #view = new DataView(this.#bytes.buffer)
  /** Where each field ends. */
  #ends = new Int32Array(0)
  #names = TRADE_NAMES
  #length = 0
  #count = 0
  #width = 0
  #record = 0
  /** A price and its bigint, side by side. */
  readonly #numberOf = new Float64Array(PRICES_KEPT)
  readonly #exactOf: Price[] = Array.from({ length: PRICES_KEPT }, () => 0n as Price)
  #symbolKey = 0
  #symbol = '' as InstrumentId
  /** The bytes of the last real date, and midnight in Korea of that day. */
  #dateHead = 0
  #dateTail = 0
  #dateMs = 0

  constructor() {
    this.#grow(CHARACTERS_AT_FIRST)
  }

  trades(frame: string): readonly TradeTick[] {
    this.#names = TRADE_NAMES
    this.#index(frame, TRADE_WIDTH)
    const ticks: TradeTick[] = []
    for (this.#record = 0; this.#record < this.#count; this.#record += 1) {
      const instrumentId = this.#instrument(TRADE.symbol)
      const dayMs = this.#dayMs(TRADE.date)
      const eventTime = (dayMs + this.#timeMs(TRADE.time)) as Instant
      const price = this.#price(TRADE.price)
      if (price === 0) throw this.#fault(TRADE.price, 'is not above zero')
      const ask = this.#price(TRADE.ask)
      const bid = this.#price(TRADE.bid)
      const volume = this.#units(TRADE.volume)
      if (volume === 0) throw this.#fault(TRADE.volume, 'is not above zero')
      const dayVolume = this.#units(TRADE.dayVolume)
      if (dayVolume < volume) throw this.#fault(TRADE.dayVolume, `is less than this trade, ${volume}`)
      const exact = this.#exact(price)
      ticks.push({
        instrumentId,
        eventTime,
        price: exact,
        quantity: BigInt(volume) as Quantity,
        aggressor: this.#aggressor(TRADE.side),
        sessionVolume: BigInt(dayVolume) as Quantity,
        // A trade is nearly always at one of the two.
        bidPrice: bid === price ? exact : this.#exact(bid),
        askPrice: ask === price ? exact : this.#exact(ask),
      })
    }
    return ticks
  }

  quotes(frame: string, receivedTime: Instant): readonly QuoteTick[] {
    this.#names = BOOK_NAMES
    this.#index(frame, BOOK_WIDTH)
    const dayMs = Math.floor((receivedTime + KST_OFFSET_MS) / MS_PER_DAY) * MS_PER_DAY - KST_OFFSET_MS
    const ticks: QuoteTick[] = []
    for (this.#record = 0; this.#record < this.#count; this.#record += 1) {
      const instrumentId = this.#instrument(BOOK.symbol)
      const eventMs = dayMs + this.#timeMs(BOOK.time)
      const ask = this.#price(BOOK.ask)
      const askQuantity = this.#units(BOOK.askQuantity)
      const bid = this.#price(BOOK.bid)
      const bidQuantity = this.#units(BOOK.bidQuantity)
      // A side with a price and no quantity, or the other way round, offers nothing.
      const asked = ask > 0 && askQuantity > 0
      const wanted = bid > 0 && bidQuantity > 0
      ticks.push({
        instrumentId,
        // A frame of late evening that was received after midnight belongs to the day before.
        eventTime: (eventMs - receivedTime > MS_PER_DAY / 2 ? eventMs - MS_PER_DAY : eventMs) as Instant,
        bidPrice: this.#exact(wanted ? bid : 0),
        bidQuantity: BigInt(wanted ? bidQuantity : 0) as Quantity,
        askPrice: this.#exact(asked ? ask : 0),
        askQuantity: BigInt(asked ? askQuantity : 0) as Quantity,
      })
    }
    return ticks
  }

  /** Copies the frame, notes where each field ends, and settles count and width. */
  #index(frame: string, widthMin: number): void {
    this.#read(frame)
    const bytes = this.#bytes
    const length = this.#length
    const hundreds = (bytes[PAYLOAD - 4] ?? 0) - ZERO
    const tens = (bytes[PAYLOAD - 3] ?? 0) - ZERO
    const ones = (bytes[PAYLOAD - 2] ?? 0) - ZERO
    const count = hundreds * 100 + tens * 10 + ones
    const isCount = hundreds >>> 0 <= 9 && tens >>> 0 <= 9 && ones >>> 0 <= 9 && count > 0
    if (!isCount || bytes[PAYLOAD - 1] !== 0x7c || length <= PAYLOAD) {
      throw new PoisonError(`no three-digit count of records: ${JSON.stringify(frame.slice(0, PAYLOAD + 5))}`)
    }
    const fields = this.#markEnds()
    const width = fields / count
    if (!Number.isInteger(width) || width < widthMin || width > widthMin + WIDTH_SPARE) {
      throw new PoisonError(
        `${fields} fields do not make ${count} records of ${widthMin} or a few more fields`,
      )
    }
    this.#count = count
    this.#width = width
  }

  /** Four bytes at a time: a word's `^` bytes are zero after the xor, and the sum's high bits show every zero byte. */
  #markEnds(): number {
    const words = this.#words
    const ends = this.#ends
    const length = this.#length
    const last = (length + 3) >> 2
    let fields = 0
    for (let word = FIRST_WORD; word < last; word += 1) {
      const folded = (words[word] ?? 0) ^ FOUR_CARETS
      let zeros = ~(((folded & LOW_BITS) + LOW_BITS) | folded | LOW_BITS)
      while (zeros !== 0) {
        ends[fields] = (word << 2) + ((31 - Math.clz32(zeros & -zeros)) >> 3)
        fields += 1
        zeros &= zeros - 1
      }
    }
    // What an earlier, longer frame left in the last word.
    while (fields > 0 && (ends[fields - 1] ?? 0) >= length) fields -= 1
    ends[fields] = length
    return fields + 1
  }

  #read(frame: string): void {
    if (frame.length > FRAME_CHARACTERS_MAX) {
      throw new PoisonError(`frame of ${frame.length} characters, at most ${FRAME_CHARACTERS_MAX}`)
    }
    if (frame.length > this.#bytes.length) this.#grow(FRAME_CHARACTERS_MAX)
    const { read, written } = this.#encoder.encodeInto(frame, this.#bytes)
    // UTF-8 is as long as the text only where every character is ASCII.
    if (read !== frame.length || written !== frame.length) {
      throw new PoisonError('market frame with characters that are not ASCII')
    }
    this.#length = written
  }

  /** Every byte could be a `^`, so there is room for as many ends and one more. */
  #grow(characters: number): void {
    this.#bytes = new Uint8Array(characters)
    this.#words = new Int32Array(this.#bytes.buffer)
    this.#view = new DataView(this.#bytes.buffer)
    this.#ends = new Int32Array(characters + 4)
  }

  #start(index: number): number {
    const field = this.#record * this.#width + index
    return field === 0 ? PAYLOAD : (this.#ends[field - 1] ?? 0) + 1
  }

  #end(index: number): number {
    return this.#ends[this.#record * this.#width + index] ?? 0
  }

  /** Whole units. */
  #units(field: number): number {
    const end = this.#end(field)
    const start = this.#start(field)
    if (end === start || end - start > QUANTITY_DIGITS_MAX) throw this.#fault(field, 'is not a quantity')
    const bytes = this.#bytes
    let value = 0
    for (let at = start; at < end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO
      if (digit >>> 0 > 9) throw this.#fault(field, 'is not a quantity')
      value = value * 10 + digit
    }
    return value
  }

  /** Scaled by 10⁴; exact, since nine digits and four places are far below 2⁵³. */
  #price(field: number): number {
    const end = this.#end(field)
    const start = this.#start(field)
    const bytes = this.#bytes
    let value = 0
    let at = start
    for (; at < end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO
      if (digit >>> 0 > 9) break
      value = value * 10 + digit
    }
    if (at === start || at - start > PRICE_DIGITS_MAX) throw this.#fault(field, 'is not a price')
    return at === end ? value * PRICE_SCALE : value * PRICE_SCALE + this.#fraction(field, at, end)
  }

  #fraction(field: number, dot: number, end: number): number {
    const places = end - dot - 1
    if (this.#bytes[dot] !== DOT || places < 1 || places > PRICE_PLACES)
      throw this.#fault(field, 'is not a price')
    let value = 0
    for (let at = dot + 1; at < end; at += 1) {
      const digit = (this.#bytes[at] ?? 0) - ZERO
      if (digit >>> 0 > 9) throw this.#fault(field, 'is not a price')
      value = value * 10 + digit
    }
    return value * 10 ** (PRICE_PLACES - places)
  }

  /** Milliseconds since midnight of an HHMMSS field. */
  #timeMs(field: number): number {
    const start = this.#start(field)
    const hour = this.#twoDigits(start)
    const minute = this.#twoDigits(start + 2)
    const second = this.#twoDigits(start + 4)
    const isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
    if (!isTime || this.#end(field) - start !== 6) throw this.#fault(field, 'is not a time of day')
    return (hour * 3_600 + minute * 60 + second) * 1_000
  }

  /** −1 unless both are digits. */
  #twoDigits(at: number): number {
    const tens = (this.#bytes[at] ?? 0) - ZERO
    const ones = (this.#bytes[at + 1] ?? 0) - ZERO
    return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones
  }

  /** Midnight in Korea of a YYYYMMDD field. All day long it is the same eight bytes. */
  #dayMs(field: number): number {
    const start = this.#start(field)
    if (this.#end(field) - start !== 8) throw this.#fault(field, 'is not a date')
    const head = this.#view.getInt32(start)
    const tail = this.#view.getInt32(start + 4)
    if (head === this.#dateHead && tail === this.#dateTail) return this.#dateMs
    const century = this.#twoDigits(start)
    const yearOfCentury = this.#twoDigits(start + 2)
    const month = this.#twoDigits(start + 4)
    const day = this.#twoDigits(start + 6)
    const isShaped = century >= 19 && yearOfCentury >= 0 && month >= 1 && day >= 1
    const ms = isShaped ? Date.UTC(century * 100 + yearOfCentury, month - 1, day) : 0
    const real = new Date(ms)
    if (!isShaped || real.getUTCMonth() !== month - 1 || real.getUTCDate() !== day) {
      throw this.#fault(field, 'is not a date')
    }
    this.#dateHead = head
    this.#dateTail = tail
    this.#dateMs = ms - KST_OFFSET_MS
    return this.#dateMs
  }

  /** Prices come back all day: each is made into a bigint once, as long as no other takes its slot. */
  #exact(value: number): Price {
    const slot = (value / PRICE_SCALE) & (PRICES_KEPT - 1)
    const kept = this.#exactOf[slot]
    if (this.#numberOf[slot] === value && kept !== undefined) return kept
    const made = BigInt(value) as Price
    this.#numberOf[slot] = value
    this.#exactOf[slot] = made
    return made
  }

  #aggressor(field: number): Aggressor {
    const start = this.#start(field)
    const length = this.#end(field) - start
    if (length > 1) throw this.#fault(field, 'is not one character')
    const side = length === 0 ? 0 : this.#bytes[start]
    if (side === ZERO + 1) return 'buy'
    return side === ZERO + 5 ? 'sell' : 'none'
  }

  /** Six digits or capitals; seven for an ETN, which begins with Q. */
  #instrument(field: number): InstrumentId {
    const start = this.#start(field)
    const end = this.#end(field)
    const length = end - start
    if (length !== 6 && length !== 7) throw this.#fault(field, 'is not a symbol')
    const bytes = this.#bytes
    let key = 1
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? 0
      const value = byte >= 0x41 && byte <= 0x5a ? byte - 0x41 + 10 : byte - ZERO
      if (value >>> 0 > 35 || (value > 9 && byte < 0x41)) throw this.#fault(field, 'is not a symbol')
      key = key * 36 + value
    }
    if (key !== this.#symbolKey) {
      this.#symbol = this.#symbols.get(key) ?? this.#newSymbol(key, start, end)
      this.#symbolKey = key
    }
    return this.#symbol
  }

  #newSymbol(key: number, start: number, end: number): InstrumentId {
    const id = `${this.#text(start, end)}.KRX` as InstrumentId
    if (this.#symbols.size >= SYMBOLS_MAX) this.#symbols.clear()
    this.#symbols.set(key, id)
    return id
  }

  #text(start: number, end: number): string {
    return String.fromCharCode(...this.#bytes.subarray(start, end))
  }

  #fault(field: number, problem: string): PoisonError {
    const start = this.#start(field)
    const text = JSON.stringify(this.#text(start, Math.min(this.#end(field), start + 40)))
    return new PoisonError(
      `record ${this.#record + 1} of ${this.#count}: ${this.#names[field] ?? ''} ${text} ${problem}`,
    )
  }
}
