// How many events a second the bus of a single process carries. A plain figure: nobody is raced.
import { memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type RaceResult, interleave, report } from '../harness.ts'
import { tickEvents } from '../tick-events.ts'

const ROUNDS = 5
const EVENTS = 50_000
const AT_ONCE = 100
const INSTRUMENTS = 40

async function carried(groups: number, atOnce: number): Promise<{ readonly eventsPerSecond: number }> {
  const bus = memoryBus({ stopwatch: systemStopwatch })
  let read = 0
  for (let group = 0; group < groups; group += 1) {
    await bus.subscribe({ group: `group-${group}`, topics: ['market.ticks'] }, (batch) => {
      read += batch.records.length
      batch.resolve(batch.records.at(-1)?.offset ?? 0n)
      return Promise.resolve()
    })
  }
  const events = tickEvents(EVENTS, INSTRUMENTS)
  const startMs = systemStopwatch.elapsedMs()
  for (let at = 0; at < EVENTS; at += atOnce) await bus.publish(events.slice(at, at + atOnce))
  await bus.idle()
  const elapsedMs = systemStopwatch.elapsedMs() - startMs
  await bus.close()
  if (read !== EVENTS * groups) throw new Error(`${read} of ${EVENTS * groups} events arrived`)
  return { eventsPerSecond: (EVENTS * 1_000) / elapsedMs }
}

async function run(): Promise<RaceResult> {
  const contestant = (name: string, groups: number, atOnce: number) => ({
    name,
    measure: () => carried(groups, atOnce),
  })
  const standings = await interleave(
    [
      contestant(`1 group, ${AT_ONCE} a publication`, 1, AT_ONCE),
      contestant(`4 groups, ${AT_ONCE} a publication`, 4, AT_ONCE),
      contestant('1 group, 1 a publication', 1, 1),
      contestant('4 groups, 1 a publication', 4, 1),
    ],
    { rounds: ROUNDS },
  )
  return {
    title: `memory bus, ${EVENTS.toLocaleString('en-US')} ticks of ${INSTRUMENTS} instruments, ${ROUNDS} rounds`,
    standings,
    targets: [],
    notes: ['events a second published and resolved by every group; freezing included, handlers empty'],
  }
}

report(import.meta.filename, await run())
