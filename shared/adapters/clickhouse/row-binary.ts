// Rows in ClickHouse's RowBinary: values one after another, in the order of the columns, little-endian, without names.
// No text is made of numbers, which is most of what an insert in a text format costs.

const START_BYTES = 64 * 1024
/** Names and ids: for these a loop is faster than the encoder. Below 0x80, so that the length is one byte. */
const ASCII_LENGTH_MAX = 48
const TWO_TO_32 = 2 ** 32
const encoder = new TextEncoder()

export class RowBinary {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor(bytes = START_BYTES) {
    this.#bytes = new Uint8Array(bytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** UTF-8 with its length before it; half of a surrogate pair becomes U+FFFD. */
  string(text: string): this {
    // At most three bytes for each code unit, and five for the length.
    this.#room(text.length * 3 + 5)
    const short = this.#length + 1
    if (text.length <= ASCII_LENGTH_MAX && this.#ascii(text, short)) return this
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(short))
    if (written < 0x80) {
      this.#bytes[this.#length] = written
      this.#length = short + written
      return this
    }
    const prefix = varint(written)
    this.#bytes.copyWithin(this.#length + prefix.length, short, short + written)
    this.#bytes.set(prefix, this.#length)
    this.#length += prefix.length + written
    return this
  }

  /** Int64, UInt64 and Decimal of up to 18 digits, scaled. */
  int64(value: bigint): this {
    this.#room(8)
    this.#view.setBigInt64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** DateTime64(3): whole milliseconds since 1970. */
  milliseconds(value: number): this {
    this.#room(8)
    this.#view.setUint32(this.#length, value % TWO_TO_32, true)
    this.#view.setInt32(this.#length + 4, Math.floor(value / TWO_TO_32), true)
    this.#length += 8
    return this
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** False when a character is beyond ASCII; nothing counts as written then. */
  #ascii(text: string, from: number): boolean {
    const { length } = text
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index)
      if (code >= 0x80) return false
      this.#bytes[from + index] = code
    }
    this.#bytes[this.#length] = length
    this.#length = from + length
    return true
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

function varint(value: number): readonly number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  return [...bytes, rest]
}
