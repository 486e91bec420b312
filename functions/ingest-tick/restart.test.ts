// Processes end at any moment. Whatever bars come out in spite of it are the bars that one long-lived process makes.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { DataOf, Event } from '#shared/events/contract.ts'
import { isOf } from '#shared/events/contract.ts'
import { BarClosed } from '#shared/events/market.ts'
import { bench, frame, phase, samsung } from './bench.fixture.ts'

interface Step {
  readonly gapSeconds: number
  readonly price: number
  readonly units: number
  /** What happens to the process when this frame is in hand. */
  readonly fate: 'lives' | 'crashesUnpublished' | 'crashesPublished' | 'drains' | 'losesHotState'
}

const steps = fc.array(
  fc.record<Step>({
    gapSeconds: fc.integer({ min: 0, max: 100 }),
    price: fc.integer({ min: 900, max: 1_100 }),
    // A lost frame is always more than the part that a bar may miss: 40 of at most 3,000.
    units: fc.integer({ min: 40, max: 50 }),
    fate: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Step['fate']>('lives') },
      fc.constantFrom<Step['fate']>('crashesUnpublished', 'crashesPublished', 'drains', 'losesHotState'),
    ),
  }),
  { minLength: 5, maxLength: 60 },
)

const clockOf = (second: number): string =>
  [9 + Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')

/** One frame a step, then the close. */
function framesOf(given: readonly Step[]): readonly Event[] {
  let second = 0
  let volume = 0
  return given.map((step) => {
    second += step.gapSeconds
    volume += step.units
    return frame(`trade 005930.KRX ${clockOf(second)} ${step.price} ${step.units} ${volume}`)
  })
}

type BarData = DataOf<typeof BarClosed>
const keyOf = (bar: BarData): string => `${bar.interval} ${bar.openTime}`

function collect(into: Map<string, BarData[]>, events: readonly Event[]): void {
  for (const event of events) {
    if (isOf(BarClosed, event))
      into.set(keyOf(event.data), [...(into.get(keyOf(event.data)) ?? []), event.data])
  }
}

async function uninterrupted(frames: readonly Event[], close: Event): Promise<Map<string, BarData[]>> {
  const bars = new Map<string, BarData[]>()
  const { send } = bench()
  for (const event of [...frames, close]) collect(bars, await send(event))
  return bars
}

async function interrupted(given: readonly Step[], frames: readonly Event[], close: Event) {
  const bars = new Map<string, BarData[]>()
  let hotState = memoryHotState({ stopwatch: systemStopwatch })
  let running = bench({ hotState, instruments: [samsung] })
  for (const [index, event] of frames.entries()) {
    const fate = given[index]?.fate ?? 'lives'
    const outputs = await running.send(event)
    if (fate !== 'crashesUnpublished') collect(bars, outputs)
    if (fate === 'lives') continue
    if (fate === 'drains') await running.handler.drain()
    if (fate === 'losesHotState') hotState = memoryHotState({ stopwatch: systemStopwatch })
    running = bench({ hotState, instruments: [samsung] })
    // What was in hand at a crash is delivered again.
    if (fate.startsWith('crashes')) collect(bars, await running.send(event))
  }
  collect(bars, await running.send(close))
  return bars
}

test('no bar is ever wrong, and none is lost while the hot state lives', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const frames = framesOf(given)
      const close = phase('closed', '15:30:00')
      const expected = await uninterrupted(frames, close)
      const bars = await interrupted(given, frames, close)
      for (const [key, versions] of bars) {
        for (const bar of versions) expect([key, bar]).toEqual([key, expected.get(key)?.[0]])
      }
      const isLossless = given.every(({ fate }) => fate !== 'losesHotState')
      expect(isLossless ? [...bars.keys()].toSorted() : []).toEqual(
        isLossless ? [...expected.keys()].toSorted() : [],
      )
    }),
    { numRuns: 60 },
  )
})
