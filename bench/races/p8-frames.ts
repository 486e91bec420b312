// P8: KIS trade frames to ticks, checked, against split-and-name-every-field, and a loop that only counts separators.
import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import type { TradeTick } from '#shared/domain/market-data.ts'
import { parseInstant } from '#shared/domain/time.ts'
import { type RaceResult, figureOf, interleave, nanosecondsEach, report } from '../harness.ts'
import { FIELDS, RECORDS, tradeFrame } from '../kis-frame.ts'

const ROUNDS = 11
const TIMES = 5_000
const FRAMES = 64
const RECEIVED = parseInstant('2025-09-02T12:00:00+09:00')

const SPLIT = 'split + object of 46 fields'
const TAKEN = 'split + the 9 fields of a tick'
const OURS = 'ours, checked, exact'
const LIMIT = 'limit: byte loop that counts ^'

/** Frames of different instruments, prices and times: what repeats would be guessed. */
const frames = Array.from({ length: FRAMES }, (_, index) => tradeFrame(index))
const buffers = frames.map((frame) => Buffer.from(frame))
const decoder = kisFrameDecoder()

/** What most programs do: every field by its name, numbers as `number`. Checks nothing. */
function splitAll(frame: string): readonly Record<string, string | number>[] {
  const [, , count = '0', payload = ''] = frame.split('|')
  const fields = payload.split('^')
  const width = fields.length / Number(count)
  return Array.from({ length: Number(count) }, (_, record) => {
    const named: Record<string, string | number> = {}
    FIELDS.forEach(({ name, isNumber }, index) => {
      const text = fields[record * width + index] ?? ''
      named[name] = isNumber ? Number(text) : text
    })
    return named
  })
}

function splitTaken(frame: string): readonly Record<string, string | number>[] {
  const [, , count = '0', payload = ''] = frame.split('|')
  const fields = payload.split('^')
  const width = fields.length / Number(count)
  const ticks: Record<string, string | number>[] = []
  for (let at = 0; at < fields.length; at += width) {
    ticks.push({
      MKSC_SHRN_ISCD: fields[at] ?? '',
      STCK_CNTG_HOUR: fields[at + 1] ?? '',
      STCK_PRPR: Number(fields[at + 2]),
      ASKP1: Number(fields[at + 10]),
      BIDP1: Number(fields[at + 11]),
      CNTG_VOL: Number(fields[at + 12]),
      ACML_VOL: Number(fields[at + 13]),
      CCLD_DVSN: fields[at + 21] ?? '',
      BSOP_DATE: fields[at + 33] ?? '',
    })
  }
  return ticks
}

function countSeparators(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === 0x5e) count += 1
  return count
}

/** H3: price, quantity, volume, quotes, side and time of every record, read in three ways. */
function checkSame(): void {
  for (const [index, frame] of frames.entries()) {
    const { trades } = decoder.decode(frame, RECEIVED)
    const expected = trades.map(fieldsOf)
    for (const other of [splitAll(frame), splitTaken(frame)]) {
      const found = other.map((record) =>
        Object.fromEntries(Object.keys(expected[0] ?? {}).map((name) => [name, record[name]])),
      )
      if (JSON.stringify(found) !== JSON.stringify(expected))
        throw new Error(`frame ${index} is read in two ways`)
    }
    const separators = countSeparators(buffers[index] ?? Buffer.alloc(0))
    if (trades.length !== RECORDS || separators !== RECORDS * FIELDS.length - 1) {
      throw new Error(`frame ${index} has ${trades.length} records and ${separators} separators`)
    }
  }
}

const fieldsOf = (tick: TradeTick): Record<string, string | number> => ({
  MKSC_SHRN_ISCD: tick.instrumentId.slice(0, 6),
  STCK_CNTG_HOUR: new Date(tick.eventTime + 9 * 3_600_000).toISOString().slice(11, 19).replaceAll(':', ''),
  STCK_PRPR: Number(tick.price) / 10_000,
  ASKP1: Number(tick.askPrice) / 10_000,
  BIDP1: Number(tick.bidPrice) / 10_000,
  CNTG_VOL: Number(tick.quantity),
  ACML_VOL: Number(tick.sessionVolume),
  CCLD_DVSN: tick.aggressor === 'buy' ? '1' : tick.aggressor === 'sell' ? '5' : '3',
})

async function run(): Promise<RaceResult> {
  checkSame()
  const frameAt = (index: number): string => frames[index % FRAMES] ?? ''
  const work: Readonly<Record<string, (index: number) => number>> = {
    [SPLIT]: (index) => splitAll(frameAt(index)).length,
    [TAKEN]: (index) => splitTaken(frameAt(index)).length,
    [OURS]: (index) => decoder.decode(frameAt(index), RECEIVED).trades.length,
    [LIMIT]: (index) => countSeparators(buffers[index % FRAMES] ?? Buffer.alloc(0)),
  }
  const contestants = Object.entries(work).map(([name, each]) => ({
    name,
    measure: () => {
      const { nanoseconds } = nanosecondsEach(TIMES, each)
      const nsPerRecord = nanoseconds / RECORDS
      return { nsPerRecord, thousandRecordsPerSecond: 1e6 / nsPerRecord }
    },
  }))
  const standings = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
  const ratio = (of: string, to: string): number =>
    figureOf(standings, of, 'nsPerRecord') / figureOf(standings, to, 'nsPerRecord')
  return {
    title: `frames of ${RECORDS} records × ${FIELDS.length} fields, ${frames[0]?.length} bytes, ${ROUNDS} rounds`,
    standings,
    targets: [
      { what: 'time, split + object ÷ ours', value: ratio(SPLIT, OURS), atLeast: 8 },
      { what: 'time, ours ÷ byte-loop limit', value: ratio(OURS, LIMIT), atMost: 1.5 },
    ],
    notes: [
      'ours checks digits, lengths, ranges, dates and counts, and makes exact bigint prices; the peers check nothing',
    ],
  }
}

report(import.meta.filename, await run())
