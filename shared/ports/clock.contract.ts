import { describe, expect, test } from 'vitest'
import { addMs } from '#shared/domain/time.ts'
import type { Clock, Stopwatch } from './clock.ts'

const never = new AbortController().signal

/** What every Clock must do. `pass` lets time go by: it moves a clock that is moved by hand, and waits for the other kind. */
export const clockContract = (
  adapter: string,
  open: () => { clock: Clock; pass: (ms: number) => Promise<void> },
): void => {
  describe(`${adapter} as Clock`, () => {
    test('does not run backwards', async () => {
      const { clock, pass } = open()
      const before = clock.now()
      await pass(3)
      expect(clock.now()).toBeGreaterThanOrEqual(before)
    })

    test('does not wait for what is past or due now', async () => {
      const { clock } = open()
      await expect(clock.sleepUntil(addMs(clock.now(), -1), never)).resolves.toBeUndefined()
      await expect(clock.sleepUntil(clock.now(), never)).resolves.toBeUndefined()
    })

    test('wakes nobody early', async () => {
      const { clock, pass } = open()
      const due = addMs(clock.now(), 15)
      const woken = clock.sleepUntil(due, never).then(() => clock.now())
      await pass(15)
      expect(await woken).toBeGreaterThanOrEqual(due)
    })

    test('wakes in the order of the due times, not of the calls', async () => {
      const { clock, pass } = open()
      const start = clock.now()
      const order: number[] = []
      const all = [60, 20, 40].map((ms) =>
        clock.sleepUntil(addMs(start, ms), never).then(() => order.push(ms)),
      )
      await pass(60)
      await Promise.all(all)
      expect(order).toEqual([20, 40, 60])
    })

    test('a sleeper that is aborted rejects with the reason, at once', async () => {
      const { clock } = open()
      const stop = new AbortController()
      const sleeping = clock.sleepUntil(addMs(clock.now(), 3_600_000), stop.signal)
      const reason = new Error('stopped')
      stop.abort(reason)
      await expect(sleeping).rejects.toBe(reason)
      await expect(clock.sleepUntil(addMs(clock.now(), -1), stop.signal)).rejects.toBe(reason)
    })
  })
}

/** What every Stopwatch must do. */
export const stopwatchContract = (
  adapter: string,
  open: () => { stopwatch: Stopwatch; pass: (ms: number) => Promise<void> },
): void => {
  describe(`${adapter} as Stopwatch`, () => {
    test('wakes nobody early', async () => {
      const { stopwatch, pass } = open()
      const start = stopwatch.elapsedMs()
      const woken = stopwatch.sleep(15, never).then(() => stopwatch.elapsedMs())
      await pass(15)
      expect(await woken).toBeGreaterThanOrEqual(start + 15)
    })

    test('a sleep that is aborted rejects with the reason, at once', async () => {
      const { stopwatch } = open()
      const stop = new AbortController()
      const sleeping = stopwatch.sleep(3_600_000, stop.signal)
      const reason = new Error('stopped')
      stop.abort(reason)
      await expect(sleeping).rejects.toBe(reason)
    })
  })
}
