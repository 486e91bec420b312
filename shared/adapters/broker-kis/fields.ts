// Every answer is hostile input. A field is read by name, checked, and its fault names the place, the field and the
// text. All scalars in KIS's JSON are strings, numbers included.
import { DecimalError } from '#shared/domain/decimal.ts'
import { type InstrumentId, InstrumentIdError, type Venue, instrumentId } from '#shared/domain/instrument.ts'
import {
  type Instant,
  type SessionDate,
  TimeError,
  kstInstant,
  sessionDate,
  timeOfDay,
} from '#shared/domain/time.ts'
import { type Money, type Price, type Quantity, money, price, quantity } from '#shared/domain/values.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { isObject } from './token.ts'

/** One object of an answer. Every method throws `RetryableError` with the field's name when it is not as promised. */
export interface Row {
  /** Trimmed. Names are tried in order, then without regard to case: KIS spells some of them in two ways. */
  text(...names: readonly string[]): string
  /** Trimmed; empty when it is absent. */
  textIfAny(name: string): string
  /** Zero or more. */
  quantity(...names: readonly string[]): Quantity
  /** Zero or more; digits beyond four places are cut (averages). */
  price(name: string): Price
  /** Signed. */
  money(name: string): Money
  /** From a YYYYMMDD field. */
  date(name: string): SessionDate
  /** From an HHMMSS field on `date`. */
  time(date: SessionDate, name: string): Instant
  instrument(name: string, venue?: Venue): InstrumentId
  fault(name: string, problem: string): RetryableError
}

const DIGITS_MAX = 18

export function rowOf(value: unknown, place: string): Row {
  if (!isObject(value)) throw new RetryableError(`${place} is not an object`)
  const find = (names: readonly string[]): string | undefined => {
    for (const name of names) {
      const exact = value[name]
      if (typeof exact === 'string') return exact.trim()
    }
    const wanted = names.map((name) => name.toLowerCase())
    const other = Object.keys(value).find((key) => wanted.includes(key.toLowerCase()))
    const found = other === undefined ? undefined : value[other]
    return typeof found === 'string' ? found.trim() : undefined
  }
  const fault = (name: string, problem: string): RetryableError =>
    new RetryableError(`${place}.${name}: ${problem}`)
  const text = (...names: readonly string[]): string => {
    const found = find(names)
    if (found === undefined) throw fault(names.join(' or '), 'is missing')
    return found
  }
  const parsed = <T>(name: string, raw: string, pattern: RegExp, parse: (raw: string) => T): T => {
    if (raw.length > DIGITS_MAX + 6 || !pattern.test(raw)) throw fault(name, `cannot be ${quoted(raw)}`)
    try {
      return parse(raw)
    } catch (error) {
      const expected = [DecimalError, TimeError, InstrumentIdError].some((kind) => error instanceof kind)
      throw expected ? fault(name, `cannot be ${quoted(raw)}`) : error
    }
  }
  return {
    text,
    textIfAny: (name) => find([name]) ?? '',
    quantity: (...names) => parsed(names.join(' or '), text(...names), /^\d+$/, quantity),
    price: (name) =>
      parsed(name, text(name), /^\d+(\.\d+)?$/, (raw) => price(raw.replace(/(\.\d{4})\d+$/, '$1'))),
    money: (name) => parsed(name, text(name), /^-?\d+(\.\d+)?$/, money),
    date: (name) => parsed(name, text(name), /^\d{8}$/, dateOf),
    time: (date, name) => parsed(name, text(name), /^\d{6}$/, (raw) => kstTime(date, raw)),
    instrument: (name, venue = 'KRX') =>
      parsed(name, text(name), /^[0-9A-Z]{6,7}$/, (raw) => instrumentId(`${raw}.${venue}`)),
    fault,
  }
}

/** The rows of a block that is an array. A block that holds one row may be that object itself. */
export function rowsOf(root: Record<string, unknown>, block: string, place: string): readonly Row[] {
  const value = root[block]
  if (isObject(value)) return [rowOf(value, `${place}.${block}`)]
  if (!Array.isArray(value)) throw new RetryableError(`${place}.${block} is not an array`)
  return value.map((row, index) => rowOf(row, `${place}.${block}[${index}]`))
}

/** True for the rows that KIS pads a block with. */
export const isBlank = (row: Row, ...names: readonly string[]): boolean =>
  names.every((name) => row.textIfAny(name) === '')

/** @throws TimeError unless the text is a real day. */
export const dateOf = (digits: string): SessionDate =>
  sessionDate(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`)

/** @throws TimeError unless the text is a time of day. */
export const kstTime = (date: SessionDate, digits: string): Instant =>
  kstInstant(date, timeOfDay(`${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`))

/** YYYYMMDD. */
export const digitsOf = (date: SessionDate): string => date.replaceAll('-', '')

export const quoted = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

const ORDER_NUMBER_WIDTH = 10

/**
 * Order numbers come zero padded, space padded and bare (pitfall 9). The house form is padded with zeros to ten digits,
 * which is what KIS wants back. Undefined for anything that is not a number above zero.
 */
export function orderNumber(text: string): string | undefined {
  const digits = text.trim().replace(/^0+/, '')
  if (!/^\d{1,10}$/.test(digits)) return undefined
  return digits.padStart(ORDER_NUMBER_WIDTH, '0')
}
