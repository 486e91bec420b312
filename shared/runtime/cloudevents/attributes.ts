// What a CloudEvents 1.0 attribute may hold. Each check returns what is wrong, or `undefined`.
import { isMediaType } from './media-type.ts'

export const REQUIRED_ATTRIBUTES = ['specversion', 'id', 'source', 'type'] as const

const NAME = /^[a-z0-9]+$/

/** Attribute names are lower-case letters and digits; `data` is no attribute. */
export const isAttributeName = (name: string): boolean => NAME.test(name) && name !== 'data'

// Control characters, noncharacters and halves of surrogate pairs may stand in no attribute.
// oxlint-disable-next-line no-control-regex
const PLAIN = /^[\x20-\x7e]*$/
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

export const hasForbiddenCharacter = (text: string): boolean => !PLAIN.test(text) && FORBIDDEN.test(text)

const TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isLeapYear = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

/** True for a real day and time of RFC 3339; second 60 only where a leap second can stand. */
export function isRfc3339(text: string): boolean {
  const match = TIME.exec(text)
  if (match === null) return false
  if (match[5] === '60' && match[4] !== '59') return false
  const day = Number(match[3])
  if (day <= 28) return true
  const month = Number(match[2])
  if (month === 2 && day === 29) return isLeapYear(Number(match[1]))
  return day <= (DAYS_IN_MONTH[month - 1] ?? 0)
}

/** The common case: an absolute path of unreserved characters. */
const PLAIN_PATH = /^\/[\w.~/-]*$/
const URI_REFERENCE =
  /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/(?:(?:[\w.~!$&'()*+,;=:-]|%[\da-f]{2})*@)?(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?(?=[/?#]|$)|(?!\/\/))((?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*)(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[\da-f]{2})*)?(?:#(?:[\w.~!$&'()*+,;=:@/?-]|%[\da-f]{2})*)?$/i

/** RFC 3986 URI-reference, not empty. */
export function isUriReference(text: string): boolean {
  if (PLAIN_PATH.test(text)) return !text.startsWith('//')
  if (text === '') return false
  const match = URI_REFERENCE.exec(text)
  if (match === null) return false
  const hasScheme = match[1] !== undefined
  // The first segment of a relative path holds no colon: it would read as a scheme.
  return hasScheme || text.startsWith('/') || !(match[2] ?? '').split('/', 1).join('').includes(':')
}

const SCHEME = /^[a-z][a-z\d+.-]*:/i
const isAbsoluteUri = (text: string): boolean => SCHEME.test(text) && isUriReference(text)

/** What is wrong with the value of an attribute that is text. Unknown extensions may hold any text. */
export function textFault(name: string, value: string): string | undefined {
  switch (name) {
    case 'specversion':
      return value === '1.0' ? undefined : `must be 1.0, is ${quoted(value)}`
    case 'id':
    case 'type':
    case 'subject':
    case 'partitionkey':
    case 'correlationid':
    case 'causationid':
      return value === '' ? 'must not be empty' : undefined
    case 'source':
      return isUriReference(value) ? undefined : `must be a URI-reference, is ${quoted(value)}`
    case 'time':
      return isRfc3339(value) ? undefined : `must be an RFC 3339 time, is ${quoted(value)}`
    case 'datacontenttype':
      return isMediaType(value) ? undefined : `must be a media type, is ${quoted(value)}`
    case 'dataschema':
      return isAbsoluteUri(value) ? undefined : `must be an absolute URI, is ${quoted(value)}`
    default:
      return undefined
  }
}

const INT32_MIN = -2_147_483_648
const INT32_MAX = 2_147_483_647

const CORE = new Set([
  ...REQUIRED_ATTRIBUTES,
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'partitionkey',
  'correlationid',
  'causationid',
  'traceparent',
  'tracestate',
])

/** What is wrong with an attribute value of the JSON format: text, Boolean or 32-bit integer; ours are text. */
export function jsonValueFault(name: string, value: unknown, lengthMax: number): string | undefined {
  if (typeof value === 'string') {
    if (value.length > lengthMax) return `must have at most ${lengthMax} characters, has ${value.length}`
    if (hasForbiddenCharacter(value))
      return 'must not hold control characters, noncharacters or lone surrogates'
    return textFault(name, value)
  }
  if (CORE.has(name)) return `must be a string, is ${kindOf(value)}`
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX
      ? undefined
      : 'must be a 32-bit integer: write other numbers as strings'
  }
  return `must be a string, a Boolean or an integer, is ${kindOf(value)}`
}

export const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : `a${typeof value === 'object' ? 'n' : ''} ${typeof value}`

/** For messages: cut, so that a fault never carries a large value. */
export const quoted = (value: string): string =>
  JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
