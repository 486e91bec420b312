import { afterEach, describe, expect, test } from 'vitest'
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Event } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { type ConsumeOptions, consume } from './consume.ts'
import { hostFunction } from './host.ts'
import { type Log, silentLog } from './log.ts'
import { type BothHandler, atZero, bar, bothFunction, cancel, denial, root } from './test-event.fixture.ts'

const FAST = { attemptsMax: 3, baseMs: 1, maxMs: 2 }
const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function running(handler: BothHandler, options: Partial<ConsumeOptions> = {}) {
  const bus = memoryBus()
  const host = hostFunction(bothFunction, handler, {
    clock: atZero,
    stopwatch: systemStopwatch,
    log: silentLog,
  })
  const consumption = await consume({
    bus,
    host,
    stopwatch: systemStopwatch,
    log: silentLog,
    retry: FAST,
    ...options,
  })
  closes.push(async () => {
    await consumption.close()
    await bus.close()
    host.close()
  })
  return { bus, consumption }
}

/** Everything published on `orders`, as another group sees it. */
async function watchOrders(bus: ReturnType<typeof memoryBus>): Promise<string[]> {
  const seen: string[] = []
  await bus.subscribe({ group: 'watch', topics: ['orders'] }, async (batch) => {
    for (const { event, offset } of batch.records) {
      seen.push(`${event.type.split('.')[2]} ${event.causationid}`)
      batch.resolve(offset)
    }
  })
  return seen
}

const until = (condition: () => boolean | Promise<boolean>): Promise<void> =>
  expect.poll(condition, { interval: 5, timeout: 5_000 }).toBe(true)

describe('delivery', () => {
  test('records are handled in order and their outputs are published in order', async () => {
    const { bus } = await running(async (event) => [denial(event.id)])
    const seen = await watchOrders(bus)
    await bus.publish(Array.from({ length: 600 }, (_, index) => cancel(`c${index}`)))
    await until(() => seen.length === 1_200)
    expect(seen.filter((line) => line.startsWith('denied'))).toEqual(
      Array.from({ length: 600 }, (_, index) => `denied c${index}`),
    )
    expect(await bus.lag('test-function')).toBe(0)
  })

  test('a record is not resolved before its outputs are published', async () => {
    const bus = memoryBus()
    let refusals = 3
    const flaky = {
      ...bus,
      publish: async (events: readonly Event[]): Promise<void> => {
        refusals -= 1
        if (refusals >= 0) throw new RetryableError('bus down')
        expect(await bus.lag('test-function')).toBe(1)
        await bus.publish(events)
      },
    }
    let handled = 0
    await running(
      async (event) => {
        handled += 1
        return [denial(event.id)]
      },
      { bus: flaky },
    )
    const seen = await watchOrders(bus)
    await bus.publish([cancel('c1')])
    await until(() => seen.includes('denied c1'))
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(handled).toBe(1)
    await bus.close()
  })

  test('a record is not resolved before what it wrote is durable', async () => {
    const order: string[] = []
    const { bus } = await running(
      async (event) => {
        order.push(event.id)
        return []
      },
      {
        beforeResolve: async () => {
          order.push(`flush ${await bus.lag('test-function')}`)
        },
      },
    )
    await bus.publish([cancel('c1'), cancel('c2')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(order).toEqual(['c1', 'c2', 'flush 2'])
  })

  test('a type that the function does not consume is passed over', async () => {
    const { bus } = await running(async () => [])
    await bus.publish([root(OrderDenied, denial('o').data, 'd1'), cancel('c1')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(bus.deadLetters()).toEqual([])
  })
})

describe('failures', () => {
  test('nothing overtakes a record that is being retried', async () => {
    const handled: string[] = []
    const { bus } = await running(async (event) => {
      handled.push(event.id)
      if (event.id === 'c1' && handled.length < 3) throw new RetryableError('down')
      return []
    })
    await bus.publish([cancel('c1'), cancel('c2')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(handled).toEqual(['c1', 'c1', 'c1', 'c2'])
  })

  test('poison is set aside with its reason, and those behind it go on', async () => {
    const { bus } = await running(async (event) => {
      if (event.id === 'c1') throw new PoisonError('nonsense')
      return []
    })
    await bus.publish([cancel('c1'), cancel('c2')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(bus.deadLetters()).toMatchObject([
      { event: { id: 'c1' }, consumer: 'test-function', reason: 'nonsense', attempts: 1 },
    ])
  })

  test('market data are set aside after the last attempt', async () => {
    const { bus } = await running(async () => Promise.reject(new RetryableError('down')))
    await bus.publish([bar('b1')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(bus.deadLetters()).toMatchObject([{ event: { id: 'b1' }, reason: 'down', attempts: 3 }])
  })

  test('an order is never set aside because the world was not ready: its partition stands still, loudly', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) }
    let isDown = true
    let attempts = 0
    const { bus } = await running(
      async () => {
        attempts += 1
        if (isDown) throw new RetryableError('down')
        return []
      },
      { log },
    )
    await bus.publish([cancel('c1')])
    await until(() => attempts > FAST.attemptsMax + 3)
    expect([bus.deadLetters(), await bus.lag('test-function')]).toEqual([[], 1])
    expect(lines[0]).toMatch(/partition stands still/)
    isDown = false
    await until(async () => (await bus.lag('test-function')) === 0)
  })

  test('a dead letter that cannot be written stops the partition instead of being lost', async () => {
    const bus = memoryBus()
    let refusals = 5
    const flaky = {
      ...bus,
      publishDeadLetter: async (letters: Parameters<typeof bus.publishDeadLetter>[0]): Promise<void> => {
        refusals -= 1
        if (refusals >= 0) throw new RetryableError('bus down')
        await bus.publishDeadLetter(letters)
      },
    }
    await running(async () => Promise.reject(new PoisonError('nonsense')), { bus: flaky })
    await bus.publish([cancel('c1')])
    await until(async () => (await bus.lag('test-function')) === 0)
    expect(bus.deadLetters()).toMatchObject([{ event: { id: 'c1' } }])
    await bus.close()
  })

  test('a defect ends the consumption, and the record stays', async () => {
    const { bus, consumption } = await running(async () => Promise.reject(new TypeError('oops')))
    const ended = consumption.ended.catch((error: unknown) => error)
    await bus.publish([cancel('c1'), cancel('c2')])
    expect(await ended).toEqual(new TypeError('oops'))
    expect([await bus.lag('test-function'), bus.deadLetters()]).toEqual([2, []])
  })

  test('those who ask are told of a defect', async () => {
    const told = Promise.withResolvers<[unknown, string]>()
    const { bus } = await running(async () => Promise.reject(new TypeError('oops')), {
      onDefect: (error, event) => told.resolve([error, event.id]),
    })
    await bus.publish([cancel('c1')])
    expect(await told.promise).toEqual([new TypeError('oops'), 'c1'])
  })
})

describe('closing', () => {
  test('the running record ends and is resolved; the next is left for others', async () => {
    const entered = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const { bus, consumption } = await running(async () => {
      entered.resolve()
      await release.promise
      return []
    })
    await bus.publish([cancel('c1'), cancel('c2')])
    await entered.promise
    const closed = consumption.close()
    release.resolve()
    await closed
    await consumption.ended
    expect(await bus.lag('test-function')).toBe(1)
  })

  test('a record that is waiting for its next attempt does not hold up the end', async () => {
    let attempts = 0
    const { bus, consumption } = await running(
      async () => {
        attempts += 1
        throw new RetryableError('down')
      },
      { retry: { attemptsMax: 3, baseMs: 60_000, maxMs: 60_000 } },
    )
    await bus.publish([cancel('c1')])
    await until(() => attempts === 1)
    await consumption.close()
    expect(await bus.lag('test-function')).toBe(1)
  })
})
