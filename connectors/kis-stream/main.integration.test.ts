// The deployed stream: a process of its own, the broker in front, Kafka and Redis behind.
import { afterEach, expect, test } from 'vitest'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { SAMSUNG } from '../../test/build.ts'
import { marketAtNoon } from '../../test/market.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

test(
  'frames of the broker come to Kafka, a dropped connection is dialed again, and SIGTERM ends it',
  { timeout: 120_000 },
  async () => {
    const settings = KafkaConfig.parse({ JTS_KAFKA_BROKERS: process.env['JTS_KAFKA_BROKERS'] })
    const bus = await kafkaBus({ settings, stopwatch: systemStopwatch, log: silentLog })
    closes.push(() => bus.close())
    const heard: string[] = []
    await bus.subscribe(
      { group: `test-${systemIds.next()}`, topics: ['market.frames', 'executions'], from: 'latest' },
      async (batch) => {
        for (const { event, offset } of batch.records) {
          heard.push(event.type)
          batch.resolve(offset)
        }
      },
    )
    const [redis, { simulator, environment }] = await Promise.all([testRedis(), marketAtNoon()])
    closes.push(
      () => redis.close(),
      () => simulator.stop(),
    )
    const program = await startProgram('connectors/kis-stream/main.ts', {
      ...environment,
      JTS_KAFKA_BROKERS: settings.JTS_KAFKA_BROKERS.join(),
      REDIS_URL: redis.url,
      JTS_INSTRUMENTS: SAMSUNG,
    })
    closes.push(() => program.kill())
    const count = (type: string): number => heard.filter((each) => each === type).length

    await expect.poll(() => count('jts.stream.connected.v1'), { timeout: 30_000 }).toBe(1)
    await expect.poll(() => program.notReady(), { timeout: 10_000 }).toEqual([])
    const market = new AbortController()
    closes.push(() => market.abort())
    void simulator.run(market.signal)
    await expect.poll(() => count('jts.frame.received.v1'), { timeout: 30_000 }).toBeGreaterThan(10)

    simulator.dropSockets()
    await expect.poll(() => count('jts.stream.connected.v1'), { timeout: 30_000 }).toBe(2)
    expect(count('jts.stream.lost.v1')).toBe(1)
    market.abort()
    expect(await program.stop()).toEqual([0, null])
  },
)

test(
  'keys that the broker refuses are not tried again and again: it stays, and says why it is not ready',
  { timeout: 120_000 },
  async () => {
    const [redis, { simulator, environment }] = await Promise.all([testRedis(), marketAtNoon()])
    closes.push(
      () => redis.close(),
      () => simulator.stop(),
    )
    const program = await startProgram('connectors/kis-stream/main.ts', {
      ...environment,
      KIS_ACCOUNT_1_APPSECRET: 'wrong',
      JTS_KAFKA_BROKERS: process.env['JTS_KAFKA_BROKERS'] ?? '',
      REDIS_URL: redis.url,
      JTS_INSTRUMENTS: SAMSUNG,
    })
    closes.push(() => program.kill())
    await expect
      .poll(() => program.notReady(), { timeout: 30_000 })
      .toEqual([expect.stringMatching(/^kis:5012345601 is refused: /)])
    expect(await program.stop()).toEqual([0, null])
  },
)
