// The deployed function: a process of its own, HTTP in front, PostgreSQL, Redis and ClickHouse's engine behind.
import { afterEach, expect, test } from 'vitest'
import { testClickHouse } from '#shared/adapters/clickhouse/engine.fixture.ts'
import { testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { addMs, formatInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import { FrameReceived } from '#shared/events/market.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { frameOf } from '../../bench/kis-frame.ts'
import { NOON, SAMSUNG } from '../../test/build.ts'
import { namesOf, openOrderPath } from '../../test/order-path.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

async function open() {
  const path = await openOrderPath()
  closes.push(() => path.close())
  const redis = await testRedis()
  closes.push(() => redis.close())
  const engine = await testClickHouse()
  closes.push(() => engine.close())
  const program = await startProgram('functions/ingest-tick/main.ts', {
    JTS_POSTGRES_URL: path.test.url,
    JTS_CLICKHOUSE_URL: engine.url,
    REDIS_URL: redis.url,
    JTS_BUSINESS_TIME: 'events',
    JTS_TICK_FLUSH_INTERVAL_MS: '60000',
  })
  closes.push(() => program.kill())
  return { redis, clickhouse: engine.clickhouse, program }
}

/** One print, `seconds` after noon. */
function frame(seconds: number, price: number): Event {
  const at = formatInstant(addMs(NOON, seconds * 1_000))
  const second = String(seconds % 60).padStart(2, '0')
  const time = `12${String(Math.floor(seconds / 60)).padStart(2, '0')}${second}`
  const print = {
    symbol: '005930',
    time,
    date: '20250902',
    price,
    quantity: 1,
    volume: 1_000 + seconds,
    side: '1',
  } as const
  return finishRoot(
    FrameReceived,
    { broker: 'kis', channel: 'H0STCNT0', instrumentId: SAMSUNG, frame: frameOf([print]), receivedTime: at },
    { id: `frame-${seconds}`, source: '/test', now: addMs(NOON, seconds * 1_000) },
  )
}

test('a frame becomes a tick and a hot price, and what was buffered is stored when it ends', async () => {
  const { redis, clickhouse, program } = await open()
  const { events } = await program.post(frame(1, 70_000))
  expect(namesOf(events)).toEqual(['tick.traded'])
  expect((await program.post(frame(1, 70_000))).events).toEqual(events)
  expect(redis.cli('HGET', 'jts:last-prices', SAMSUNG)).toMatch(/^\d+ 70000\n$/)
  expect(await program.stop()).toEqual([0, null])

  expect(
    await clickhouse.select(`SELECT toString(count()) AS n FROM ${clickhouse.database}.ticks FINAL`),
  ).toEqual([{ n: '1' }])
  expect(redis.cli('EXISTS', `jts:key/forming/${SAMSUNG}`)).toBe('1\n')
})

test('without Redis the feed goes on; when it is back, so are the prices', async () => {
  const { redis, program } = await open()
  await program.post(frame(1, 70_000))
  await redis.kill()
  for (const second of [2, 3, 4]) {
    expect(namesOf((await program.post(frame(second, 70_000 + second * 100))).events)).toEqual([
      'tick.traded',
    ])
  }
  expect(await program.notReady()).toEqual([])
  await redis.start()
  let second = 4
  await expect
    .poll(
      async () => {
        second += 1
        await program.post(frame(second, 71_000))
        return redis.cli('HGET', 'jts:last-prices', SAMSUNG)
      },
      { timeout: 10_000, interval: 200 },
    )
    .toMatch(/ 71000\n$/)
})
