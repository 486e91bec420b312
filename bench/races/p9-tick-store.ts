// P9: ten thousand ticks into the tick table, and how long the event loop stands still meanwhile. All on ClickHouse's own
// engine in this process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import { openClickHouse } from '#shared/adapters/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '#shared/adapters/clickhouse/migrate.ts'
import { TICK_COLUMNS, tickRows } from '#shared/adapters/clickhouse/tick-store.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { instant } from '#shared/domain/time.ts'
import { type Quantity, formatPrice, price, quantity } from '#shared/domain/values.ts'
import type { StoredTick } from '#shared/ports/tick-store.ts'
import { type RaceResult, figureOf, interleave, report } from '../harness.ts'

const TICKS = 10_000
const ROUNDS = 15
const INSTRUMENTS = 20

const PEER = 'client.insert, JSONEachRow of objects'
const OURS = 'ours, RowBinary'
const BOUND = 'bound: the engine copies them from a table in memory'

const directory = mkdtempSync(join(tmpdir(), 'jts-p9-'))
const db = await openClickHouse({ directory })
await migrateClickHouse(db)
const connection = createChdbConnection({ path: directory }) as unknown
const client = createClient({
  connection: connection as NonNullable<ClickHouseClientConfigOptions['connection']>,
})

const ticks = Array.from({ length: TICKS }, (_, index): StoredTick => {
  const eventTime = instant(1_756_771_200_000 + index * 7)
  return {
    instrumentId: instrumentId(`00${5_930 + (index % INSTRUMENTS)}.KRX`),
    eventTime,
    receivedTime: eventTime,
    price: price(`${70_000 + (index % 50) * 100}`),
    quantity: quantity(`${1 + (index % 90)}`),
    aggressor: index % 2 === 0 ? 'buy' : 'sell',
    sessionVolume: BigInt(index) as Quantity,
    bidPrice: price('70000'),
    askPrice: price('70100'),
    tickId: `${index}`.padStart(32, 'a'),
  }
})

const objectOf = (tick: StoredTick) => ({
  instrument_id: tick.instrumentId,
  event_time: tick.eventTime,
  received_time: tick.receivedTime,
  price: formatPrice(tick.price),
  quantity: `${tick.quantity}`,
  aggressor: tick.aggressor,
  session_volume: `${tick.sessionVolume}`,
  bid_price: formatPrice(tick.bidPrice),
  ask_price: formatPrice(tick.askPrice),
  tick_id: tick.tickId,
})

const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
  [PEER]: () =>
    client.insert({ table: `${db.database}.ticks`, format: 'JSONEachRow', values: ticks.map(objectOf) }),
  [OURS]: () => db.insertBinary('ticks', TICK_COLUMNS, tickRows(ticks)),
  [BOUND]: () => db.command(`INSERT INTO ${db.database}.ticks SELECT * FROM ${db.database}.ready`),
}

const COUNT_AND_HASH = `SELECT toString(count()) AS count, toString(sum(cityHash64(*))) AS hash FROM ${db.database}.ticks`

/** H3. */
async function checkSame(): Promise<void> {
  const found: string[] = []
  for (const way of [PEER, OURS]) {
    await db.command(`TRUNCATE TABLE ${db.database}.ticks`)
    await WAYS[way]?.()
    found.push(JSON.stringify(await db.select(COUNT_AND_HASH)))
  }
  if (found[0] !== found[1]) throw new Error(`the rows differ: ${found.join(' and ')}`)
  await db.command(`CREATE TABLE ${db.database}.ready AS ${db.database}.ticks ENGINE = Memory`)
  await db.command(`INSERT INTO ${db.database}.ready SELECT * FROM ${db.database}.ticks`)
}

async function timed(work: () => Promise<unknown>): Promise<{ rowsPerSecond: number }> {
  await db.command(`TRUNCATE TABLE ${db.database}.ticks`)
  const startMs = systemStopwatch.elapsedMs()
  await work()
  return { rowsPerSecond: (TICKS * 1_000) / (systemStopwatch.elapsedMs() - startMs) }
}

/** The longest time between two turns of the event loop; measured apart, for watching takes a core. */
async function blocked(work: () => Promise<unknown>): Promise<{ blockedMs: number }> {
  await db.command(`TRUNCATE TABLE ${db.database}.ticks`)
  const done = new AbortController()
  let blockedMs = 0
  let lastMs = systemStopwatch.elapsedMs()
  const working = work().finally(() => done.abort())
  while (!done.signal.aborted) {
    await turn()
    const nowMs = systemStopwatch.elapsedMs()
    blockedMs = Math.max(blockedMs, nowMs - lastMs)
    lastMs = nowMs
  }
  await working
  return { blockedMs }
}

async function run(): Promise<RaceResult> {
  await checkSame()
  const contestants = Object.entries(WAYS).map(([name, work]) => ({
    name,
    measure: async () => ({ ...(await timed(work)), ...(await blocked(work)) }),
  }))
  const standings = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
  const rate = (name: string): number => figureOf(standings, name, 'rowsPerSecond')
  return {
    title: `${TICKS.toLocaleString('en-US')} ticks an insert, ${ROUNDS} rounds`,
    standings,
    targets: [
      { what: 'rows a second, ours ÷ JSONEachRow', value: rate(OURS) / rate(PEER), atLeast: 4 },
      {
        what: 'longest stop of the event loop, ours, ms',
        value: figureOf(standings, OURS, 'blockedMs'),
        atMost: 10,
      },
    ],
    notes: ['every insert makes a part on disk; rows of both roads are compared before the race'],
  }
}

try {
  report(import.meta.filename, await run())
} finally {
  await client.close()
  await db.close()
  rmSync(directory, { recursive: true, force: true })
}
