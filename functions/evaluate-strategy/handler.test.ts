import { describe, expect, test } from 'vitest'
import { type Instant, addMs } from '#shared/domain/time.ts'
import type { Reservation } from '#shared/domain/account.ts'
import { price, quantity } from '#shared/domain/values.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import { ACCOUNT, SAMSUNG, barOf, bench, kst, ordersOf } from './bench.fixture.ts'
import { orderTagOf } from './decide.ts'
import type { StrategyDocument } from './roster.ts'

/** Long when the last close rises above the mean of two, flat when it falls below: one bar is one opinion. */
const quick = (
  over: Partial<StrategyDocument> = {},
  parameters: Record<string, unknown> = {},
): StrategyDocument => ({
  id: 'quick',
  kind: 'moving-average-cross',
  enabled: true,
  accountId: ACCOUNT,
  instrumentIds: 'all',
  parameters: { interval: '1m', orderNotional: '2000000', fastBars: 1, slowBars: 2, ...parameters },
  ...over,
})

const minute = (index: number): Instant => addMs(kst('2025-09-02', '09:00:00'), index * 60_000)
const at = (index: number, close: string) => barOf(SAMSUNG, '1m', minute(index), close)
const FALLING = [at(0, '70200'), at(1, '70100'), at(2, '70000')]

/** Three falling bars, then the strategy is warm and flat. */
async function warmBench(options: Partial<Parameters<typeof bench>[0]> = {}) {
  const world = bench({ documents: [quick()], ...options })
  for (const bar of FALLING) await world.send(world.bar(bar))
  return world
}

describe('an opinion', () => {
  test('becomes a signal with evidence and an order with its reason', async () => {
    const { send, bar, world } = await warmBench()
    const outputs = await send(bar(at(3, '70500')))
    expect(outputs).toHaveLength(2)
    expect(world.signals[0]).toMatchObject({
      strategyId: 'quick',
      parametersVersion: 1,
      direction: 'long',
      price: '70500',
      evidence: { fast: 70_500, slow: 70_250, order: 'buy 28' },
    })
    expect(world.requested[0]).toMatchObject({
      accountId: ACCOUNT,
      requestedBy: 'quick',
      side: 'buy',
      quantity: '28',
      limitPrice: '70700',
      reason: expect.stringContaining('fast=70500'),
    })
  })

  test('is ordered by the close, whichever of bar and next tick arrives first', async () => {
    const { send, bar, tick, world } = await warmBench()
    await send(tick(SAMSUNG, addMs(minute(4), 1_000), '71000'))
    await send(bar(at(3, '70500')))
    expect(world.requested[0]).toMatchObject({ limitPrice: '70700' })
  })

  test('makes the same order when its event comes again, also in another process', async () => {
    const first = await warmBench()
    const second = await warmBench()
    const event = first.bar(at(3, '70500'), 'bar-7')
    const outputs = await first.send(event)
    expect(await first.send(event)).toEqual(outputs)
    second.bar(at(3, '70500'))
    const again = await second.send(event)
    expect(ordersOf(again)[0]?.data.clientOrderId).toBe(ordersOf(outputs)[0]?.data.clientOrderId)
  })

  test('of an order that is on record already asks for nothing', async () => {
    const first = await warmBench()
    const [order] = ordersOf(await first.send(first.bar(at(3, '70500'), 'bar-7')))
    const second = await warmBench({ start: addMs(minute(4), -5_000) }) // just started: the bar may be one it acted on
    second.world.known.add(order?.data.clientOrderId ?? '')
    expect(ordersOf(await second.send(second.bar(at(3, '70500'), 'bar-7')))).toEqual([])
    expect(second.world.signals[0]?.evidence).toMatchObject({ order: 'none: orderKnown' })
  })

  test('on a repeated or older bar is not formed', async () => {
    const { send, bar } = await warmBench()
    await send(bar(at(3, '70500')))
    expect(await send(bar(at(3, '70400')))).toEqual([])
    expect(await send(bar(at(1, '99000')))).toEqual([])
  })

  test('from an event that was emitted long ago makes no order', async () => {
    const { send, bar, clock, world } = await warmBench()
    const event = bar(at(3, '70500'))
    clock.advanceTo(addMs(clock.now(), 10_001))
    expect(ordersOf(await send(event))).toEqual([])
    expect(world.signals[0]?.evidence).toMatchObject({ order: 'none: eventOld' })
  })

  test.each([
    ['the ledger cannot be read', { isReadable: false }, 'factsUnreadable'],
    ['the account is not open', { isOpen: false }, 'accountUnknown'],
  ])('while %s makes no order', async (_name, over, because) => {
    const { send, bar, world } = await warmBench()
    Object.assign(world, over)
    expect(ordersOf(await send(bar(at(3, '70500'))))).toEqual([])
    expect(world.signals[0]?.evidence).toMatchObject({ order: `none: ${because}` })
  })
})

describe('one order at a time', () => {
  /** Long at bar 3, flat at 4, long at 5. */
  const zigzag = ['70500', '70000', '70500', '70000'].map((close, index) => at(index + 3, close))

  test('an order in flight keeps the next one back', async () => {
    const { send, bar, world } = await warmBench({ settings: { orderInFlightMs: 3_600_000 } })
    for (const each of zigzag) await send(bar(each))
    expect(world.requested.map(({ side }) => side)).toEqual(['buy'])
  })

  test('a filled one frees its place, and what was bought is sold', async () => {
    const { send, bar, fill, world } = await warmBench({ settings: { orderInFlightMs: 3_600_000 } })
    for (const each of zigzag) for (const order of ordersOf(await send(bar(each)))) await fill(order.data)
    expect(world.requested.map(({ side, quantity: units }) => `${side} ${units}`)).toEqual([
      'buy 28',
      'sell 28',
      'buy 28',
      'sell 28',
    ])
  })

  test('a denied one frees its place', async () => {
    const { send, bar, eventOf, world } = await warmBench({ settings: { orderInFlightMs: 3_600_000 } })
    const [order] = ordersOf(await send(bar(at(3, '70500'))))
    const { accountId = '', clientOrderId = '' } = order?.data ?? {}
    await send(eventOf(OrderDenied, { accountId, clientOrderId, code: 'SESSION_CLOSED', detail: '' }))
    for (const each of zigzag.slice(1, 3)) await send(bar(each))
    expect(world.requested.map(({ side }) => side)).toEqual(['buy', 'buy'])
  })

  test('one without any answer is given up after its time, and not before', async () => {
    const { send, bar, world } = await warmBench({ settings: { orderInFlightMs: 120_000 } })
    for (const each of zigzag) await send(bar(each)) // 3: buy, 4: held back, 5: exactly after two minutes
    expect(world.requested).toHaveLength(2)
  })

  const working = (over: Partial<Reservation>): Reservation => ({
    clientOrderId: 'other',
    instrumentId: SAMSUNG,
    side: 'sell',
    orderType: 'limit',
    remainingQuantity: quantity('20'),
    reservedPrice: price('70000'),
    cash: price('0') as unknown as Reservation['cash'],
    decidedTime: minute(0),
    ...over,
  })

  test('one that works at the broker since before a restart keeps the next one back', async () => {
    const { send, bar, world } = await warmBench()
    world.reservations = [working({ clientOrderId: `${orderTagOf('quick', SAMSUNG)}0`, side: 'buy' })]
    expect(ordersOf(await send(bar(at(3, '70500'))))).toEqual([])
    expect(world.signals[0]?.evidence).toMatchObject({ order: 'none: orderInFlight' })
  })

  test('what another order is selling is not sold again', async () => {
    const { send, bar, world } = await warmBench()
    world.positions.set(SAMSUNG, { quantity: 28n, openNotional: 28n })
    await send(bar(at(3, '70500')))
    world.reservations = [working({})]
    const [order] = ordersOf(await send(bar(at(4, '70000'))))
    expect(order?.data).toMatchObject({ side: 'sell', quantity: '8' })
  })

  test('two strategies that leave on the same bar sell the position once', async () => {
    const { send, bar, world } = await warmBench({ documents: [quick(), quick({ id: 'quick-too' })] })
    world.positions.set(SAMSUNG, { quantity: 28n, openNotional: 28n })
    await send(bar(at(3, '70500')))
    await send(bar(at(4, '70000')))
    expect(world.requested.map(({ side, quantity: units }) => `${side} ${units}`)).toEqual(['sell 28'])
  })
})

describe('warm-up', () => {
  test('with enough history the first live bar can trade', async () => {
    const { send, bar, world } = bench({ documents: [quick()], history: async () => FALLING })
    await send(bar(at(3, '70500')))
    expect(world.requested).toHaveLength(1)
  })

  test('asks for what closed before the bar, and takes no bar twice', async () => {
    const asked: unknown[] = []
    const { send, bar, world } = bench({
      documents: [quick()],
      history: async (...args) => {
        asked.push(args)
        return [...FALLING, at(3, '70500')] // the store has the live bar already
      },
    })
    await send(bar(at(3, '70500')))
    expect(asked).toEqual([[SAMSUNG, '1m', minute(3), 8]])
    expect(world.requested).toHaveLength(1)
    expect(world.signals[0]?.evidence).toMatchObject({ slow: 70_250 })
  })

  test('no opinion of the past becomes an order', async () => {
    const { send, bar, world } = bench({
      documents: [quick()],
      history: async () => [...FALLING, at(3, '70500')],
    })
    await send(bar(at(4, '70600')))
    expect(world.requested).toEqual([])
  })

  test('a history that cannot be read leaves the strategy cold, with a fault, until live bars warm it', async () => {
    const { send, bar, world } = bench({
      documents: [quick()],
      history: async () => {
        throw new Error('no history today')
      },
    })
    for (const each of [...FALLING, at(3, '70500')]) await send(bar(each))
    expect(world.requested).toEqual([])
    expect(JSON.stringify(world.faults)).toContain('no history today')
  })

  test('a slow history delays nobody longer than the wait', async () => {
    const { send, bar } = bench({
      documents: [quick()],
      history: () => new Promise(() => undefined),
      settings: { warmUpWaitMs: 5 },
    })
    expect(await send(bar(at(3, '70500')))).toEqual([])
  })
})

describe('daily bars', () => {
  const day = (date: string, close: string) => barOf(SAMSUNG, '1d', kst(date, '09:00:00'), close)
  const daily = quick({ id: 'daily' }, { interval: '1d' })
  const past = [day('2025-08-27', '70200'), day('2025-08-28', '70100'), day('2025-08-29', '70000')]

  test('signal at the close and order in the next session, once', async () => {
    const { send, bar, tick, world } = bench({ documents: [daily], history: async () => past })
    expect(await send(bar(day('2025-09-01', '70500')))).toHaveLength(1)
    expect(world.signals[0]?.evidence).toMatchObject({ order: 'next session' })
    expect(await send(tick(SAMSUNG, kst('2025-09-02', '09:00:00'), '70600'))).toHaveLength(1)
    expect(await send(tick(SAMSUNG, kst('2025-09-02', '09:00:01'), '70600'))).toEqual([])
    expect(world.requested[0]).toMatchObject({ side: 'buy', limitPrice: '70800' })
    expect(world.signals).toHaveLength(1)
  })

  test('from history count too: the process need not run at the close', async () => {
    const live = bench({ documents: [daily], history: async () => past })
    await live.send(live.bar(day('2025-09-01', '70500')))
    await live.send(live.tick(SAMSUNG, kst('2025-09-02', '09:00:00'), '70600'))

    const { send, tick, world } = bench({
      documents: [daily],
      history: async () => [...past, day('2025-09-01', '70500')],
    })
    await send(tick(SAMSUNG, kst('2025-09-02', '09:00:00'), '70600')) // also begins the warm-up
    expect(world.requested.map((order) => order.clientOrderId)).toEqual(
      live.world.requested.map((order) => order.clientOrderId),
    )
  })

  test('after a session without a bar are warmed up anew, so that no mean spans the hole', async () => {
    const withHole = [...past.slice(1), day('2025-09-01', '69000'), day('2025-09-02', '69900')]
    let reads = 0
    const { send, bar, world } = bench({
      documents: [daily],
      history: async () => {
        reads += 1
        return reads === 1 ? past : withHole
      },
    })
    await send(bar(day('2025-09-01', '69000')))
    await send(bar(day('2025-09-03', '69800'))) // the bar of the 2nd was never emitted
    expect(reads).toBe(2)
    expect(world.signals.map(({ direction }) => direction)).toEqual(['flat'])
    expect(world.signals[0]?.evidence).toMatchObject({ fast: 69_800, slow: 69_850 })
  })

  test('are not acted on by a tick of a backlog, but by the next one of now', async () => {
    const { send, bar, tick, clock, world } = bench({ documents: [daily], history: async () => past })
    await send(bar(day('2025-09-01', '70500')))
    const old = tick(SAMSUNG, kst('2025-09-02', '09:00:00'), '70600')
    clock.advanceTo(kst('2025-09-02', '09:05:00'))
    expect(await send(old)).toEqual([])
    await send(tick(SAMSUNG, kst('2025-09-02', '09:05:00'), '70800'))
    expect(world.requested[0]).toMatchObject({ side: 'buy', limitPrice: '71000' })
  })

  test('of an earlier session than the last are past', async () => {
    const { send, bar, tick, world } = bench({ documents: [daily], history: async () => past })
    await send(bar(day('2025-09-01', '70500')))
    await send(tick(SAMSUNG, kst('2025-09-03', '09:00:00'), '70600'))
    expect(world.requested).toEqual([])
  })
})

describe('ticks', () => {
  const onTicks = quick({ id: 'on-ticks' }, { interval: 'tick' })
  const second = (index: number): Instant => addMs(kst('2025-09-02', '09:00:00'), index * 1_000)

  test('are evaluated no more often than the execution interval', async () => {
    const { send, tick, world } = bench({ documents: [onTicks], settings: { executionIntervalMs: 2_000 } })
    const prices = ['70200', '99000', '70100', '10', '70000', '10', '70500', '10']
    for (const [index, last] of prices.entries()) await send(tick(SAMSUNG, second(index), last))
    expect(world.signals.map(({ evidence }) => evidence['fast'])).toEqual([70_500])
  })

  test('older than the last one taken are not evaluated', async () => {
    const { send, tick, world } = bench({ documents: [onTicks], settings: { executionIntervalMs: 0 } })
    for (const [index, last] of ['70200', '70100', '70000'].entries()) {
      await send(tick(SAMSUNG, second(index), last))
    }
    await send(tick(SAMSUNG, second(1), '99000'))
    expect(world.signals).toEqual([])
  })
})

describe('strategy documents', () => {
  test('that are bad disable their strategy only, with a fault that names the field', async () => {
    const { send, bar, world, put } = bench({ documents: [quick()] })
    put({ ...quick({ id: 'bad-size' }), parameters: { interval: '1m', orderNotional: '-1' } })
    put({ ...quick({ id: 'bad-kind' }), kind: 'crystal-ball' })
    put({ ...quick({ id: 'bad-order' }, { fastBars: 9, slowBars: 9 }) })
    put(quick({ id: 'other' }), 'not-its-id')
    for (const each of [...FALLING, at(3, '70500')]) await send(bar(each))
    expect(world.requested.map((order) => order.requestedBy)).toEqual(['quick'])
    const faults = JSON.stringify(world.faults)
    for (const part of ['orderNotional', 'crystal-ball', 'fastBars', 'not-its-id'])
      expect(faults).toContain(part)
    expect(world.faults).toHaveLength(4)
  })

  test('that change take effect without a restart, and signals carry the new version', async () => {
    const { send, bar, world, put } = await warmBench()
    put(quick({}, { orderNotional: '1000000' }))
    await send(bar(at(3, '69900'))) // reads the documents again, in the background
    await send(bar(at(4, '69800')))
    for (const [index, close] of ['69700', '69600', '70500'].entries()) await send(bar(at(index + 5, close)))
    expect(world.requested[0]).toMatchObject({ quantity: '14' })
    expect(world.signals[0]).toMatchObject({ parametersVersion: 2 })
  })

  test('that are disabled stop', async () => {
    const { send, bar, world, put } = await warmBench()
    put(quick({ enabled: false }))
    await send(bar(at(3, '69900')))
    await send(bar(at(4, '70500')))
    expect(world.signals).toEqual([])
  })

  test('name the instruments that they trade', async () => {
    const { world } = await (async () => {
      const made = bench({ documents: [quick({ instrumentIds: ['000660.KRX'] })] })
      for (const each of [...FALLING, at(3, '70500')]) await made.send(made.bar(each))
      return made
    })()
    expect(world.signals).toEqual([])
  })

  test('in paper trading cannot reach the account that they name', async () => {
    const { send, bar, world } = await warmBench({
      documents: [quick({ accountId: 'real-money' })],
      settings: { paperAccountId: ACCOUNT },
    })
    await send(bar(at(3, '70500')))
    expect(world.requested.map((order) => order.accountId)).toEqual([ACCOUNT])
  })
})
