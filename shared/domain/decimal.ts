// Decimal strings ↔ scaled integers. Everything that is money, a price or a quantity passes through here.

/** Thrown for text that is not a plain decimal number or has more places than the scale allows. */
export class DecimalError extends Error {
  override name = 'DecimalError'
}

const PLAIN = /^(-?)(\d+)(?:\.(\d+))?$/

/**
 * Reads a decimal string as an integer scaled by `10 ** places`. No exponent, no blanks, no leading plus.
 * @throws DecimalError when the text is not a plain decimal or would lose a non-zero digit.
 */
export function parseDecimal(text: string, places: number): bigint {
  const match = PLAIN.exec(text)
  if (match === null) throw new DecimalError(`not a decimal number: ${JSON.stringify(text)}`)
  const [, sign, whole = '', fraction = ''] = match
  const kept = fraction.slice(0, places).padEnd(places, '0')
  if (/[1-9]/.test(fraction.slice(places))) {
    throw new DecimalError(`more than ${places} decimal places: ${JSON.stringify(text)}`)
  }
  const scaled = BigInt(whole + kept)
  return sign === '-' ? -scaled : scaled
}

/** Writes a scaled integer as the shortest decimal string that is equal to it: `1.5`, never `1.5000`. */
export function formatDecimal(scaled: bigint, places: number): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return `${scaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export type Rounding = 'down' | 'up' | 'halfUp'

/** Divides, rounding the magnitude: `down` is towards zero, `up` away from zero. `divisor` is positive. */
export function divideRounded(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  if (divisor <= 0n) throw new RangeError(`divisor must be positive: ${divisor}`)
  const negative = dividend < 0n
  const magnitude = negative ? -dividend : dividend
  const quotient = magnitude / divisor
  const rest = magnitude % divisor
  const up = rounding === 'up' ? rest > 0n : rounding === 'halfUp' ? rest * 2n >= divisor : false
  const result = up ? quotient + 1n : quotient
  return negative ? -result : result
}
