import { existsSync } from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { KRX_CALENDAR_RANGE, previousSessionDate } from '#shared/domain/krx-calendar.ts'
import { isOnTick, priceLimitsOf } from '#shared/domain/krx-rules.ts'
import { type SessionDate, sessionDate } from '#shared/domain/time.ts'
import { type Price, price } from '#shared/domain/values.ts'
import type { MarketEvent, SessionOpened } from '#shared/simulation/market-event.ts'
import { recordedMarket } from './recorded.ts'
import { seededMarket } from './seeded.ts'
import { type MarketSource, RecordingError } from './source.ts'

const DATA = join(process.cwd(), '../shared/data')

function daysOf(source: MarketSource, most = Number.POSITIVE_INFINITY): MarketEvent[][] {
  const days: MarketEvent[][] = []
  const closes = new Map<InstrumentId, Price>()
  for (
    let date: SessionDate | undefined = source.firstDate;
    date !== undefined && days.length < most;
    date = source.after(date)
  ) {
    const events = [...source.session(date, closes)]
    for (const event of events)
      if ('price' in event && event.quantity > 0n) closes.set(event.instrumentId, event.price)
    days.push(events)
  }
  return days
}

const openingOf = (events: readonly MarketEvent[]): SessionOpened => {
  const [first] = events
  if (first?.kind !== 'sessionOpened') throw new Error('a session does not begin with its opening')
  return first
}

const hashOf = (events: readonly MarketEvent[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify(events, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    )
    .digest('hex')

/** What every session must do, wherever it comes from. */
function expectSound(events: readonly MarketEvent[]): void {
  const listed = new Set(openingOf(events).instruments.map((instrument) => instrument.id))
  const phases = events.flatMap((event) => (event.kind === 'phaseChanged' ? [event.phase] : []))
  expect(['continuous,closingAuction,closed', 'continuous,closed']).toContain(phases.join())
  expect(events.at(-1)).toMatchObject({ kind: 'phaseChanged', phase: 'closed' })
  let faults = 0
  for (const [index, event] of events.entries()) {
    const before = events[index - 1]
    if (before !== undefined && event.at < before.at) faults += 1
    if ('instrumentId' in event && !listed.has(event.instrumentId)) faults += 1
    if (event.kind === 'printed' && (event.price <= 0n || event.quantity <= 0n)) faults += 1
    const [ask, bid] = 'depth' in event ? [event.depth?.asks[0], event.depth?.bids[0]] : []
    if (ask !== undefined && bid !== undefined && ask.price <= bid.price) faults += 1
  }
  expect(faults).toBe(0)
}

describe('the seeded market', () => {
  test('is the same for the same seed, and another for another', () => {
    const [first, second, other] = [7, 7, 8].map((seed) =>
      daysOf(seededMarket({ seed, eventsPerSecond: 0.1 }), 2).flat(),
    )
    expect(hashOf(second ?? [])).toBe(hashOf(first ?? []))
    expect(hashOf(other ?? [])).not.toBe(hashOf(first ?? []))
  })

  test('trades twenty instruments, two thirds of them and more all day, on the grid and within the limits', () => {
    for (const events of daysOf(seededMarket({ seed: 3, eventsPerSecond: 2 }), 3)) {
      expectSound(events)
      const { date, instruments } = openingOf(events)
      expect(instruments).toHaveLength(20)
      const byId = new Map(instruments.map((instrument) => [instrument.id, instrument]))
      let faults = 0
      for (const event of events) {
        if (event.kind !== 'printed' && event.kind !== 'uncrossed') continue
        const instrument = byId.get(event.instrumentId)
        if (instrument === undefined) continue
        const { kind, market, basePrice } = instrument
        const { lower, upper } = priceLimitsOf(instrument, basePrice, date)
        if (!isOnTick(kind, event.price, date, market) || event.price < lower || event.price > upper)
          faults += 1
      }
      expect(faults).toBe(0)
    }
  })

  test('shows ten levels a side, opens and closes in an auction, and is busiest at both ends', () => {
    const [events = []] = daysOf(seededMarket({ seed: 5, eventsPerSecond: 4 }), 1)
    const prints = events.filter((event) => event.kind === 'printed')
    expect(prints.every((event) => event.depth?.asks.length === 10 && event.depth.bids.length === 10)).toBe(
      true,
    )
    expect(events.filter((event) => event.kind === 'uncrossed')).toHaveLength(40)
    const first = prints[0]?.at ?? 0
    const inHour = (from: number, to: number): number =>
      prints.filter((event) => event.at - first >= from * 3_600_000 && event.at - first < to * 3_600_000)
        .length
    expect(inHour(0, 1)).toBeGreaterThan(1.5 * inHour(2.5, 3.5))
  })

  test("continues on the next session day with yesterday's close as base price", () => {
    const [first = [], second = []] = daysOf(
      seededMarket({ seed: 5, eventsPerSecond: 1, startDate: sessionDate('2026-02-13') }),
      2,
    )
    expect(openingOf(first).date).toBe('2026-02-13')
    expect(openingOf(second).date).toBe('2026-02-19') // the new year's holiday lies between
    const closes = new Map(
      first.flatMap((event) =>
        event.kind === 'uncrossed' ? [[event.instrumentId, event.price] as const] : [],
      ),
    )
    for (const { id, basePrice } of openingOf(second).instruments) expect(basePrice).toBe(closes.get(id))
  })

  test('ends with the calendar and does not guess beyond it', () => {
    const { last } = KRX_CALENDAR_RANGE
    expect(seededMarket({ seed: 1 }).after(previousSessionDate(last))).toBeUndefined()
  })
})

const isPresent = existsSync(DATA)

test.each(isPresent ? [] : ['recorded data not present: recordings were not played'])('%s', (message) => {
  console.warn(`${message} (${DATA})`)
  expect(isPresent).toBe(false)
})

describe.each(isPresent ? ['recorded markets'] : [])('%s', () => {
  test.each([
    // recording                                            sessions  prints of volume
    ['intraday/ticks_2025-09-02', 1],
    ['intraday/ticks_2025-08-28_burst', 1],
    ['intraday/bars_1m_2025-09-02', 1],
    ['intraday/bars_5m_2025-10-16_2025-10-22', 5],
    ['intraday/bars_5m_396500_2025-12-05_2026-01-30.csv.gz', 38],
    ['daily/stocks_2023-12-05_2025-06-16', 309],
    ['daily/etf_2025-01-02_2026-04-24', 259],
    ['daily/older_2022-01-03_2023-12-22', 428],
    ['ticks_us/bac_2013-10-10_trades.csv.gz', 1],
  ] as const)('%s plays %i sound sessions', (path, sessions) => {
    const days = daysOf(recordedMarket(join(DATA, path)))
    expect(days).toHaveLength(sessions)
    for (const events of days) expectSound(events)
  })

  test('a day of daily bars opens, touches its extremes, closes and trades the volume that the file says', () => {
    const source = recordedMarket(join(DATA, 'daily/stocks_2023-12-05_2025-06-16'), sessionDate('2025-06-16'))
    const [events = []] = daysOf(source)
    const samsung = events
      .filter((event) => 'price' in event)
      .filter((event) => event.instrumentId === '005930.KRX')
    const prices = samsung.map((event) => event.price)
    expect(samsung[0]).toMatchObject({ kind: 'uncrossed', price: price('58000') })
    expect(samsung.at(-1)).toMatchObject({ kind: 'uncrossed', price: price('57200') })
    expect(prices.reduce((left, right) => (left > right ? left : right))).toBe(price('58100'))
    expect(prices.reduce((left, right) => (left < right ? left : right))).toBe(price('56900'))
    expect(samsung.reduce((sum, event) => sum + event.quantity, 0n)).toBe(22_200_872n)
    const base = openingOf(events).instruments.find((instrument) => instrument.id === '005930.KRX')?.basePrice
    expect(source.history('005930.KRX' as InstrumentId).at(-1)?.close).toBe(base)
  })

  test('the prints of a tick file add up to its last cumulative volume', () => {
    const [events = []] = daysOf(recordedMarket(join(DATA, 'intraday/bars_1m_2025-09-02')))
    const [ticks = []] = daysOf(recordedMarket(join(DATA, 'intraday/ticks_2025-09-02')))
    const volume = (of: readonly MarketEvent[]): bigint =>
      of.reduce((sum, event) => sum + ('quantity' in event ? event.quantity : 0n), 0n)
    expect(volume(ticks)).toBe(volume(events))
  })
})

describe('a recording that cannot be played', () => {
  test.each([
    [
      'prices that are none',
      '005930.csv',
      'date,open,high,low,close,volume\n2025-01-02,1,2,1,1,5\n2025-01-03,1,x,1,1,5\n',
      /005930\.csv:3 high/,
    ],
    [
      'columns that nobody knows',
      '005930.csv',
      'a,b\n1,2\n',
      /neither ticks, bars nor daily bars; it begins with "a,b"/,
    ],
    [
      'a line that was cut off',
      '005930.csv',
      'date,open,high,low,close,volume\n2025-01-02,1,2,1,1,5\n2025-01',
      /005930\.csv:3 date: not a date: "2025-01"/,
    ],
    ['half a gzip file', '005930.csv.gz', 'no gzip at all', /005930\.csv\.gz: is not a whole gzip file/],
    [
      'a single session of daily bars',
      '005930.csv',
      'date,open,high,low,close,volume\n2025-01-02,1,2,1,1,5\n',
      /fewer than two sessions/,
    ],
  ])('with %s is refused with file and line', (_name, file, text, message) => {
    const directory = mkdtempSync(join(tmpdir(), 'jts-recording-'))
    try {
      writeFileSync(join(directory, file), text)
      expect(() => recordedMarket(directory)).toThrow(message)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('because it is not there is refused', () => {
    expect(() => recordedMarket('/no/such/place')).toThrow(RecordingError)
  })
})
