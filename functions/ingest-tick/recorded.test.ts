// A recorded day, tick by tick, against the one-minute bars that were made of it by another program; and real frames.
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { parseInstant } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'
import { type FormingBar, endPhase, isComplete } from './bars.ts'
import { UNSEEN, decideTick } from './decide.ts'

const DATA = '../shared/data/intraday'
const rowsOf = (text: string): string[][] =>
  text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))

function barsOfTicks(symbol: string): FormingBar[] {
  const text = gunzipSync(readFileSync(`${DATA}/ticks_2025-09-02/${symbol}.csv.gz`)).toString()
  const closed: FormingBar[] = []
  let state = UNSEEN
  for (const [time = '', , kind, last = '', size = '', volume = ''] of rowsOf(text)) {
    if (kind !== 'trade') continue
    const eventTime = parseInstant(time)
    const tick = {
      instrumentId: instrumentId(`${symbol}.KRX`),
      eventTime,
      price: price(last),
      quantity: quantity(size),
      aggressor: 'none' as const,
      sessionVolume: quantity(volume),
      bidPrice: price('0'),
      askPrice: price('0'),
    }
    const decision = decideTick(state, tick, eventTime, undefined)
    expect(decision.isKept).toBe(true)
    state = decision.state
    closed.push(...decision.closed)
  }
  const end = endPhase(state.forming, 'closed', parseInstant('2025-09-02T15:30:00+09:00'))
  return [...closed, ...end.closed].filter(isComplete)
}

function registerRecorded(): void {
  registerFrames()
  test.each([
    ['208640', 380],
    ['133820', 365],
    ['322780', 266],
  ])('the ticks of %s make the %i one-minute bars of that day', (symbol, count) => {
    const bars = barsOfTicks(symbol)
    const recorded = rowsOf(readFileSync(`${DATA}/bars_1m_2025-09-02/${symbol}.csv`, 'utf8'))
    const made = bars
      .filter((bar) => bar.interval === '1m')
      .map((bar) => [
        bar.openTime,
        ...[bar.open, bar.high, bar.low, bar.close].map((each) => each / 10_000n),
        bar.volume,
        BigInt(bar.trades),
      ])
    expect(made).toHaveLength(count)
    expect(made).toEqual(
      recorded.map(([time = '', ...figures]) => [
        parseInstant(time),
        ...figures.map((figure) => BigInt(figure)),
      ]),
    )
    expect(bars.filter((bar) => bar.interval === '1d')).toHaveLength(1)
  })
}

function registerFrames(): void {
  test('every real trade frame of KIS becomes its ticks, without a gap inside a frame', () => {
    const decoder = kisFrameDecoder()
    const meta = rowsOf(readFileSync('../shared/data/kis/ws_frames_meta.csv', 'utf8'))
    const lines = readFileSync('../shared/data/kis/ws_frames.txt', 'utf8').trim().split('\n')
    let records = 0
    lines.forEach((line, index) => {
      const [, , channel, , , , businessDate = ''] = meta[index] ?? []
      if (channel !== 'H0STCNT0' || !line.startsWith('0|')) return
      const receivedTime = parseInstant(`${businessDate.slice(0, 10)}T20:00:00+09:00`)
      let state = UNSEEN
      const gaps: number[] = []
      decoder.decode(line, receivedTime).trades.forEach((tick, position) => {
        const decision = decideTick(state, tick, receivedTime, undefined)
        state = decision.state
        records += 1
        if (!decision.isKept || (position > 0 && decision.counts.includes('gap'))) gaps.push(position)
      })
      expect(gaps).toEqual([])
    })
    expect(records).toBe(26)
  })
}

function registerAbsent(): void {
  test('recorded data not present: nothing to compare bars with', () => {
    console.info('recorded data not present: ../shared/data/intraday')
    expect(existsSync(DATA)).toBe(false)
  })
}

const register = existsSync(DATA) ? registerRecorded : registerAbsent
register()
