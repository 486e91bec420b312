import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { kstTimeOfDay, sessionDate } from '#shared/domain/time.ts'
import { money, ratio } from '#shared/domain/values.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { MarketEvent } from '#shared/simulation/market-event.ts'
import { Broker } from './broker.ts'
import { drive } from './driver.ts'
import { seededMarket } from './market/seeded.ts'
import type { MarketSource } from './market/source.ts'
import { connect, listen, startTestSimulator } from './test-client.ts'

const DATA = join(process.cwd(), '../shared/data')
const brokerOn = (source: MarketSource): Broker =>
  new Broker({
    accounts: [{ accountNumber: '5012345601', cash: money('100000000') }],
    feeRatio: ratio('0'),
    venueRejects: false,
    source,
    elapsedMs: () => 0,
  })

/** Process time that passes by sleeping only. */
function sleepingStopwatch(): Stopwatch {
  let ms = 0
  return {
    elapsedMs: () => ms,
    sleep: (time) => {
      ms += time
      return Promise.resolve()
    },
  }
}

const quiet = { gather: () => undefined, flush: () => undefined, announce: () => undefined }

test('in step with a stopwatch an event comes when it is due; nights and waits for an auction are cut short', async () => {
  const broker = brokerOn(seededMarket({ seed: 7, eventsPerSecond: 1, startDate: sessionDate('2026-03-03') }))
  const stopwatch = sleepingStopwatch()
  const ending = new AbortController()
  const seen: { event: MarketEvent; ms: number }[] = []
  const publisher = {
    ...quiet,
    gather: (event: MarketEvent) => {
      seen.push({ event, ms: stopwatch.elapsedMs() })
      if (event.kind === 'sessionOpened') ending.abort()
    },
  }
  const options = {
    broker,
    publisher,
    speed: 10,
    stopwatch,
    onTime: () => undefined,
    pace: undefined,
    isBacklogged: () => false,
  }
  await drive(options, ending.signal)
  const [first] = seen
  expect(first?.ms).toBe(10_000) // the half hour before the open
  const prints = seen.filter(({ event }) => event.kind === 'printed')
  const [early, late] = [prints[10], prints.at(-1)]
  expect(((late?.event.at ?? 0) - (early?.event.at ?? 0)) / 10).toBeCloseTo(
    (late?.ms ?? 0) - (early?.ms ?? 0),
    0,
  )
  const [close, opening] = seen.slice(-2)
  expect([close?.event.kind, opening?.event.kind]).toEqual(['phaseChanged', 'sessionOpened'])
  expect((opening?.ms ?? 0) - (close?.ms ?? 0)).toBeCloseTo(1000, 0)
})

test('time is told before anything of that time happens, and never goes back', async () => {
  const broker = brokerOn(seededMarket({ seed: 7, eventsPerSecond: 1 }))
  const ending = new AbortController()
  let told = 0
  let late = 0
  let events = 0
  const publisher = {
    ...quiet,
    gather: (event: MarketEvent) => {
      events += 1
      if (event.at !== told) late += 1
      if (events === 5000) ending.abort()
    },
  }
  const onTime = (at: number): void => {
    if (at < told) late += 1
    told = at
  }
  await drive(
    {
      broker,
      publisher,
      speed: 'max',
      stopwatch: systemStopwatch,
      onTime,
      pace: undefined,
      isBacklogged: () => false,
    },
    ending.signal,
  )
  expect(late).toBe(0)
  expect(kstTimeOfDay(broker.now())).toBeGreaterThan(9 * 3_600_000)
})

test('a tape in step with its caller plays the same fills every time', async () => {
  const fills: string[] = []
  for (let round = 0; round < 2; round += 1) {
    let steps = 0
    let order: (() => Promise<unknown>) | undefined
    const ending = new AbortController()
    const pace = async (): Promise<void> => {
      steps += 1
      if (steps === 3000) ending.abort()
      else if (steps % 200 === 100) await order?.()
    }
    const simulator = await startTestSimulator({ pace })
    const client = await connect(simulator)
    let count = 0
    order = () => {
      count += 1
      return client.order('buy', '005930', 50, 71_000 + 100 * (count % 9))
    }
    await simulator.run(ending.signal)
    fills.push(JSON.stringify((await client.dailyOrders()).body.output1))
    await simulator.stop()
  }
  expect(fills[0]).toBe(fills[1])
  expect(fills[0]).toContain('"tot_ccld_qty":"50"')
})

test('a simulator can be stopped while its caller holds the tape', async () => {
  const simulator = await startTestSimulator({ pace: () => new Promise<never>(() => undefined) })
  void simulator.run(new AbortController().signal)
  await simulator.stop()
  await expect(fetch(simulator.restUrl)).rejects.toThrow('fetch failed')
})

test('at full speed without listeners a hundred thousand market events a second pass', async () => {
  const broker = brokerOn(seededMarket({ seed: 7 }))
  const ending = new AbortController()
  const publisher = {
    ...quiet,
    gather: (event: MarketEvent) => event.kind === 'sessionOpened' && ending.abort(),
  }
  const begun = performance.now()
  await drive(
    {
      broker,
      publisher,
      speed: 'max',
      stopwatch: systemStopwatch,
      onTime: () => undefined,
      pace: undefined,
      isBacklogged: () => false,
    },
    ending.signal,
  )
  const perSecond = Math.round((broker.tape.played() / (performance.now() - begun)) * 1000)
  console.info(`${broker.tape.played()} market events, ${perSecond} a second`)
  // The machine may be busy: a tenth of the aim is still a sign of health.
  expect(perSecond).toBeGreaterThan(10_000)
})

const isPresent = existsSync(DATA)

test.each(isPresent ? [] : ['recorded data not present: no recorded day was played over sockets'])(
  '%s',
  (message) => {
    console.warn(`${message} (${DATA})`)
    expect(isPresent).toBe(false)
  },
)

test.each(
  isPresent
    ? ['a recorded day runs to its end, every print of it reaches a listener, and orders meet it']
    : [],
)('%s', async () => {
  const path = join(DATA, 'intraday/ticks_2025-09-02')
  const simulator = await startTestSimulator({ market: { kind: 'recorded', path } })
  const client = await connect(simulator)
  const stream = await listen(simulator)
  for (const { id } of simulator.instruments) await stream.subscribe('H0STCNT0', id.slice(0, 6))
  expect((await client.order('buy', '208640', 100, 580)).body.rt_cd).toBe('0')
  await simulator.run(AbortSignal.timeout(15_000))
  const sent = simulator.framesSent()
  const data = (): string[] => stream.texts.filter((text) => text.startsWith('0|'))
  await expect.poll(() => data().length, { timeout: 10_000 }).toBe(sent)
  const records = data().reduce((sum, text) => sum + Number(text.split('|')[2]), 0)
  expect(records).toBe(15_816)
  expect(data().some((text) => text.split('|')[2] !== '001')).toBe(true)
  const list = await client.dailyOrders({ INQR_STRT_DT: '20250902', INQR_END_DT: '20250902' })
  expect(list.body.output1).toMatchObject([{ rmn_qty: '0', pdno: '208640' }])
  expect(simulator.report().brokerFills).toBeGreaterThan(0)
  await simulator.run(AbortSignal.timeout(100)) // nothing is left: returns at once
  stream.socket.terminate()
  await simulator.stop()
})
