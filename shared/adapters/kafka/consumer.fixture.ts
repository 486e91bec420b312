// A consumer as a process of its own, to be killed: `node consumer.fixture.ts BROKERS PREFIX GROUP`. It handles one record,
// says so, and hangs in the middle of its batch.
import { freshSettings, openBus } from './kafka-bench.fixture.ts'

const [brokers = '', prefix = '', group = ''] = process.argv.slice(2)
const bus = await openBus(freshSettings(brokers, { JTS_KAFKA_PREFIX: prefix }))
await bus.subscribe({ group, topics: ['market.ticks'] }, async (batch) => {
  const [first] = batch.records
  if (first === undefined) return
  batch.resolve(first.offset)
  console.log(first.event.id)
  await new Promise(() => undefined)
})
