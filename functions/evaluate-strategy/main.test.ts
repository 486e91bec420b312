// The deployed function as it is: a process of its own, HTTP in front, PostgreSQL and ClickHouse's engine behind.
import { afterEach, expect, test } from 'vitest'
import { testClickHouse } from '#shared/adapters/clickhouse/engine.fixture.ts'
import { clickhouseTickStore } from '#shared/adapters/clickhouse/tick-store.ts'
import { postgresDocuments } from '#shared/adapters/postgres/documents.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { addMs } from '#shared/domain/time.ts'
import { ZERO_QUANTITY } from '#shared/domain/values.ts'
import { BarClosed } from '#shared/events/market.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { ACCOUNT, NOON, SAMSUNG } from '../../test/build.ts'
import { namesOf, openOrderPath } from '../../test/order-path.ts'
import { startProgram } from '../../test/program.ts'
import { barOutput } from '../ingest-tick/outputs.ts'
import { barOf } from './bench.fixture.ts'

const MINUTE_MS = 60_000
const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

/** The bar that closes `minutes` after noon. */
const bar = (minutes: number, close: string) =>
  barOf(SAMSUNG, '1m', addMs(NOON, (minutes - 1) * MINUTE_MS), close)

const closed = (minutes: number, close: string) =>
  finishRoot(BarClosed, barOutput({ ...bar(minutes, close), missedVolume: ZERO_QUANTITY }).data, {
    id: `bar-${minutes}`,
    source: '/test',
    now: bar(minutes, close).closeTime,
  })

test(
  'warmed by the history in ClickHouse, a close that crosses makes a signal and an order request',
  { timeout: 60_000 },
  async () => {
    const path = await openOrderPath()
    closes.push(() => path.close())
    const engine = await testClickHouse()
    closes.push(() => engine.close())
    const ticks = clickhouseTickStore(engine.clickhouse, { stopwatch: systemStopwatch })
    await ticks.appendBars(Array.from({ length: 20 }, (_, index) => bar(index - 20, '70000')))
    await ticks.close()
    await postgresDocuments(path.test.database).put({
      kind: 'strategy',
      id: 'cross',
      after: 0,
      body: {
        id: 'cross',
        kind: 'moving-average-cross',
        enabled: true,
        accountId: 'elsewhere',
        instrumentIds: 'all',
        parameters: { orderNotional: '2000000', interval: '1m', fastBars: 2, slowBars: 4 },
      },
      changedBy: 'test',
    })
    const program = await startProgram('functions/evaluate-strategy/main.ts', {
      JTS_POSTGRES_URL: path.test.url,
      JTS_CLICKHOUSE_URL: engine.url,
      JTS_PAPER_ACCOUNT_ID: ACCOUNT,
      JTS_BUSINESS_TIME: 'events',
      JTS_WARM_UP_WAIT_MS: '9000',
    })
    closes.push(() => program.kill())

    expect(await program.post(closed(0, '70000'))).toMatchObject({ status: 204 })
    const { events } = await program.post(closed(1, '72000'))
    expect(namesOf(events)).toEqual(['signal.raised', 'order.requested'])
    expect(events[1]?.data).toMatchObject({ accountId: ACCOUNT, instrumentId: SAMSUNG, side: 'buy' })
    expect(await program.stop()).toEqual([0, null])
  },
)
