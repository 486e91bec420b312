// The deployed function as it is: a process of its own, HTTP in front, ClickHouse's engine behind.
import { afterEach, expect, test } from 'vitest'
import { clickhouseArchive } from '#shared/adapters/clickhouse/archive.ts'
import { testClickHouse } from '#shared/adapters/clickhouse/engine.fixture.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { TimerFired } from '#shared/events/timers.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { NOON } from '../../test/build.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

test(
  'an event that is answered for is stored, once, even if the process dies',
  { timeout: 30_000 },
  async () => {
    const engine = await testClickHouse()
    closes.push(() => engine.close())
    const archive = clickhouseArchive(engine.clickhouse, { stopwatch: systemStopwatch })
    closes.push(() => archive.close())
    const program = await startProgram('functions/archive-event/main.ts', { JTS_CLICKHOUSE_URL: engine.url })
    closes.push(() => program.kill())

    const event = finishRoot(
      TimerFired,
      { timer: 'risk', dueTime: '2025-09-02T03:00:00.000Z' },
      { id: 'timer-1', source: '/test', now: NOON },
    )
    for (let delivery = 0; delivery < 2; delivery += 1) {
      expect(await program.post(event)).toMatchObject({ status: 204 })
    }
    program.kill()
    expect(await archive.byId(event.id)).toMatchObject({ id: event.id })
    expect(await archive.count()).toBe(1)
  },
)
