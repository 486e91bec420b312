import { expect, test } from 'vitest'
import { clockContract, stopwatchContract } from '#shared/ports/clock.contract.ts'
import { systemClock } from './clock.ts'
import { systemIds, systemRandomBytes } from './ids.ts'
import { systemStopwatch } from './stopwatch.ts'

clockContract('systemClock', () => ({ clock: systemClock, pass: async () => {} }))
stopwatchContract('systemStopwatch', () => ({ stopwatch: systemStopwatch, pass: async () => {} }))

test('a due time beyond the range of a timer is not mistaken for now', async () => {
  const stop = new AbortController()
  let isAwake = false
  const sleeping = systemStopwatch.sleep(2 ** 31 + 1000, stop.signal).then(() => (isAwake = true))
  await systemStopwatch.sleep(5, new AbortController().signal)
  expect(isAwake).toBe(false)
  stop.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
})

test('ids repeat neither each other nor break a URL', () => {
  const ids = Array.from({ length: 10_000 }, () => systemIds.next())
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[\w-]{1,40}$/)
})

test('random bytes come in the size asked for', () => {
  expect(systemRandomBytes(32)).toHaveLength(32)
  expect(systemRandomBytes(16)).not.toEqual(systemRandomBytes(16))
})
