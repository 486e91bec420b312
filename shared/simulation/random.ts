// A small seeded generator, so that a market can be made again. Only integer arithmetic and + − × ÷ on doubles, which
// every engine rounds alike: the same seed gives the same numbers on every machine.

export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** A whole number from 0 to `below` − 1. */
  integer(below: number): number
  /** Roughly normal with mean 0 and deviation 1, never beyond ±6: the sum of twelve uniforms less six. */
  normal(): number
}

/** FNV-1a over UTF-16 code units: turns names and dates into seeds. */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const character of parts.join('\u0000')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  }
  return hash >>> 0
}

/** sfc32 (Doty-Humphrey, public domain), seeded through fifteen warm-up rounds. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = 1
  const word = (): number => {
    const result = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + result) | 0
    return result >>> 0
  }
  for (let round = 0; round < 15; round += 1) word()
  const next = (): number => word() / 0x1_0000_0000
  return {
    next,
    integer: (below) => Math.floor(next() * below),
    normal: () => {
      let sum = -6
      for (let term = 0; term < 12; term += 1) sum += next()
      return sum
    },
  }
}
