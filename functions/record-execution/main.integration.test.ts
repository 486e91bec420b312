// The deployed function where it is told of Kafka, as on Knative: it publishes what it emits, and answers with nothing.
import { afterEach, expect, test } from 'vitest'
import { createTopics, freshSettings, openBus } from '#shared/adapters/kafka/kafka-bench.fixture.ts'
import type { Event } from '#shared/events/contract.ts'
import { type Path, openOrderPath, run } from '../../test/order-path.ts'
import { type Program, startProgram } from '../../test/program.ts'

let path: Path | undefined
let program: Program | undefined
afterEach(async () => {
  program?.kill()
  await path?.close()
  program = path = undefined
})

test(
  'several events for one fill are on their topic, in their order, before the answer, and the answer is empty',
  { timeout: 60_000 },
  async () => {
    const settings = freshSettings()
    await createTopics(settings)
    path = await openOrderPath()
    await run(path.replica(), path.requested('buy 10 @ 70000'))
    program = await startProgram('functions/record-execution/main.ts', {
      JTS_POSTGRES_URL: path.test.url,
      JTS_FEE_RATIO: '0.00015',
      JTS_KAFKA_BROKERS: settings.JTS_KAFKA_BROKERS.join(','),
      JTS_KAFKA_PREFIX: settings.JTS_KAFKA_PREFIX,
    })
    const fill = path.broker.fill('0000000001', '10 @ 70000')

    expect(await program.post(fill)).toMatchObject({ status: 204, body: '' })
    // Again, as after an answer that was lost: the same events, which who consumes them drops.
    expect((await program.post(fill)).status).toBe(204)

    const bus = await openBus(settings)
    const published: Event[] = []
    await bus.subscribe({ group: 'reader', topics: ['orders'] }, async (batch) => {
      for (const record of batch.records) {
        published.push(record.event)
        batch.resolve(record.offset)
      }
    })
    await expect.poll(() => published.length, { timeout: 20_000 }).toBe(4)
    expect(published.slice(0, 2).map(({ type }) => type)).toEqual([
      'jts.order.filled.v1',
      'jts.position.changed.v1',
    ])
    expect(published.slice(2)).toEqual(published.slice(0, 2))
    await bus.close()
    expect(await program.stop()).toEqual([0, null])
  },
)
