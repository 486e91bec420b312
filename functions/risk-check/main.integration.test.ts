// The deployed function: a process of its own, HTTP in front, PostgreSQL and Redis behind.
import { afterEach, expect, test } from 'vitest'
import { redisHotState } from '#shared/adapters/redis/hot-state.ts'
import { type TestRedis, testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { price } from '#shared/domain/values.ts'
import { NOON, SAMSUNG } from '../../test/build.ts'
import { namesOf, openOrderPath } from '../../test/order-path.ts'
import { type Program, startProgram } from '../../test/program.ts'

const LIMITS = {
  JTS_ORDER_QUANTITY_MAX: '1000',
  JTS_ORDER_NOTIONAL_MAX: '10000000',
  MAX_POSITION_SIZE: '20000000',
  MAX_POSITION_CONCENTRATION: '0.5',
  MAX_PORTFOLIO_VALUE: '50000000',
  MAX_DAILY_LOSS: '1000000',
}

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

async function open() {
  const path = await openOrderPath()
  closes.push(() => path.close())
  const redis = await testRedis()
  closes.push(() => redis.close())
  const program: Program = await startProgram('functions/risk-check/main.ts', {
    ...LIMITS,
    JTS_POSTGRES_URL: path.test.url,
    REDIS_URL: redis.url,
    JTS_BUSINESS_TIME: 'events',
  })
  closes.push(() => program.kill())
  return { path, redis, program }
}

/** As ingest-tick leaves it. */
async function setPrice(redis: TestRedis, text: string): Promise<void> {
  const state = redisHotState({
    url: redis.url,
    setting: 'REDIS_URL',
    connectionName: 'test',
    keyPrefix: 'jts:',
    stopwatch: systemStopwatch,
  })
  await state.putLastPrices([{ instrumentId: SAMSUNG, price: price(text), eventTime: NOON }])
  await state.close()
}

test('an order of a recorded noon is approved on the price in Redis, twice the same, and SIGTERM ends it', async () => {
  const { path, redis, program } = await open()
  await setPrice(redis, '70000')
  const wanted = path.requested('buy 10 @ 70000')

  const { events } = await program.post(wanted)
  expect(namesOf(events)).toEqual(['order.approved'])
  expect(events[0]?.time).toBe(wanted.time)
  expect((await program.post(wanted)).events).toEqual(events)
  expect(await path.store.totals()).toMatchObject({ approved: 1 })
  expect(await program.notReady()).toEqual([])
  expect(await program.stop()).toEqual([0, null])
})

test('without Redis no order is decided, and readiness says why; when it is back, so is the function', async () => {
  const { path, redis, program } = await open()
  await setPrice(redis, '70000')
  await redis.kill()
  const wanted = path.requested('buy 10 @ 70000')

  const { status, body } = await program.post(wanted)
  expect(status).toBe(503)
  expect(body).toContain('REDIS_URL')
  await expect.poll(() => program.notReady()).toEqual([expect.stringMatching(/^Redis at REDIS_URL: /)])

  await redis.start()
  await expect.poll(() => program.notReady(), { timeout: 10_000 }).toEqual([])
  await setPrice(redis, '70000')
  expect(namesOf((await program.post(wanted)).events)).toEqual(['order.approved'])
  expect(await path.store.totals()).toMatchObject({ approved: 1, denied: 0 })

  await redis.kill()
  expect(await program.stop()).toEqual([0, null])
})

test('after FLUSHALL an order is denied, for want of a price', async () => {
  const { path, redis, program } = await open()
  await setPrice(redis, '70000')
  redis.cli('FLUSHALL')
  const { events } = await program.post(path.requested('buy 10 @ 70000'))
  expect(events).toMatchObject([{ type: 'jts.order.denied.v1', data: { code: 'FACTS_MISSING' } }])
})
