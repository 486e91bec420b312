import { describe, expect, test } from 'vitest'
import { instrumentId } from '#shared/domain/instrument.ts'
import type { Bar } from '#shared/domain/market-data.ts'
import { type Instant, addMs, parseInstant } from '#shared/domain/time.ts'
import { money, price, quantity } from '#shared/domain/values.ts'
import type { StoredTick, TickStore } from './tick-store.ts'

const SAMSUNG = instrumentId('005930.KRX')
const HYNIX = instrumentId('000660.KRX')
const OPEN = parseInstant('2025-08-28T00:00:00Z')
const END = parseInstant('2030-01-01T00:00:00Z')

/** `index` seconds after the open; 100 more shares each. */
export const tickAt = (index: number, changes: Partial<StoredTick> = {}): StoredTick => ({
  instrumentId: SAMSUNG,
  eventTime: addMs(OPEN, index * 1000),
  receivedTime: addMs(OPEN, index * 1000 + 17),
  price: price('71000'),
  quantity: quantity('100'),
  aggressor: 'buy',
  sessionVolume: quantity(String((index + 1) * 100)),
  bidPrice: price('70900'),
  askPrice: price('71000'),
  tickId: `tick-${index}`,
  ...changes,
})

export const barAt = (minute: number, changes: Partial<Bar> = {}): Bar => ({
  instrumentId: SAMSUNG,
  interval: '1m',
  openTime: addMs(OPEN, minute * 60_000),
  closeTime: addMs(OPEN, (minute + 1) * 60_000),
  open: price('71000'),
  high: price('71300.25'),
  low: price('70900.0001'),
  close: price('71200'),
  volume: quantity('123456'),
  notional: money('8790123456.7801'),
  trades: 321,
  ...changes,
})

type Open = () => Promise<TickStore>

/** What every TickStore must do. `open` gives an empty store. */
export const tickStoreContract = (adapter: string, open: Open): void => {
  describe(`${adapter} as TickStore`, () => {
    tickRules(open)
    barRules(open)
  })
}

const all = (store: TickStore): Promise<readonly StoredTick[]> => store.ticks(SAMSUNG, OPEN, END, 100_000)

const tickRules = (open: Open): void => {
  test('a tick comes back exactly: no digit of a decimal or a count is rounded, no letter is lost', async () => {
    const store = await open()
    const odd = [
      tickAt(0, { price: price('99999999999999.9999'), tickId: '삼성전자/🚀/"\\\n\t' }),
      tickAt(1, { price: price('0.0001'), bidPrice: price('0'), askPrice: price('0'), aggressor: 'none' }),
      tickAt(2, { quantity: quantity('9007199254740993'), sessionVolume: quantity('18446744073709551615') }),
      tickAt(3, { eventTime: addMs(OPEN, 3999), aggressor: 'sell' }),
    ]
    await store.appendTicks(odd)
    await store.flush()
    expect(await all(store)).toEqual(odd)
    await store.close()
  })

  test('the same tick stored twice is one row, in one append or in two', async () => {
    const store = await open()
    await store.appendTicks([tickAt(0), tickAt(0), tickAt(1)])
    await store.flush()
    await store.appendTicks([tickAt(1), tickAt(2)])
    await store.flush()
    expect(await all(store)).toEqual([tickAt(0), tickAt(1), tickAt(2)])
    await store.close()
  })

  test('ticks of one second come in the order in which they traded', async () => {
    const store = await open()
    const ids = ['z', 'a', 'm']
    const second = ids.map((tickId, index) =>
      tickAt(0, { tickId, sessionVolume: quantity(String(100 + index)) }),
    )
    await store.appendTicks(second.toReversed())
    await store.flush()
    expect(await all(store)).toEqual(second)
    await store.close()
  })

  test('a query takes its start and leaves its end, its other instruments and what is over its limit', async () => {
    const store = await open()
    const ticks = Array.from({ length: 10 }, (_, index) => tickAt(index))
    await store.appendTicks([...ticks, tickAt(4, { instrumentId: HYNIX })])
    await store.flush()
    const at = (index: number): Instant => addMs(OPEN, index * 1000)
    expect(await store.ticks(SAMSUNG, at(2), at(6), 100)).toEqual(ticks.slice(2, 6))
    expect(await store.ticks(SAMSUNG, at(2), at(6), 3)).toEqual(ticks.slice(2, 5))
    expect(await store.ticks(HYNIX, at(0), at(9), 100)).toEqual([tickAt(4, { instrumentId: HYNIX })])
    expect(await store.ticks(SAMSUNG, at(100), at(200), 100)).toEqual([])
    await store.close()
  })

  test('many appends at once all arrive; a flush with nothing to write is no fault', async () => {
    const store = await open()
    await store.flush()
    const parts = Array.from({ length: 40 }, (_, part) =>
      Array.from({ length: 50 }, (_unused, index) => tickAt(part * 50 + index)),
    )
    await Promise.all(parts.map((ticks) => store.appendTicks(ticks)))
    await store.flush()
    expect(await all(store)).toEqual(parts.flat())
    await store.close()
  })
}

const barRules = (open: Open): void => {
  test('bars come back exactly: the newest that had closed by then, oldest first', async () => {
    const store = await open()
    const bars = Array.from({ length: 6 }, (_, minute) => barAt(minute))
    await store.appendBars(bars)
    await store.appendBars([barAt(0, { interval: '5m' }), barAt(1, { instrumentId: HYNIX })])
    await store.flush()
    const closeOf = (minute: number): Instant => addMs(OPEN, (minute + 1) * 60_000)
    expect(await store.bars(SAMSUNG, '1m', END, 100)).toEqual(bars)
    expect(await store.bars(SAMSUNG, '1m', closeOf(3), 2)).toEqual(bars.slice(2, 4))
    expect(await store.bars(SAMSUNG, '1m', addMs(closeOf(3), -1), 2)).toEqual(bars.slice(1, 3))
    expect(await store.bars(SAMSUNG, '1d', END, 100)).toEqual([])
    await store.close()
  })

  test('a bar that is collected again replaces the one before', async () => {
    const store = await open()
    await store.appendBars([barAt(0, { trades: 1 })])
    await store.flush()
    await store.appendBars([barAt(0, { trades: 2, close: price('71300.25') })])
    await store.flush()
    expect(await store.bars(SAMSUNG, '1m', END, 10)).toEqual([
      barAt(0, { trades: 2, close: price('71300.25') }),
    ])
    await store.close()
  })

  test('decades of daily bars go in at once', async () => {
    const store = await open()
    const years = Array.from({ length: 40 }, (_, index): Bar => {
      const openTime = parseInstant(`${1985 + index}-03-04T00:00:00Z`)
      return barAt(0, { interval: '1d', openTime, closeTime: addMs(openTime, 23_400_000) })
    })
    await store.appendBars(years)
    await store.flush()
    expect(await store.bars(SAMSUNG, '1d', END, 100)).toEqual(years)
    await store.close()
  })
}
