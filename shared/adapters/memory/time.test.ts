import { expect, test } from 'vitest'
import { addMs, instant } from '#shared/domain/time.ts'
import { clockContract, stopwatchContract } from '#shared/ports/clock.contract.ts'
import { historicalClock } from './historical-clock.ts'
import { manualStopwatch } from './manual-stopwatch.ts'

const START = instant(1_756_339_200_000)
const never = new AbortController().signal

clockContract('historicalClock', () => {
  const clock = historicalClock(START)
  return { clock, pass: async (ms) => clock.advanceTo(addMs(clock.now(), ms)) }
})
stopwatchContract('manualStopwatch', () => {
  const stopwatch = manualStopwatch()
  return { stopwatch, pass: async (ms) => stopwatch.elapse(ms) }
})

test('a replay cannot turn the clock back', () => {
  const clock = historicalClock(START)
  clock.advanceTo(addMs(START, 5))
  expect(() => clock.advanceTo(START)).toThrow(RangeError)
  expect(clock.now()).toBe(addMs(START, 5))
})

test('those due at the same instant wake in the order they fell asleep', async () => {
  const clock = historicalClock(START)
  const order: string[] = []
  const all = ['a', 'b', 'c'].map((name) =>
    clock.sleepUntil(addMs(START, 1), never).then(() => order.push(name)),
  )
  clock.advanceTo(addMs(START, 10))
  await Promise.all(all)
  expect(order).toEqual(['a', 'b', 'c'])
})

test('aborted sleepers are forgotten', async () => {
  const stopwatch = manualStopwatch()
  const stop = new AbortController()
  const sleeping = Array.from({ length: 100 }, () => stopwatch.sleep(1000, stop.signal))
  stop.abort(new Error('stopped'))
  await Promise.allSettled(sleeping)
  expect(stopwatch.sleeping()).toBe(0)
})
