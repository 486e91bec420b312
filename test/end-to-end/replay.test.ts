import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Summary } from '../../apps/embedded/summary.ts'
import { RECORDED, hasRecorded, replay, scratch, start } from './suite.ts'

const TICKS = join(RECORDED, 'intraday', 'ticks_2025-09-02')
const DAILY = join(RECORDED, 'daily', 'etf_2025-01-02_2026-04-24')

/** What must hold after any run, however it went. */
function agreesWithTheBroker(summary: Summary): void {
  const byId = (left: { instrumentId: string }, right: { instrumentId: string }) =>
    left.instrumentId.localeCompare(right.instrumentId)
  const held = (summary.brokerPositions ?? []).filter(({ quantity }) => quantity !== '0')
  expect(summary.brokerOrders).toBe(summary.ordersSubmitted)
  expect(summary.positions.toSorted(byId)).toEqual(held.toSorted(byId))
  expect(summary.cash).toEqual(summary.brokerCash)
  expect(summary.quarantined).toBe(0)
}

const recordedDays = (): void => {
  test(
    'a day of ticks runs the whole loop to fills, twice to the same hash',
    { timeout: 300_000 },
    async () => {
      const [one, two] = [await scratch(), await scratch()]
      const first = await replay(TICKS, one.path)
      const second = await replay(TICKS, two.path)

      expect(first.fills).toBeGreaterThan(0)
      expect(first.ordersFilled).toBeGreaterThan(0)
      expect(first.notifications).toBeGreaterThan(0)
      agreesWithTheBroker(first)
      expect(second.eventsHash).toBe(first.eventsHash)
      await Promise.all([one.remove(), two.remove()])
    },
  )

  test(
    'killed in the middle and started again: no order twice, none lost',
    { timeout: 300_000 },
    async () => {
      const place = await scratch()
      const data = join(place.path, 'data')
      // The journal is compacted at each start; the whole day fills about 200,000 bytes of it.
      for (const bytes of [20_000, 40_000, 40_000]) {
        const run = start(['--replay', TICKS, '--speed', 'max', '--exit', '--data', data])
        await grown(join(data, 'simulator', 'journal'), bytes, run.ended)
        run.child.kill('SIGKILL')
        expect(await run.ended).toBe('SIGKILL')
      }
      const summary = await replay(TICKS, place.path)
      expect(summary.fills).toBeGreaterThan(0)
      expect(summary.ordersOpen).toBe(0)
      agreesWithTheBroker(summary)
      await place.remove()
    },
  )

  test('a directory of daily bars runs the whole loop to fills', { timeout: 600_000 }, async () => {
    const place = await scratch()
    const summary = await replay(DAILY, place.path)
    expect(summary.fills).toBeGreaterThan(0)
    agreesWithTheBroker(summary)
    await place.remove()
  })
}

const nothingRecorded = (): void => {
  test('recorded data not present: replays are not tested here', () => {
    console.log(`no ${RECORDED}: the end-to-end replays need recorded market data`)
    expect(hasRecorded).toBe(false)
  })
}

describe('recorded days', () => (hasRecorded ? recordedDays() : nothingRecorded()))

/** Resolves once the file has reached a size; rejects when the process ends first. */
async function grown(path: string, bytes: number, ended: Promise<number | string>): Promise<void> {
  let over: number | string | undefined
  const watch = async (): Promise<void> => {
    over = await ended
  }
  void watch()
  for (;;) {
    if (over !== undefined) throw new Error(`the run ended with ${over} before it was killed`)
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    )
    if (size >= bytes) return
    await sleep(20)
  }
}

test('bad settings: one message that lists every fault, exit code 2, nothing started', async () => {
  const place = await scratch()
  const run = start(['--data', join(place.path, 'data')], {
    MAX_DAILY_LOSS: 'lots',
    BATCH_SIZE: '-1',
    LOG_LEVEL: 'loud',
  })
  expect(await run.ended).toBe(2)
  for (const name of ['MAX_DAILY_LOSS', 'BATCH_SIZE', 'LOG_LEVEL']) expect(run.output()).toContain(name)
  await expect(readFile(join(place.path, 'data', 'jts.log'))).rejects.toThrow('ENOENT')
  await place.remove()
})

test('too little room on the disk: JTS ends before anything is half written, and says where and how much', async () => {
  const place = await scratch()
  const data = join(place.path, 'data')
  const run = start(['--data', data], { JTS_DISK_MIB_MIN: '1e9' })
  expect(await run.ended).toBe(1)
  expect(run.output()).toContain(`the disk that holds ${data} is full`)
  expect(run.output()).toContain('JTS_DISK_MIB_MIN')
  await place.remove()
})

test('an option that does not exist: exit code 2 and the usage', async () => {
  const run = start(['--sped', 'max'])
  expect(await run.ended).toBe(2)
  expect(run.output()).toContain('--sped: no such option')
})
