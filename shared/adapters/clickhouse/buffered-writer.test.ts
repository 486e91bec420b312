import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { manualStopwatch } from '#shared/adapters/memory/manual-stopwatch.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import { bufferedWriter } from './buffered-writer.ts'

/** Something to write to that can be down, or held in the middle of a write. */
const sink = () => {
  const batches: (readonly number[])[] = []
  const state = { isDown: false, hold: Promise.resolve() }
  const write = async (batch: readonly number[]): Promise<void> => {
    await state.hold
    if (state.isDown) throw new Error('no space left on device')
    batches.push(batch)
  }
  return { batches, state, write }
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a full batch goes out at once; a part waits for its interval, not longer', async () => {
  const stopwatch = manualStopwatch()
  const { batches, write } = sink()
  const writer = bufferedWriter('rows', write, { stopwatch, batchSize: 10, flushIntervalMs: 1000 })
  await writer.append(range(0, 13))
  await turn()
  expect(batches).toEqual([range(0, 10)])
  stopwatch.elapse(999)
  await turn()
  expect(batches).toHaveLength(1)
  stopwatch.elapse(1)
  await turn()
  expect(batches).toEqual([range(0, 10), range(10, 13)])
  await writer.append([13])
  stopwatch.elapse(1000)
  await turn()
  expect(batches.flat()).toEqual(range(0, 14))
})

test('a full buffer makes the caller wait, and takes it in when there is room', async () => {
  const { batches, state, write } = sink()
  const held = Promise.withResolvers<void>()
  state.hold = held.promise
  const writer = bufferedWriter('rows', write, { stopwatch: manualStopwatch(), batchSize: 5, bufferSize: 10 })
  await writer.append(range(0, 10))
  let isTaken = false
  const waiting = writer.append(range(10, 40)).then(() => (isTaken = true))
  await turn()
  expect(isTaken).toBe(false)
  expect(writer.waiting()).toBe(10)
  held.resolve()
  await waiting
  await writer.flush()
  expect(batches.flat()).toEqual(range(0, 40))
  expect(Math.max(...batches.map((batch) => batch.length))).toBe(5)
})

test('what cannot be written is kept, reported and tried again; flush says so instead of waiting for ever', async () => {
  const stopwatch = manualStopwatch()
  const { batches, state, write } = sink()
  const faults: Error[] = []
  let recoveries = 0
  const writer = bufferedWriter('rows', write, {
    stopwatch,
    batchSize: 4,
    onFault: (e) => faults.push(e),
    onWritten: () => (recoveries += 1),
  })
  state.isDown = true
  await writer.append(range(0, 6))
  await expect(writer.flush()).rejects.toThrow(RetryableError)
  await expect(writer.flush()).rejects.toThrow('6 rows wait')
  expect(faults.length).toBeGreaterThanOrEqual(2)
  expect(writer.waiting()).toBe(6)
  state.isDown = false
  stopwatch.elapse(10_000)
  await turn()
  expect(batches.flat()).toEqual(range(0, 6))
  await writer.flush()
  expect(recoveries).toBe(1)
})

test('a store that is down is not hammered', async () => {
  const stopwatch = manualStopwatch()
  const { state, write } = sink()
  let attempts = 0
  const writer = bufferedWriter('rows', write, { stopwatch, batchSize: 1, onFault: () => (attempts += 1) })
  state.isDown = true
  await writer.append([1])
  for (let second = 0; second < 600; second += 1) {
    await turn()
    stopwatch.elapse(100)
  }
  expect(attempts).toBeGreaterThan(5)
  expect(attempts).toBeLessThan(15)
})

test('closing writes what waits, or says what is lost', async () => {
  const good = sink()
  const closing = bufferedWriter('rows', good.write, { stopwatch: manualStopwatch(), batchSize: 3 })
  await closing.append(range(0, 8))
  await closing.close()
  expect(good.batches.flat()).toEqual(range(0, 8))
  await expect(closing.append([9])).rejects.toThrow(RetryableError)

  const bad = sink()
  bad.state.isDown = true
  const failing = bufferedWriter('rows', bad.write, { stopwatch: manualStopwatch(), bufferSize: 2 })
  await failing.append([1, 2])
  const shutOut = failing.append([3])
  shutOut.catch(() => {})
  await expect(failing.close()).rejects.toThrow('2 rows wait')
  await expect(shutOut).rejects.toThrow(RetryableError)
})

test('whatever fails and whenever, every row arrives once and in order', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 }),
    fc.array(fc.boolean(), { maxLength: 40 }),
    fc.integer({ min: 1, max: 12 }),
    async (sizes, failures, batchSize) => {
      const stopwatch = manualStopwatch()
      const stored: number[] = []
      const plan = [...failures]
      const write = async (batch: readonly number[]): Promise<void> => {
        await turn()
        if (plan.shift() === true) throw new Error('down')
        stored.push(...batch)
      }
      const writer = bufferedWriter('rows', write, { stopwatch, batchSize, bufferSize: 20 })
      let next = 0
      const appends = sizes.map((size) => {
        const rows = range(next, next + size)
        next += size
        return writer.append(rows)
      })
      for (let step = 0; step < 500 && stored.length < next; step += 1) {
        await turn()
        stopwatch.elapse(10_000)
      }
      await Promise.all(appends)
      expect(stored).toEqual(range(0, next))
    },
  )
  await expect(fc.assert(property, { numRuns: 100 })).resolves.toBeUndefined()
})
