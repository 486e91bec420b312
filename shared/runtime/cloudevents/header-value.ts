// CloudEvents attribute values in HTTP headers: percent-encoded UTF-8 (HTTP binding 3.1.3.2).
//
// A stray `%` is refused rather than kept: whether its sender encodes or not, we would be guessing at an id.
import { isUtf8 } from 'node:buffer'
import { hasForbiddenCharacter } from './attributes.ts'

// oxlint-disable-next-line no-control-regex
const AS_IS = /^[\x20\x21\x23\x24\x26-\x7e]*$/
// oxlint-disable-next-line no-control-regex
const PRINTABLE = /^[\x20-\x7e]*$/
const STRAY_PERCENT = /%(?![\dA-Fa-f]{2})/
const QUOTED = /^"(?:[^"\\]|\\.)*"$/
// oxlint-disable-next-line no-control-regex
const MUST_ENCODE = /[^\x21\x23\x24\x26-\x7e]/

export type HeaderValue = { readonly text: string } | { readonly fault: string }

/** True for a value that means itself: the common case, which needs no decoding. */
export const meansItself = (raw: string): boolean => AS_IS.test(raw)

/** One round of decoding: quotes off, then percent-encoding off. */
export function decodeHeaderValue(raw: string): HeaderValue {
  if (meansItself(raw)) return { text: raw }
  if (!PRINTABLE.test(raw)) return { fault: 'must be printable ASCII: percent-encode everything else' }
  let text = raw
  if (raw.startsWith('"')) {
    if (!QUOTED.test(raw)) return { fault: 'must end the quotation that it begins' }
    text = raw.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  }
  if (STRAY_PERCENT.test(text)) return { fault: 'must write a percent sign as %25' }
  if (text.includes('%')) {
    const bytes = percentDecoded(text)
    if (!isUtf8(bytes)) return { fault: 'must be UTF-8 under its percent-encoding' }
    text = bytes.toString('utf8')
  }
  return hasForbiddenCharacter(text)
    ? { fault: 'must not hold control characters or noncharacters' }
    : { text }
}

function percentDecoded(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length)
  let size = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x25) {
      bytes[size] = Number.parseInt(text.slice(at + 1, at + 3), 16)
      at += 2
    } else {
      bytes[size] = code
    }
    size += 1
  }
  return bytes.subarray(0, size)
}

/** True for text that goes into a header as it is. */
export const isHeaderSafe = (text: string): boolean => !MUST_ENCODE.test(text)

/** @throws TypeError for half of a surrogate pair, which has no UTF-8. */
export function encodeHeaderValue(text: string): string {
  if (isHeaderSafe(text)) return text
  if (!text.isWellFormed()) throw new TypeError(`not well-formed Unicode: ${JSON.stringify(text)}`)
  let encoded = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x21 && byte <= 0x7e && byte !== 0x22 && byte !== 0x25
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
