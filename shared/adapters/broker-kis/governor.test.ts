import { describe, expect, test } from 'vitest'
import { RetryableError } from '#shared/ports/errors.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { type ManualStopwatch, manualStopwatch } from '../memory/manual-stopwatch.ts'
import { type GovernorOptions, type Priority, quotaGovernor } from './governor.ts'

const never = new AbortController().signal

function setUp(changes: Partial<GovernorOptions> = {}) {
  const stopwatch = manualStopwatch()
  const hotState = memoryHotState({ stopwatch })
  const options = { name: 'key-1', perSecond: 2, secondMs: 1_000, hotState, stopwatch, ...changes }
  return { stopwatch, hotState, options, governor: quotaGovernor(options) }
}

/** Lets what can happen without time passing happen. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

/** Passes time until everybody was served; returns who came in which order. */
async function order(
  stopwatch: ManualStopwatch,
  acquire: (priority: Priority) => Promise<void>,
  wanted: readonly Priority[],
): Promise<string> {
  const served: string[] = []
  const all = wanted.map(async (priority) => {
    await acquire(priority)
    served.push(priority.charAt(0))
  })
  for (let turn = 0; turn < 500 && served.length < wanted.length; turn += 1) {
    await settled()
    stopwatch.elapse(100)
  }
  await Promise.all(all)
  return served.join('')
}

/** A hot state that can be lost. */
const failing = (): HotState =>
  ({ take: () => Promise.reject(new RetryableError('gone')) }) as unknown as HotState

describe('the quota of one app key', () => {
  test('never lets more through in a second than stated, whoever asks', async () => {
    const { stopwatch, hotState, options, governor } = setUp()
    const other = quotaGovernor({ ...options, hotState })
    let granted = 0
    const count = (): void => void (granted += 1)
    for (let index = 0; index < 4; index += 1) {
      void governor.acquire('read', never).then(count)
      void other.acquire('read', never).then(count)
    }
    await settled()
    const perSecond = [granted]
    for (let second = 1; second < 4; second += 1) {
      for (let step = 0; step < 10; step += 1) {
        stopwatch.elapse(100)
        await settled()
      }
      perSecond.push(granted)
    }
    expect(perSecond).toEqual([2, 4, 6, 8])
  })

  test('pitfall 16: the paper second is longer than a second', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 1, secondMs: 1_100 })
    await governor.acquire('read', never)
    let second = false
    void governor.acquire('read', never).then(() => (second = true))
    await settled()
    stopwatch.elapse(1_099)
    await settled()
    expect(second).toBe(false)
    stopwatch.elapse(10)
    await settled()
    expect(second).toBe(true)
  })

  test('a cancel goes before a submit, a submit before a read, whatever came first', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 1 })
    await governor.acquire('read', never)
    const wanted: Priority[] = ['read', 'read', 'submit', 'submit', 'cancel', 'cancel']
    expect(await order(stopwatch, (priority) => governor.acquire(priority, never), wanted)).toBe('ccssrr')
  })

  test('a read is passed over eight times at most', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 1 })
    await governor.acquire('read', never)
    const wanted: Priority[] = ['read', ...Array.from({ length: 12 }, (): Priority => 'cancel')]
    const served = await order(stopwatch, (priority) => governor.acquire(priority, never), wanted)
    expect(served).toBe('ccccccccrcccc')
  })

  test('one who gives up leaves the queue and takes no slot', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 1 })
    await governor.acquire('read', never)
    const leaving = new AbortController()
    const left = governor.acquire('submit', leaving.signal)
    leaving.abort(new Error('too late'))
    await expect(left).rejects.toThrow('too late')
    expect(governor.waiting()).toBe(0)
    expect(await order(stopwatch, (priority) => governor.acquire(priority, never), ['read'])).toBe('r')
  })

  test('a full queue denies at once, but never a cancel', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 1, queueMax: 2 })
    await governor.acquire('read', never)
    const waiting = [governor.acquire('read', never), governor.acquire('submit', never)]
    await expect(governor.acquire('submit', never)).rejects.toThrow(RetryableError)
    expect(await order(stopwatch, (priority) => governor.acquire(priority, never), ['cancel'])).toBe('c')
    for (let turn = 0; turn < 30; turn += 1) {
      stopwatch.elapse(100)
      await settled()
    }
    await Promise.all(waiting)
  })

  test('a minute has a limit of its own where one is set', async () => {
    const { stopwatch, governor } = setUp({ perSecond: 10, perMinute: 3 })
    let granted = 0
    for (let index = 0; index < 5; index += 1) void governor.acquire('read', never).then(() => (granted += 1))
    await settled()
    expect(granted).toBe(3)
    for (let second = 0; second < 62; second += 1) {
      stopwatch.elapse(1_000)
      await settled()
    }
    expect(granted).toBe(5)
  })

  test('without the shared state an order is denied and a cancel goes, at the pace of one process', async () => {
    const { stopwatch, governor } = setUp({ hotState: failing(), perSecond: 1 })
    const submit = governor.acquire('submit', never)
    await expect(submit).rejects.toThrow(RetryableError)
    await expect(governor.acquire('read', never)).rejects.toThrow(RetryableError)
    await governor.acquire('cancel', never)
    let second = false
    void governor.acquire('cancel', never).then(() => (second = true))
    await settled()
    expect(second).toBe(false)
    stopwatch.elapse(1_000)
    await settled()
    expect(second).toBe(true)
  })
})
