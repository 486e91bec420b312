import { describe, expect, test } from 'vitest'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Bar } from '#shared/domain/market-data.ts'
import { addMs } from '#shared/domain/time.ts'
import { price } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { HYNIX, SAMSUNG, at, bench, frame, phase, samsung } from './bench.fixture.ts'

const typesOf = (events: readonly Event[]): string[] =>
  events.map((event) => event.type.split('.').slice(1, 3).join('.'))

describe('a frame', () => {
  test('becomes ticks, stored ticks and a hot price', async () => {
    const { send, ticks, hotState } = bench()
    const events = await send(
      frame('trade 005930.KRX 09:00:00 70000 5 5\ntrade 005930.KRX 09:00:01 70100 1 6'),
    )
    expect(typesOf(events)).toEqual(['tick.traded', 'tick.traded'])
    expect([...ticks.keys()]).toEqual(events.map((event) => event.id))
    expect(await hotState.lastPrices([SAMSUNG])).toEqual([
      { instrumentId: SAMSUNG, price: price('70100'), eventTime: at('09:00:01') },
    ])
  })

  test('that cannot be read is set aside, not delivered again', async () => {
    const { host } = bench()
    expect(await host.handle(frame('rubbish'))).toMatchObject({ outcome: 'poison' })
  })

  test('of a broker that we have no decoder for is set aside', async () => {
    const { host } = bench()
    const event = frame('trade 005930.KRX 09:00:00 70000 5 5')
    const other = { ...event, data: { ...(event.data as object), broker: 'other' } }
    expect(await host.handle(other)).toMatchObject({
      outcome: 'poison',
      reason: expect.stringContaining('other'),
    })
  })

  test('with quotes speaks only when a best price moved', async () => {
    const { send } = bench()
    expect(typesOf(await send(frame('quote 005930.KRX 09:00:00 69900 70000')))).toEqual(['quote.changed'])
    expect(typesOf(await send(frame('quote 005930.KRX 09:00:01 69900 70000')))).toEqual([])
    expect(typesOf(await send(frame('quote 005930.KRX 09:00:02 69900 70100')))).toEqual(['quote.changed'])
  })

  test('that closes a minute emits and stores the bar', async () => {
    const { send, bars } = bench()
    await send(frame('trade 005930.KRX 09:00:00 70000 5 5'))
    const events = await send(frame('trade 005930.KRX 09:01:00 70100 1 6'))
    expect(typesOf(events)).toEqual(['tick.traded', 'bar.closed'])
    expect(events[1]?.data).toMatchObject({ interval: '1m', open: '70000', volume: '5', notional: '350000' })
    expect(bars).toHaveLength(1)
  })

  test('delivered twice gives the same events and counts once', async () => {
    const { send, ticks } = bench()
    await send(frame('trade 005930.KRX 09:00:00 70000 5 5'))
    const event = frame('trade 005930.KRX 09:01:00 70100 1 6')
    const first = await send(event)
    const second = await send(event)
    expect(second).toEqual(first)
    expect(ticks.size).toBe(2)
    const [bar] = (await send(frame('trade 005930.KRX 09:02:00 70100 1 7'))).slice(1)
    expect(bar?.data).toMatchObject({ volume: '1' })
  })

  test('with trades of two instruments keeps their bars apart', async () => {
    const { send } = bench()
    await send(frame('trade 005930.KRX 09:00:00 70000 5 5\ntrade 000660.KRX 09:00:00 200000 2 2'))
    const events = await send(frame('trade 000660.KRX 09:01:00 200500 1 3', '16:00:00', HYNIX))
    expect(events[1]?.data).toMatchObject({ instrumentId: HYNIX, volume: '2' })
  })

  test('after a gap: the bars that miss trades are not emitted', async () => {
    const { send, counts } = bench()
    await send(frame('trade 005930.KRX 09:00:00 70000 5 5'))
    expect(typesOf(await send(frame('trade 005930.KRX 09:01:00 70100 1 60')))).toEqual(['tick.traded'])
    expect(typesOf(await send(frame('trade 005930.KRX 09:02:00 70100 1 61')))).toEqual(['tick.traded'])
    expect(typesOf(await send(frame('trade 005930.KRX 09:03:00 70100 1 62')))).toEqual([
      'tick.traded',
      'bar.closed',
    ])
    expect(counts).toEqual(['gap', 'incompleteBar', 'incompleteBar'])
  })
})

describe('a session phase', () => {
  test('closes minutes at the end of continuous trading and the day at the close', async () => {
    const { send } = bench()
    await send(frame('trade 005930.KRX 15:19:59 70000 5 5'))
    const minutes = await send(phase('closingAuction', '15:20:00'))
    expect(minutes.map((event) => (event.data as Bar).interval)).toEqual(['1m', '5m'])
    await send(frame('trade 005930.KRX 15:30:00 71000 10 15'))
    const day = await send(phase('closed', '15:30:00'))
    expect(day.at(-1)?.data).toMatchObject({ interval: '1d', close: '71000', volume: '15' })
  })

  test('leaves the bars of other venues alone', async () => {
    const { send } = bench()
    await send(frame('trade 005930.KRX 15:19:59 70000 5 5'))
    expect(await send(phase('closed', '15:30:00', 'NXT'))).toEqual([])
  })

  test('waits for the closing print before it closes the day', async () => {
    const { send, clock } = bench({ phaseGraceMs: 5_000 })
    clock.advanceTo(at('15:30:00'))
    await send(frame('trade 005930.KRX 09:00:00 70000 5 5'))
    const closing = send(phase('closed', '15:30:00'))
    await send(frame('trade 005930.KRX 15:30:00 71000 10 15'))
    clock.advanceTo(addMs(at('15:30:00'), 5_000))
    expect((await closing).at(-1)?.data).toMatchObject({ interval: '1d', close: '71000', volume: '15' })
  })
})

describe('another process', () => {
  const morning = 'trade 005930.KRX 09:00:00 70000 5 5\ntrade 005930.KRX 09:00:30 70500 5 10'

  test('goes on with the bars of one that ended', async () => {
    const first = bench()
    await first.send(frame(morning))
    await first.handler.drain()
    const second = bench({ hotState: first.hotState })
    const events = await second.send(frame('trade 005930.KRX 09:01:00 70100 1 11'))
    expect(events[1]?.data).toMatchObject({ open: '70000', high: '70500', volume: '10' })
  })

  test('knows a frame that the first had handled', async () => {
    const first = bench()
    await first.send(frame(morning))
    await first.handler.drain()
    const second = bench({ hotState: first.hotState })
    expect(await second.send(frame(morning))).toEqual([])
    expect(second.counts).toEqual(['repeated', 'repeated'])
  })

  test('after a crash makes the same events of the frame that was in hand', async () => {
    const first = bench()
    await first.send(frame(morning))
    const inHand = frame('trade 005930.KRX 09:01:00 70100 1 11')
    const lost = await first.send(inHand) // its copy holds what came before, not this
    const second = bench({ hotState: first.hotState })
    const again = await second.send(inHand)
    expect(again.map((event) => event.id)).toEqual(lost.map((event) => event.id))
    expect(again.map((event) => event.data)).toEqual(lost.map((event) => event.data))
  })

  test('after a FLUSHALL emits no bar that it saw only a part of', async () => {
    const first = bench()
    await first.send(frame(morning))
    await first.handler.drain()
    const second = bench()
    await second.send(frame('trade 005930.KRX 09:00:40 70100 1 11'))
    const events = await second.send(frame('trade 005930.KRX 09:01:00 70100 1 12'))
    expect(typesOf(events)).toEqual(['tick.traded'])
    expect(second.counts).toContain('incompleteBar')
  })

  test('finds the bars of instruments that did not trade since, when the session closes', async () => {
    const first = bench()
    await first.send(frame(morning))
    await first.handler.drain()
    const second = bench({ hotState: first.hotState, instruments: [samsung] })
    const bars = await second.send(phase('closed', '15:30:00'))
    expect(bars.at(-1)?.data).toMatchObject({ interval: '1d', volume: '10' })
  })
})

test('market data goes on while the hot state is down, and the failure is counted', async () => {
  const down = async (): Promise<never> => {
    throw new RetryableError('hot state is down')
  }
  const hotState = {
    ...memoryHotState({ stopwatch: systemStopwatch }),
    get: down,
    set: down,
    putLastPrices: down,
  }
  const { send, counts } = bench({ hotState })
  expect(typesOf(await send(frame('trade 005930.KRX 09:00:00 70000 5 5')))).toEqual(['tick.traded'])
  expect(typesOf(await send(frame('trade 005930.KRX 09:01:00 70000 5 10')))).toEqual([
    'tick.traded',
    'bar.closed',
  ])
  expect(counts).toContain('hotStateFailure')
})
