import { afterEach, describe, expect, test } from 'vitest'
import { KRX_CALENDAR_RANGE } from '#shared/domain/krx-calendar.ts'
import type { Instant } from '#shared/domain/time.ts'
import { addDays, addMs, kstInstant, sessionDate, timeOfDay } from '#shared/domain/time.ts'
import { type Event, isOf } from '#shared/events/contract.ts'
import { SessionPhaseChanged, TimerFired } from '#shared/events/timers.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { type HistoricalClock, historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { LEASE_MS, type RunningScheduler, type SchedulerDeps, runScheduler } from './scheduler.ts'

const kst = (text: string): Instant => kstInstant(sessionDate(text.slice(0, 10)), timeOfDay(text.slice(11)))
const MORNING = kst('2025-09-02 08:00')
const RISK = { name: 'risk', intervalMs: 5_000 }

/** What was published, oldest first: `09:00:00 KRX continuous` or `09:00:00 risk`, Korean time. */
function bus() {
  const events: Event[] = []
  const faults: Error[] = []
  const waiters: (() => void)[] = []
  return {
    events,
    faults,
    publish: (added: readonly Event[]): Promise<void> => {
      const fault = faults.shift()
      if (fault !== undefined) return Promise.reject(fault)
      events.push(...added)
      for (const wake of waiters.splice(0)) wake()
      return Promise.resolve()
    },
    published: () => new Promise<void>((resolve) => waiters.push(resolve)),
    lines: () => events.map(lineOf),
  }
}

function lineOf(event: Event): string {
  const time = new Date(Date.parse(event.time) + 9 * 3_600_000).toISOString().slice(11, 19)
  if (isOf(SessionPhaseChanged, event)) return `${time} ${event.data.venue} ${event.data.phase}`
  return isOf(TimerFired, event) ? `${time} ${event.data.timer}` : event.type
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()))
})

interface Started {
  readonly scheduler: RunningScheduler
  stop(): Promise<void>
}

function start(over: Partial<SchedulerDeps> & Pick<SchedulerDeps, 'bus' | 'clock'>): Started {
  const ending = new AbortController()
  const started = runScheduler(
    {
      stopwatch: systemStopwatch,
      hotState: memoryHotState({ stopwatch: manualStopwatch() }),
      ids: systemIds,
      timers: [],
      venues: ['KRX'],
      log: silentLog,
      ...over,
    },
    ending.signal,
  )
  const stop = (): Promise<void> => {
    ending.abort()
    return started.ended
  }
  running.push(stop)
  return { scheduler: started, stop }
}

const settled = (one: Started): Promise<void> =>
  expect.poll(() => one.scheduler.isCaughtUp(), { interval: 1 }).toBe(true)

async function moveTo(clock: HistoricalClock, at: Instant, ...all: readonly Started[]): Promise<void> {
  clock.advanceTo(at)
  await Promise.all(all.map(settled))
}

describe('what is published', () => {
  test('at the start: the phase that is, and what each timer was last due for', async () => {
    const out = bus()
    const one = start({ bus: out, clock: historicalClock(kst('2025-09-02 10:00:03')), timers: [RISK] })
    await settled(one)
    expect(out.lines()).toEqual(['09:00:00 KRX continuous', '10:00:00 risk'])
  })

  test('on a weekend the phase that is: closed, of the last session', async () => {
    const out = bus()
    await settled(start({ bus: out, clock: historicalClock(kst('2025-09-06 12:00')) }))
    expect(out.events.map(({ data }) => data)).toMatchObject([{ sessionDate: '2025-09-05', phase: 'closed' }])
  })

  test('a day step by step: every phase on its time and every timer', async () => {
    const out = bus()
    const clock = historicalClock(MORNING)
    const one = start({ bus: out, clock, timers: [{ name: 'half', intervalMs: 1_800_000 }] })
    await settled(one)
    for (let due = one.scheduler.nextDue(); due !== undefined && due <= kst('2025-09-02 15:30');) {
      await moveTo(clock, due, one)
      due = one.scheduler.nextDue()
    }
    expect(out.lines().filter((line) => line.includes('KRX'))).toEqual([
      '15:30:00 KRX closed',
      '08:30:00 KRX openingAuction',
      '09:00:00 KRX continuous',
      '15:20:00 KRX closingAuction',
      '15:30:00 KRX closed',
    ])
    expect(out.lines().filter((line) => line.includes('half'))).toHaveLength(16)
    expect(new Set(out.events.map(({ id }) => id)).size).toBe(out.events.length)
  })

  test('after a long pause timers fire once, not in a burst, and phases all come in order', async () => {
    const out = bus()
    const clock = historicalClock(MORNING)
    const one = start({ bus: out, clock, timers: [RISK] })
    await settled(one)
    out.events.length = 0
    await moveTo(clock, kst('2025-09-03 09:10:02'), one)
    expect(out.lines()).toEqual([
      '08:30:00 KRX openingAuction',
      '09:00:00 KRX continuous',
      '15:20:00 KRX closingAuction',
      '15:30:00 KRX closed',
      '08:30:00 KRX openingAuction',
      '09:00:00 KRX continuous',
      '09:10:00 risk',
    ])
  })

  test('on the wall clock a timer fires when it is due, not before', async () => {
    const out = bus()
    const one = start({
      bus: out,
      clock: systemClock,
      timers: [{ name: 'fast', intervalMs: 40 }],
      venues: [],
    })
    await settled(one)
    for (let count = 0; count < 3; count += 1) {
      await out.published()
      const due = Date.parse(out.events.at(-1)?.time ?? '')
      expect(Date.now()).toBeGreaterThanOrEqual(due)
    }
  })
})

describe('a replay knows when time may go on', () => {
  test('in the instant in which the clock reaches a due time, the scheduler is no longer caught up', async () => {
    const clock = historicalClock(MORNING)
    const out = bus()
    const one = start({ bus: out, clock, timers: [RISK] })
    expect(one.scheduler.isCaughtUp()).toBe(false)
    await settled(one)
    clock.advanceTo(addMs(MORNING, 4_999))
    expect(one.scheduler.isCaughtUp()).toBe(true)
    clock.advanceTo(addMs(MORNING, 5_000))
    expect(one.scheduler.isCaughtUp()).toBe(false)
    await settled(one)
    expect(out.lines().at(-1)).toBe('08:00:05 risk')
  })

  test('time that goes on while events are being published is not missed', async () => {
    const clock = historicalClock(MORNING)
    const out = bus()
    const gate = Promise.withResolvers<void>()
    const slow = { publish: (events: readonly Event[]) => gate.promise.then(() => out.publish(events)) }
    const one = start({ bus: slow, clock, timers: [RISK] })
    clock.advanceTo(addMs(MORNING, 12_000))
    expect(one.scheduler.isCaughtUp()).toBe(false)
    gate.resolve()
    await settled(one)
    expect(out.lines().at(-1)).toBe('08:00:10 risk')
  })

  test('two runs over the same time publish the same events, byte for byte', async () => {
    const runs = [bus(), bus()]
    for (const out of runs) {
      const clock = historicalClock(MORNING)
      const one = start({ bus: out, clock, timers: [RISK] })
      await settled(one)
      for (const at of [1_000, 7_000, 3_600_000]) await moveTo(clock, addMs(MORNING, at), one)
    }
    expect(runs[0]?.events).toEqual(runs[1]?.events)
    expect(runs[0]?.events.length).toBeGreaterThan(4)
  })
})

describe('several schedulers', () => {
  const pair = (hotState: SchedulerDeps['hotState']) => {
    const clock = historicalClock(MORNING)
    const outs = [bus(), bus()] as const
    const first = start({ bus: outs[0], clock, hotState, timers: [RISK] })
    const second = start({ bus: outs[1], clock, hotState, timers: [RISK] })
    return { clock, outs, first, second }
  }

  test('one publishes, the other keeps time', async () => {
    const { clock, outs, first, second } = pair(memoryHotState({ stopwatch: manualStopwatch() }))
    await Promise.all([settled(first), settled(second)])
    for (let ms = 5_000; ms <= 60_000; ms += 5_000) await moveTo(clock, addMs(MORNING, ms), first, second)
    expect([outs[0].events.length, outs[1].events.length].toSorted((a, b) => a - b)).toEqual([0, 14])
  })

  test('when the one that publishes ends, the other goes on at once', async () => {
    const { clock, outs, first, second } = pair(memoryHotState({ stopwatch: manualStopwatch() }))
    await Promise.all([settled(first), settled(second)])
    await first.stop()
    await moveTo(clock, addMs(MORNING, 5_000), second)
    expect(outs[1].lines()).toEqual(['15:30:00 KRX closed', '08:00:05 risk'])
  })

  test('a phase that the dead leader may not have published is published by the next', async () => {
    const stopwatch = manualStopwatch()
    const hotState = memoryHotState({ stopwatch })
    await hotState.claim('scheduler/leader', 'died without a word', LEASE_MS)
    const clock = historicalClock(kst('2025-09-02 08:59:58'))
    const out = bus()
    const one = start({ bus: out, clock, hotState, timers: [RISK] })
    await settled(one)
    await moveTo(clock, kst('2025-09-02 09:00:00'), one)
    await moveTo(clock, kst('2025-09-02 09:00:10'), one)
    expect(out.lines()).toEqual([])
    stopwatch.elapse(LEASE_MS)
    await moveTo(clock, kst('2025-09-02 09:00:15'), one)
    expect(out.lines()).toEqual(['09:00:00 KRX continuous', '09:00:15 risk'])
  })

  test('one that led before makes up for a phase that its successor may have died over', async () => {
    const stopwatch = manualStopwatch()
    const hotState = memoryHotState({ stopwatch })
    const clock = historicalClock(kst('2025-09-02 08:59:50'))
    const out = bus()
    const one = start({ bus: out, clock, hotState, timers: [RISK] })
    await settled(one)
    await hotState.set('scheduler/leader', 'took over, then died', LEASE_MS)
    await moveTo(clock, kst('2025-09-02 09:00:00'), one)
    stopwatch.elapse(LEASE_MS)
    await moveTo(clock, kst('2025-09-02 09:00:15'), one)
    expect(out.lines().slice(2)).toEqual(['09:00:00 KRX continuous', '09:00:15 risk'])
  })

  test('one that slept through a day while another was to publish makes up for every phase', async () => {
    const stopwatch = manualStopwatch()
    const hotState = memoryHotState({ stopwatch })
    await hotState.claim('scheduler/leader', 'died without a word', LEASE_MS)
    const clock = historicalClock(MORNING)
    const out = bus()
    const one = start({ bus: out, clock, hotState })
    await settled(one)
    stopwatch.elapse(LEASE_MS)
    await moveTo(clock, kst('2025-09-02 16:00'), one)
    expect(out.lines()).toEqual([
      '08:30:00 KRX openingAuction',
      '09:00:00 KRX continuous',
      '15:20:00 KRX closingAuction',
      '15:30:00 KRX closed',
    ])
  })

  test('one without timers still looks whether the leader lives', async () => {
    const stopwatch = manualStopwatch()
    const hotState = memoryHotState({ stopwatch })
    await hotState.claim('scheduler/leader', 'died without a word', LEASE_MS)
    const clock = historicalClock(MORNING)
    const out = bus()
    const one = start({ bus: out, clock, hotState })
    await settled(one)
    stopwatch.elapse(LEASE_MS)
    await moveTo(clock, addMs(MORNING, LEASE_MS), one)
    expect(out.lines()).toEqual(['15:30:00 KRX closed'])
  })

  test('with hot state out of reach both publish the same ids: no timer would be worse than one too many', async () => {
    const lost = (): Promise<never> => Promise.reject(new RetryableError('hot state is out of reach'))
    const hotState: Pick<HotState, 'claim' | 'extend' | 'release'> = {
      claim: lost,
      extend: lost,
      release: lost,
    }
    const { clock, outs, first, second } = pair(hotState)
    await Promise.all([settled(first), settled(second)])
    await moveTo(clock, addMs(MORNING, 5_000), first, second)
    expect(outs[0].events).toHaveLength(3)
    expect(outs[0].events).toEqual(outs[1].events)
  })

  test('hot state that is flushed stops nothing', async () => {
    const hotState = memoryHotState({ stopwatch: manualStopwatch() })
    const { clock, outs, first, second } = pair(hotState)
    await Promise.all([settled(first), settled(second)])
    await hotState.delete('scheduler/leader')
    await moveTo(clock, addMs(MORNING, 5_000), first, second)
    const lines = [...outs[0].lines(), ...outs[1].lines()]
    expect(lines.filter((line) => line === '08:00:05 risk')).toHaveLength(1)
  })
})

describe('faults', () => {
  const away = (): Error => new RetryableError('bus is out of reach')

  test('what could not be published is published later: phases all, in order, timers once', async () => {
    const stopwatch = manualStopwatch()
    const out = bus()
    const clock = historicalClock(kst('2025-09-02 08:29'))
    const one = start({ bus: out, clock, stopwatch, timers: [RISK] })
    await settled(one)
    out.events.length = 0
    out.faults.push(away(), away())
    clock.advanceTo(kst('2025-09-02 08:30'))
    await expect.poll(() => stopwatch.sleeping()).toBe(1)
    expect(one.scheduler.isCaughtUp()).toBe(false)
    clock.advanceTo(kst('2025-09-02 09:00:07'))
    stopwatch.elapse(5_000)
    await expect.poll(() => stopwatch.sleeping()).toBe(1)
    expect(out.lines()).toEqual([])
    stopwatch.elapse(5_000)
    await settled(one)
    expect(out.lines()).toEqual(['08:30:00 KRX openingAuction', '09:00:00 KRX continuous', '09:00:05 risk'])
  })

  test('a defect of the bus ends the scheduler instead of being tried again', async () => {
    const broken = { publish: () => Promise.reject(new TypeError('x is undefined')) }
    const one = runScheduler(
      {
        bus: broken,
        clock: historicalClock(MORNING),
        stopwatch: systemStopwatch,
        hotState: memoryHotState({ stopwatch: manualStopwatch() }),
        ids: systemIds,
        timers: [RISK],
        venues: [],
        log: silentLog,
      },
      new AbortController().signal,
    )
    await expect(one.ended).rejects.toThrow(TypeError)
  })

  test('a day that the calendar does not cover opens no session, says so once, and stops no timer', async () => {
    const said: string[] = []
    const log = { ...silentLog, fatal: (_fields: unknown, message: string) => said.push(message) }
    const clock = historicalClock(kstInstant(addDays(KRX_CALENDAR_RANGE.last, 60), timeOfDay('08:00')))
    const out = bus()
    const one = start({ bus: out, clock, timers: [RISK], log: { ...log, child: () => silentLog } })
    await settled(one)
    await moveTo(clock, addMs(clock.now(), 3_600_000), one)
    expect(out.lines()).toEqual(['08:00:00 risk', '09:00:00 risk'])
    expect(said).toHaveLength(1)
  })

  test('when told to end it ends while asleep, and lets go of the lease', async () => {
    const hotState = memoryHotState({ stopwatch: manualStopwatch() })
    const one = start({ bus: bus(), clock: historicalClock(MORNING), hotState })
    await settled(one)
    expect(await hotState.get('scheduler/leader')).toBeDefined()
    await one.stop()
    expect(await hotState.get('scheduler/leader')).toBeUndefined()
  })

  test.each([
    ['an interval of nothing', { timers: [{ name: 'a', intervalMs: 0 }] }],
    ['a part of a millisecond', { timers: [{ name: 'a', intervalMs: 0.5 }] }],
    ['two timers of one name', { timers: [RISK, RISK] }],
    ['two venues of one name', { venues: ['KRX', 'KRX'] as const }],
  ])('%s is refused at start', (_name, over) => {
    expect(() => start({ bus: bus(), clock: historicalClock(MORNING), ...over })).toThrow(RangeError)
  })
})
