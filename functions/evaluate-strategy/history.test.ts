import { describe, expect, test } from 'vitest'
import type { Bar } from '#shared/domain/market-data.ts'
import { addMs } from '#shared/domain/time.ts'
import { quantity } from '#shared/domain/values.ts'
import { SAMSUNG, barOf, kst } from './bench.fixture.ts'
import { fiveMinuteBars, historyFrom, mergeBars } from './history.ts'

const nine = kst('2025-09-02', '09:00:00')
const minute = (index: number, close: string): Bar => barOf(SAMSUNG, '1m', addMs(nine, index * 60_000), close)
const day = (date: string, time: string, close: string): Bar => barOf(SAMSUNG, '1d', kst(date, time), close)

/** A history over a store and a broker that hold these bars, and what the broker was asked. */
function over(stored: readonly Bar[], brokers: readonly Bar[]) {
  const asked: unknown[] = []
  const history = historyFrom({
    tickStore: { bars: async () => stored },
    gateway: {
      dailyBars: async (_id, from, to) => {
        asked.push([from, to])
        return brokers
      },
      minuteBars: async (_id, before, limit) => {
        asked.push([before, limit])
        return brokers
      },
    },
    signal: new AbortController().signal,
  })
  return { history, asked }
}

describe('history', () => {
  test('comes from our store alone when it reaches back far enough', async () => {
    const { history, asked } = over([minute(0, '1'), minute(1, '2')], [])
    expect(await history(SAMSUNG, '1m', addMs(nine, 120_000), 2)).toHaveLength(2)
    expect(asked).toEqual([])
  })

  test('is filled up from the broker, and our own bar stands where both have one', async () => {
    const { history } = over([minute(2, '30')], [minute(0, '1'), minute(1, '2'), minute(2, '3')])
    const bars = await history(SAMSUNG, '1m', addMs(nine, 180_000), 3)
    expect(bars.map((bar) => bar.close / 10_000n)).toEqual([1n, 2n, 30n])
  })

  test('without a broker is what our store has', async () => {
    const signal = new AbortController().signal
    const history = historyFrom({ tickStore: { bars: async () => [minute(0, '1')] }, signal })
    expect(await history(SAMSUNG, '1m', addMs(nine, 180_000), 3)).toHaveLength(1)
  })

  test('of days does not ask for today, whose bar is still in the making', async () => {
    const { history, asked } = over([], [])
    await history(SAMSUNG, '1d', nine, 20)
    expect(asked).toEqual([['2025-07-21', '2025-09-01']])
  })

  test('of five minutes is made of minutes and ends with a span that is over', async () => {
    const { history, asked } = over(
      [],
      Array.from({ length: 7 }, (_, index) => minute(index, `${index + 1}`)),
    )
    const bars = await history(SAMSUNG, '5m', addMs(nine, 7 * 60_000), 4)
    expect(asked).toEqual([[addMs(nine, 7 * 60_000), 20]])
    expect(bars).toHaveLength(1)
    expect(bars[0]).toMatchObject({ interval: '5m', openTime: nine, close: 50_000n, volume: quantity('50') })
  })
})

test('two days that differ in their hours only are one', () => {
  const merged = mergeBars([day('2025-09-01', '09:00:00', '5')], [day('2025-09-01', '00:00:00', '6')], 10)
  expect(merged.map((bar) => bar.close)).toEqual([50_000n])
})

test('five-minute spans are aligned to the clock and leave out what did not trade', () => {
  const bars = fiveMinuteBars([minute(3, '5'), minute(4, '9'), minute(11, '7')])
  expect(bars.map((bar) => (bar.openTime - nine) / 60_000)).toEqual([0, 10])
  expect(bars[0]).toMatchObject({ open: 50_000n, high: 90_000n, low: 50_000n, close: 90_000n, trades: 2 })
})
