// The deployed function: a process of its own, HTTP in front, PostgreSQL and Redis behind, and a broker beyond.
import { afterEach, expect, test } from 'vitest'
import { testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { price } from '#shared/domain/values.ts'
import { ACCOUNT, HYNIX, SAMSUNG } from '../../test/build.ts'
import { marketAtNoon } from '../../test/market.ts'
import { namesOf, openOrderPath } from '../../test/order-path.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

test('a broker seen for the first time: its account is opened and adopted, what is followed gets its base price', async () => {
  const path = await openOrderPath({ accountIds: [], isReady: false })
  closes.push(() => path.close())
  const [redis, { simulator, environment }] = await Promise.all([testRedis(), marketAtNoon()])
  closes.push(
    () => redis.close(),
    () => simulator.stop(),
  )
  const program = await startProgram('functions/reconcile-account/main.ts', {
    ...environment,
    JTS_POSTGRES_URL: path.test.url,
    REDIS_URL: redis.url,
    JTS_INSTRUMENTS: `${SAMSUNG}, ${HYNIX}:KOSPI:stock`,
    JTS_TRADING_STARTS_ACTIVE: 'true',
    JTS_BUSINESS_TIME: 'events',
  })
  closes.push(() => program.kill())

  expect(await path.ledger.accountIds()).toEqual([ACCOUNT])
  const events = []
  for (const event of [path.connected(), path.timer()]) events.push(...(await program.post(event)).events)
  expect(namesOf(events)).toContain('account.reconciled')
  expect(await path.snapshot()).toMatchObject({ tradingState: 'active', cash: 1_000_000_000_000n })
  const [first] = simulator.instruments.filter(({ id }) => id === SAMSUNG)
  expect(await path.instruments.get(SAMSUNG)).toMatchObject({ basePrice: first?.basePrice ?? price('0') })
  expect(await program.stop()).toEqual([0, null])
})
