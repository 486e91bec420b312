import { randomBytes } from 'node:crypto'

/** A number from 0 (inclusive) to 1 (exclusive), for jitter. */
export const systemRandom = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48
