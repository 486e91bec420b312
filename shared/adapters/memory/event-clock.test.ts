import { expect, test } from 'vitest'
import { addMs, instant } from '#shared/domain/time.ts'
import { clockContract } from '#shared/ports/clock.contract.ts'
import { eventClock } from './event-clock.ts'

const START = instant(1_756_339_200_000)

clockContract('eventClock', () => {
  const clock = eventClock()
  clock.happened(START)
  return { clock, pass: async (ms) => clock.happened(addMs(clock.now(), ms)) }
})

test('before the first event it is long ago, so that nothing looks fresh', () => {
  expect(eventClock().now()).toBe(0)
})

test('an event that comes late does not turn it back', () => {
  const clock = eventClock()
  clock.happened(START)
  clock.happened(addMs(START, -60_000))
  expect(clock.now()).toBe(START)
})
