// The deployed function: a process of its own, HTTP in front, PostgreSQL and Redis behind, and a broker beyond.
import { afterEach, expect, test } from 'vitest'
import { testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { marketAtNoon } from '../../test/market.ts'
import { namesOf, onlyOf, openOrderPath, outputsOf } from '../../test/order-path.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

async function open() {
  const path = await openOrderPath()
  closes.push(() => path.close())
  const [redis, { simulator, environment }] = await Promise.all([testRedis(), marketAtNoon()])
  closes.push(
    () => redis.close(),
    () => simulator.stop(),
  )
  const program = await startProgram('functions/place-order/main.ts', {
    ...environment,
    JTS_POSTGRES_URL: path.test.url,
    REDIS_URL: redis.url,
    JTS_BUSINESS_TIME: 'events',
  })
  closes.push(() => program.kill())
  const approved = async (text: string, clientOrderId: string) =>
    onlyOf(
      outputsOf(await path.replica().risk.handle(path.requested(text, { clientOrderId }))),
      'order.approved',
    )
  return { path, redis, simulator, program, approved }
}

test('an approved order is at the broker once, however often its approval comes, and SIGTERM ends it', async () => {
  const { path, simulator, program, approved } = await open()
  const approval = await approved('buy 10 @ 70000', 'order-1')

  const { events } = await program.post(approval)
  expect(namesOf(events)).toEqual(['order.submitted', 'order.accepted'])
  expect((await program.post(approval)).events).toEqual(events)
  expect(simulator.report().brokerOrders).toBe(1)
  expect((await path.order()).status).toBe('accepted')
  expect(await program.stop()).toEqual([0, null])
})

test('without Redis the quota is not known: nothing leaves, and evidence decides about the order', async () => {
  const { path, redis, simulator, program, approved } = await open()
  await redis.kill()
  const { events } = await program.post(await approved('buy 10 @ 70000', 'order-1'))
  expect(namesOf(events)).toEqual(['order.submitted', 'order.outcome-unknown'])
  expect(simulator.report().brokerOrders).toBe(0)
  expect((await path.order()).status).toBe('outcomeUnknown')
  expect(await program.notReady()).toEqual([expect.stringMatching(/^Redis at REDIS_URL: /)])

  await redis.start()
  await expect.poll(() => program.notReady(), { timeout: 10_000 }).toEqual([])
  const next = await program.post(await approved('buy 5 @ 69000', 'order-2'))
  expect(namesOf(next.events)).toEqual(['order.submitted', 'order.accepted'])
  expect(simulator.report().brokerOrders).toBe(1)
})
