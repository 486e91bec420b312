import { expect, test } from 'vitest'
import { hotStateContract } from '#shared/ports/hot-state.contract.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { memoryHotState } from './hot-state.ts'
import { manualStopwatch } from './manual-stopwatch.ts'

hotStateContract('memoryHotState', async () => {
  const stopwatch = manualStopwatch()
  return {
    state: memoryHotState({ stopwatch }),
    elapse: async (ms) => stopwatch.elapse(ms),
    nowMs: () => stopwatch.elapsedMs(),
    isRealTime: false,
  }
})

test('keys that are set once and never looked at again do not pile up', async () => {
  const stopwatch = manualStopwatch()
  const state = memoryHotState({ stopwatch })
  for (let index = 0; index < 20_000; index += 1) {
    await state.claim(`order-${index}`, 'x', 10)
    await state.take(`bucket-${index}`, 5, 10)
    stopwatch.elapse(1)
  }
  expect(state.size()).toBeLessThan(100)
})

test('a closed state says so instead of forgetting', async () => {
  const state = memoryHotState({ stopwatch: manualStopwatch() })
  await state.close()
  await expect(state.get('a')).rejects.toThrow(RetryableError)
  await expect(state.claim('a', 'b', 1)).rejects.toThrow(RetryableError)
})
