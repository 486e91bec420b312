import { describe, expect, test } from 'vitest'
import { eventClock } from '#shared/adapters/memory/event-clock.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type Instant, addMs, formatInstant } from '#shared/domain/time.ts'
import { output } from '#shared/events/contract.ts'
import { orderToWire } from '#shared/events/order-codec.ts'
import { OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { NOON, request } from '../../test/build.ts'
import { BusinessTimeConfig, businessTime, hostOnEventTime } from './business-time.ts'
import { ConfigError, loadConfig } from './config.ts'
import { hostFunction } from './host.ts'
import { silentLog } from './log.ts'
import { finishRoot } from './root-event.ts'
import { testFunction } from './server.fixture.ts'

const CLOCKS = { system: systemClock, events: eventClock }
const settings = (environment: Readonly<Record<string, string>>) =>
  loadConfig(BusinessTimeConfig, environment)

describe('the clock of a deployed process', () => {
  test('is the system clock unless somebody says otherwise, with real money too', () => {
    expect(businessTime(settings({}), CLOCKS, false)).toEqual({ clock: systemClock })
    expect(businessTime(settings({ NODE_ENV: 'production' }), CLOCKS, false)).toEqual({ clock: systemClock })
  })

  test.each([
    ['in production', { NODE_ENV: 'production' }, true, /NODE_ENV=production/],
    ['with a real account', {}, false, /KIS_PAPER_TRADING=false/],
  ])('is never the time of events %s', (_name, environment, paperTrading, expected) => {
    const wanted = settings({ ...environment, JTS_BUSINESS_TIME: 'events' })
    expect(() => businessTime(wanted, CLOCKS, paperTrading)).toThrow(expected)
    expect(() => businessTime(wanted, CLOCKS, paperTrading)).toThrow(ConfigError)
  })

  test('of a replay is the newest event, at once for the event in hand and for what it makes', async () => {
    const { clock, onEventTime } = businessTime(settings({ JTS_BUSINESS_TIME: 'events' }), CLOCKS)
    if (onEventTime === undefined) throw new Error('no events move the clock')
    const shown: string[] = []
    const host = hostFunction(
      testFunction,
      async () => {
        shown.push(formatInstant(clock.now()))
        return [
          output(OrderDenied, { accountId: 'a', clientOrderId: 'o', code: 'TRADING_HALTED', detail: '' }),
        ]
      },
      { clock, stopwatch: systemStopwatch, log: silentLog },
    )
    const replay = hostOnEventTime(host, onEventTime)
    const at = (time: Instant) =>
      finishRoot(
        OrderRequested,
        { ...orderToWire(request('buy 1 @ 70000')), reason: '' },
        {
          id: `at-${time}`,
          source: '/test',
          now: time,
        },
      )
    const times: (string | undefined)[] = []
    for (const ms of [0, 5_000, 1_000]) {
      const delivery = await replay.handle(at(addMs(NOON, ms)))
      times.push(delivery.outcome === 'done' ? delivery.outputs[0]?.time : delivery.outcome)
    }
    const expected = [0, 5_000, 5_000].map((ms) => formatInstant(addMs(NOON, ms)))
    expect(shown).toEqual(expected)
    expect(times).toEqual(expected)
    expect(await replay.handle({ ...at(NOON), time: undefined })).toMatchObject({ outcome: 'poison' })
    await replay.handle({ ...at(NOON), time: '2025-12-31T23:59:60Z' })
    expect(clock.now()).toBe(addMs(NOON, 5_000))
    host.close()
  })
})
