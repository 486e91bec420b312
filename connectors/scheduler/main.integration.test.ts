// The deployed scheduler: a process of its own, Kafka and Redis behind.
import { afterEach, expect, test } from 'vitest'
import { KafkaConfig } from '#shared/adapters/kafka/config.ts'
import { kafkaBus } from '#shared/adapters/kafka/event-bus.ts'
import { testRedis } from '#shared/adapters/redis/redis-server.fixture.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { Event } from '#shared/events/contract.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { startProgram } from '../../test/program.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close()
})

test(
  'of two schedulers one publishes; when it dies the other takes over, and no timer is published twice',
  { timeout: 120_000 },
  async () => {
    const settings = KafkaConfig.parse({ JTS_KAFKA_BROKERS: process.env['JTS_KAFKA_BROKERS'] })
    const bus = await kafkaBus({ settings, stopwatch: systemStopwatch, log: silentLog })
    closes.push(() => bus.close())
    const heard: Event[] = []
    await bus.subscribe(
      { group: `test-${systemIds.next()}`, topics: ['timers'], from: 'latest' },
      async (batch) => {
        for (const { event, offset } of batch.records) {
          heard.push(event)
          batch.resolve(offset)
        }
      },
    )
    const redis = await testRedis()
    closes.push(() => redis.close())
    const start = async () => {
      const program = await startProgram('connectors/scheduler/main.ts', {
        JTS_KAFKA_BROKERS: settings.JTS_KAFKA_BROKERS.join(),
        REDIS_URL: redis.url,
        JTS_RECONCILE_INTERVAL: '1000',
      })
      closes.push(() => program.kill())
      return program
    }
    const timers = () => heard.filter(({ subject }) => subject === 'reconcile')

    const first = await start()
    await expect.poll(() => timers().length, { timeout: 30_000 }).toBeGreaterThan(1)
    expect(await first.notReady()).toEqual([])
    const second = await start()
    first.kill()
    const before = timers().length
    await expect.poll(() => timers().length, { timeout: 60_000 }).toBeGreaterThan(before + 2)
    const ids = timers().map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(await second.stop()).toEqual([0, null])
    expect(redis.cli('EXISTS', 'jts:key/scheduler/leader')).toBe('0\n')
  },
)
