// Mutated frames against a second, independent decoder. JTS_FUZZ_RUNS sets how many (default 100,000), JTS_FUZZ_SEED
// where the sequence begins; both are in the failure text.
import { expect, test } from 'vitest'
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { parseInstant } from '#shared/domain/time.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { DecodedFrame } from '#shared/ports/frame-decoder.ts'
import { kisFrameDecoder } from './decoder.ts'
import { type NaiveFrame, naiveDecode } from './naive-decoder.fixture.ts'
import { recordedFrames } from './recorded-kis.fixture.ts'

const RUNS = Number(process.env['JTS_FUZZ_RUNS'] ?? 100_000)
const SEED = Number(process.env['JTS_FUZZ_SEED'] ?? 1)
const RECEIVED = parseInstant('2026-11-20T01:15:31Z')
const BUILT = [
  `0|H0STCNT0|002|${'000660^101530^182300^2^1300^0.72^1^1^1^1^182300^182200^15^1204567^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^1^20261120^20^N^1^1^1^1^1^1^1^0^^1^'.repeat(2).slice(0, -1)}`,
  `0|H0STASP0|001|000660^101531^0${'^182300'.repeat(20)}${'^15'.repeat(20)}${'^0'.repeat(16)}`,
]

/** A small generator with a seed: the same seed makes the same frames. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const PIECES = [
  '',
  '0',
  '1',
  '5',
  '^',
  '^^',
  '|',
  '-1',
  '.',
  '.5',
  '1e9',
  '999999999999999',
  '240000',
  '20260229',
  'é',
  '\u0130',
  '\0',
  ' ',
]

/** One to three changes: bytes, chunks, fields, the header's count. */
function mutated(frame: string, random: (below: number) => number): string {
  let text = frame
  for (let changes = 1 + random(3); changes > 0; changes -= 1) {
    const at = random(text.length + 1)
    const until = Math.min(text.length, at + 1 + random(random(4) === 0 ? 60 : 2))
    const piece = PIECES[random(PIECES.length)] ?? ''
    switch (random(8)) {
      case 0: // another byte
        text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1)
        break
      case 1: // another digit: often still a legal frame
        text = text.slice(0, at) + String(random(10)) + text.slice(at + 1)
        break
      case 2:
        text = text.slice(0, at) + text.slice(until)
        break
      case 3:
        text = text.slice(0, until) + text.slice(at)
        break
      case 4:
        text = text.slice(0, at) + piece + text.slice(at)
        break
      case 5:
        text = `${text.slice(0, 11)}${String(random(12)).padStart(3, '0')}${text.slice(14)}`
        break
      default: {
        const fields = text.split('^')
        fields[random(fields.length)] = random(2) === 0 ? piece : String(random(1_000_000))
        text = fields.join('^')
      }
    }
  }
  return text
}

const same = (left: DecodedFrame, right: NaiveFrame): boolean =>
  left.trades.length === right.trades.length &&
  left.quotes.length === right.quotes.length &&
  left.trades.every((tick, index) => sameTrade(tick, right.trades[index])) &&
  left.quotes.every((tick, index) => sameQuote(tick, right.quotes[index]))

const sameTrade = (left: TradeTick, right: TradeTick | undefined): boolean =>
  right !== undefined &&
  left.instrumentId === right.instrumentId &&
  left.eventTime === right.eventTime &&
  left.price === right.price &&
  left.quantity === right.quantity &&
  left.aggressor === right.aggressor &&
  left.sessionVolume === right.sessionVolume &&
  left.bidPrice === right.bidPrice &&
  left.askPrice === right.askPrice

const sameQuote = (left: QuoteTick, right: QuoteTick | undefined): boolean =>
  right !== undefined &&
  left.instrumentId === right.instrumentId &&
  left.eventTime === right.eventTime &&
  left.bidPrice === right.bidPrice &&
  left.bidQuantity === right.bidQuantity &&
  left.askPrice === right.askPrice &&
  left.askQuantity === right.askQuantity

test(
  `of ${RUNS} mutated frames none crashes the decoder and none is read differently by a second one`,
  { timeout: 600_000 },
  () => {
    const frames = [...recordedFrames().values(), ...BUILT]
    const random = randomFrom(SEED)
    const decoder = kisFrameDecoder()
    let accepted = 0
    for (let run = 0; run < RUNS; run += 1) {
      const frame = mutated(frames[random(frames.length)] ?? '', random)
      const expected = naiveDecode(frame, RECEIVED)
      let decoded: DecodedFrame | undefined
      try {
        decoded = decoder.decode(frame, RECEIVED)
      } catch (error) {
        if (!(error instanceof PoisonError)) throw error
      }
      const agree =
        decoded === undefined || expected === undefined ? decoded === expected : same(decoded, expected)
      if (!agree)
        throw new Error(`seed ${SEED}, run ${run}: the decoders disagree on ${JSON.stringify(frame)}`)
      if (decoded !== undefined) accepted += 1
    }
    // Mutations that are all refused would prove little.
    expect(accepted).toBeGreaterThan(RUNS / 20)
    expect(accepted).toBeLessThan(RUNS)
  },
)
