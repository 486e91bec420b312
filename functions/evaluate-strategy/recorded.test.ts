// The demonstration's strategies over recorded bars, every order filled at once: how often they trade is asserted. The
// numbers were counted by a separate program that works crossings out from the definitions.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type InstrumentId, instrumentId } from '#shared/domain/instrument.ts'
import type { Bar, BarInterval } from '#shared/domain/market-data.ts'
import { addMs, kstInstant, parseInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { ACCOUNT, barOf, bench, kst, ordersOf } from './bench.fixture.ts'
import { demoStrategies } from './strategies/demo.ts'

const DATA = '../shared/data'

function barsFrom(path: string, id: InstrumentId, interval: BarInterval): Bar[] {
  const rows = readFileSync(`${DATA}/${path}`, 'utf8').trim().split('\n').slice(1)
  return rows.map((row) => {
    const [time = '', , , , close = ''] = row.split(',')
    const opened = interval === '1d' ? kstInstant(sessionDate(time), timeOfDay('09:00')) : parseInstant(time)
    return barOf(id, interval, opened, close)
  })
}

/** Runs one strategy over bars; the sides of its orders, in order. After a daily bar comes a tick of the next. */
async function run(strategyId: string, bars: readonly Bar[]): Promise<readonly string[]> {
  const documents = demoStrategies(ACCOUNT).filter(({ id }) => id === strategyId)
  const start = bars[0]?.openTime ?? kst('2023-01-02', '09:00:00')
  const { send, bar, tick, fill, world } = bench({ documents, start, settings: { warmUpWaitMs: 20 } })
  const fillAll = async (events: Awaited<ReturnType<typeof send>>): Promise<void> => {
    for (const order of ordersOf(events)) await fill(order.data)
  }
  for (const each of bars) {
    const last = `${each.open / 10_000n}`
    if (each.interval === '1d')
      await fillAll(await send(tick(each.instrumentId, addMs(each.openTime, 1_000), last)))
    await fillAll(await send(bar(each)))
  }
  return world.requested.map(({ side }) => side)
}

const alternates = (sides: readonly string[]): boolean =>
  sides.every((side, index) => side === (index % 2 === 0 ? 'buy' : 'sell'))

function registerRecorded(): void {
  describe('orders on 2 September 2025, one-minute bars', () => {
    test.each([
      ['ma-cross-1m', '208640', 11],
      ['ma-cross-1m', '133820', 10],
      ['ma-cross-1m', '322780', 7],
      ['rsi-reversion-1m', '208640', 4],
      ['rsi-reversion-1m', '133820', 4],
      ['rsi-reversion-1m', '322780', 2],
    ])('%s in %s: %i', async (strategyId, symbol, expected) => {
      const path = `intraday/bars_1m_2025-09-02/${symbol}.csv`
      const sides = await run(strategyId, barsFrom(path, instrumentId(`${symbol}.KRX`), '1m'))
      expect(sides).toHaveLength(expected)
      expect(alternates(sides)).toBe(true)
    })
  })

  describe('orders from December 2023 to June 2025, daily bars', () => {
    test.each([
      ['ma-cross-1d', '005930', 25],
      ['ma-cross-1d', '035720', 19],
      ['rsi-reversion-1d', '005930', 18],
      ['rsi-reversion-1d', '035720', 16],
    ])('%s in %s: %i', async (strategyId, symbol, expected) => {
      const path = `daily/stocks_2023-12-05_2025-06-16/${symbol}.csv`
      const sides = await run(strategyId, barsFrom(path, instrumentId(`${symbol}.KRX`), '1d'))
      expect(sides).toHaveLength(expected)
      expect(alternates(sides)).toBe(true)
    })
  })
}

function registerAbsent(): void {
  test('recorded data not present: no trade counts to assert', () => {
    console.info('recorded data not present: ../shared/data')
    expect(existsSync(DATA)).toBe(false)
  })
}

const register = existsSync(DATA) ? registerRecorded : registerAbsent
register()
