import { describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instant } from '#shared/domain/time.ts'
import { type Event, output } from '#shared/events/contract.ts'
import { OrderApproved, OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { AlreadyHandledError } from '#shared/ports/receipt.ts'
import type { CloudEvent } from './cloudevents/cloud-event.ts'
import { type Handler, defineFunction } from './function.ts'
import { type FunctionHost, hostFunction } from './host.ts'
import { type Log, silentLog } from './log.ts'
import { finishRoot } from './root-event.ts'

const definition = defineFunction({
  name: 'risk-check',
  summary: 'For this test.',
  consumes: [OrderRequested],
  produces: [OrderApproved, OrderDenied],
  timeoutMs: 30,
  scale: { min: 1, max: 1 },
})
const denied = (detail = '') =>
  output(OrderDenied, { accountId: 'A-1', clientOrderId: 'o-1', code: 'TRADING_HALTED', detail })
const requested = {
  accountId: 'A-1',
  clientOrderId: 'o-1',
  requestedBy: 'someone',
  instrumentId: '005930.KRX',
  side: 'buy',
  orderType: 'limit',
  timeInForce: 'day',
  quantity: '10',
  limitPrice: '71000',
  decidedTime: '2026-11-23T00:00:00.000Z',
  reason: 'test',
} as const

const clock = { now: () => instant(Date.parse('2026-11-23T00:00:01.000Z')) }
const event: Event = finishRoot(OrderRequested, requested, { id: 'in-1', source: '/test', clock })
const hosted = (handler: Handler<typeof definition>, log: Log = silentLog): FunctionHost =>
  hostFunction(definition, handler, { clock, stopwatch: systemStopwatch, log })

const { stringify } = JSON
const until = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

describe('outputs', () => {
  test('a redelivery makes the same events, byte for byte', async () => {
    const host = hosted(async () => [denied('a'), denied('b')])
    const [first, second] = [await host.handle(event), await host.handle(event)]
    expect(stringify(first)).toBe(stringify(second))
    expect(first.outcome).toBe('done')
  })

  test('two outputs of one event, or of two functions, never share an id', async () => {
    const delivery = await hosted(async () => [denied('a'), denied('b')]).handle(event)
    const other = await hostFunction({ ...definition, name: 'other' }, async () => [denied('a')], {
      clock,
      stopwatch: systemStopwatch,
      log: silentLog,
    }).handle(event)
    const ids = [delivery, other].flatMap((each) =>
      each.outcome === 'done' ? each.outputs.map(({ id }) => id) : [],
    )
    expect(new Set(ids).size).toBe(3)
    expect(ids.every((id) => /^[\da-f]{32}$/.test(id))).toBe(true)
  })

  test('an output says what caused it, what began it, where it belongs and when', async () => {
    const delivery = await hosted(async () => [denied()]).handle({ ...event, correlationid: 'began' })
    expect(delivery).toMatchObject({
      outcome: 'done',
      outputs: [
        {
          specversion: '1.0',
          source: '/jts/functions/risk-check',
          type: 'jts.order.denied.v1',
          subject: 'o-1',
          time: '2026-11-23T00:00:01.000Z',
          partitionkey: 'A-1',
          correlationid: 'began',
          causationid: 'in-1',
          traceparent: expect.stringMatching(
            new RegExp(`^00-${event.traceparent?.slice(3, 35)}-[\\da-f]{16}-01$`),
          ) as unknown,
        },
      ],
    })
  })

  test.each([
    ['undeclared', [output(OrderRequested, requested)]],
    ['malformed', [{ contract: OrderDenied, data: { accountId: 'A-1' } }]],
  ])('an %s output is a defect and is not emitted', async (_name, outputs) => {
    const handler = (async () => outputs) as unknown as Handler<typeof definition>
    expect((await hosted(handler).handle(event)).outcome).toBe('defect')
  })
})

describe('receipts', () => {
  test('a receipt holds exactly the events that are emitted', async () => {
    let stored: readonly Event[] = []
    const delivery = await hosted(async (_event, context) => {
      const outputs = [denied()]
      stored = context.receipt(outputs).outputs
      return outputs
    }).handle(event)
    expect(delivery).toEqual({ outcome: 'done', outputs: stored })
  })

  test('returning something else than the receipt holds is a defect', async () => {
    const delivery = await hosted(async (_event, context) => {
      context.receipt([denied('stored')])
      return [denied('returned')]
    }).handle(event)
    expect(delivery.outcome).toBe('defect')
  })

  test('an event that was handled before emits what was emitted then', async () => {
    const delivery = await hosted(async () => {
      throw new AlreadyHandledError('risk-check', 'in-1', [event])
    }).handle(event)
    expect(delivery).toEqual({ outcome: 'done', outputs: [event] })
  })
})

describe('failures', () => {
  test.each([
    [
      'RetryableError',
      new RetryableError('down', { cause: new Error('refused') }),
      { outcome: 'retry', reason: 'down: refused' },
    ],
    ['PoisonError', new PoisonError('nonsense'), { outcome: 'poison', reason: 'nonsense' }],
    ['any other error', new TypeError('oops'), { outcome: 'defect', error: new TypeError('oops') }],
  ])('%s', async (_name, error, expected) => {
    const delivery = await hosted(async () => {
      throw error
    }).handle(event)
    expect(delivery).toEqual(expected)
  })

  test('a handler that throws before its first await is answered for', async () => {
    const handler = (() => {
      throw new PoisonError('at once')
    }) as Handler<typeof definition>
    expect(await hosted(handler).handle(event)).toEqual({ outcome: 'poison', reason: 'at once' })
  })

  test('a handler that hears its signal is stopped at the deadline', async () => {
    const delivery = await hosted(async (_event, { signal }) => until(signal)).handle(event)
    expect(delivery).toEqual({ outcome: 'retry', reason: 'not done by the deadline' })
  })

  test('a handler that ignores its signal cannot hang the caller', async () => {
    const delivery = await hosted(() => new Promise(() => undefined)).handle(event)
    expect(delivery.outcome).toBe('retry')
  })

  test('deadlines of events in flight together all come due', async () => {
    const host = hosted(() => new Promise(() => undefined))
    const deliveries = await Promise.all(Array.from({ length: 50 }, () => host.handle(event)))
    expect(deliveries.every(({ outcome }) => outcome === 'retry')).toBe(true)
  })

  test('a deadline that is set as the last one is lifted comes due too', async () => {
    let count = 0
    const host = hosted(async () => {
      count += 1
      return count === 1 ? [] : new Promise<never>(() => undefined)
    })
    for (let pass = 0; pass < 3; pass += 1) {
      count = 0
      await host.handle(event)
      await systemStopwatch.sleep(definition.timeoutMs - pass, new AbortController().signal)
      expect((await host.handle(event)).outcome).toBe('retry')
    }
  })

  test('an ending process does not wait for the deadline', async () => {
    const ending = new AbortController()
    const running = hosted(async () => {
      ending.abort()
      return new Promise<never>(() => undefined)
    }).handle(event, ending.signal)
    expect(await running).toEqual({ outcome: 'retry', reason: 'the process is ending' })
  })

  test('one failure is one line', async () => {
    const lines: string[] = []
    const log: Log = {
      ...silentLog,
      warn: (_fields, message) => void lines.push(message),
      error: (_fields, message) => void lines.push(message),
      child: () => log,
    }
    await hosted(async () => {
      throw new RetryableError('down')
    }, log).handle(event)
    expect(lines).toEqual(['event not handled yet'])
  })
})

describe('inputs', () => {
  const echo = hosted(async () => [])
  const { time: _time, ...timeless } = event

  test('a type that is not consumed is ignored, not failed', async () => {
    expect(await echo.handle({ ...event, type: 'jts.order.denied.v1' })).toEqual({ outcome: 'ignored' })
  })

  test('data that break the contract are poison, and every fault is named', async () => {
    const delivery = await echo.handle({ ...event, data: { ...requested, quantity: '0', side: 'hold' } })
    expect(delivery).toMatchObject({
      outcome: 'poison',
      faults: [{ pointer: '/data/side' }, { pointer: '/data/quantity' }],
    })
  })

  test('an event without a time is refused: no time is made up', async () => {
    expect(await echo.handle(timeless)).toMatchObject({ outcome: 'poison', faults: [{ pointer: '/time' }] })
  })

  test.each(['9999-12-31T23:59:59-12:00', '0000-01-01T00:00:00+12:00'])(
    'a time that UTC cannot write is refused: %s',
    async (time) => {
      expect(await echo.handle({ ...event, time })).toMatchObject({
        outcome: 'poison',
        faults: [{ pointer: '/time' }],
      })
    },
  )

  test('a foreign event is completed from itself and its contract', async () => {
    const seen: CloudEvent[] = []
    const host = hosted(async (each) => {
      seen.push(each)
      return []
    })
    const { id, source, type, data } = event
    await host.handle({ specversion: '1.0', id, source, type, data, time: '2026-11-23T09:00:00+09:00' })
    expect(seen).toEqual([
      {
        specversion: '1.0',
        id,
        source,
        type,
        data,
        datacontenttype: 'application/json',
        subject: 'o-1',
        time: '2026-11-23T00:00:00.000Z',
        partitionkey: 'A-1',
        correlationid: id,
        causationid: id,
      },
    ])
  })
})
