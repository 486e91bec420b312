// P12: from a market frame on the bus to its order at the broker, through the suite as it ships.
//
// T1. Time runs from the publication of the frame until the broker has read the whole order.
// T2. The bound is what no design that keeps an order safe can leave out, on the same database and to the same broker: a
//     read and a write of hot state, one durable statement that writes inbox, order and outbox rows, one POST.
import { Agent, request } from 'node:http'
import type { PostgresDatabase } from '#shared/adapters/postgres/database.ts'
import type { InstrumentId } from '#shared/domain/instrument.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { formatQuantity, price } from '#shared/domain/values.ts'
import { TickTraded } from '#shared/events/market.ts'
import { OrderCanceled, OrderRequested } from '#shared/events/orders.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { type RaceResult, figureOf, interleave, percentile, report } from '../harness.ts'
import { machineMs } from '../machine-time.ts'
import { BASE_PRICE, type MarketFeed, PRICE_STEP, marketFeed, stocks } from '../market-feed.ts'
import { ACCOUNT_ID, type OrderPath, SESSION_START, openOrderPath } from '../order-path.ts'
import { pinningNote, startServer } from '../processes.ts'

const ROUNDS = 7
const ORDERS = 100
const INSTRUMENTS = 16
/** Orders that stay with the broker before they are cleared away, where the account is quiet. */
const WORKING_MAX = 8
/** Business time between two orders: else all orders of a round would count as of one second. */
const BETWEEN_MS = 1_100

const BOUND = 'bound: hot state + 1 statement + POST'
const OURS = 'ours, account as last read'
const CHANGED = 'ours, account changed since'

interface Race {
  readonly path: OrderPath
  readonly feed: MarketFeed
  readonly ids: readonly InstrumentId[]
  readonly brokerPort: number
  sent: number
  /** When the last timed frame was published. */
  startedMs: number
}

const arrivalsAt = async (port: number): Promise<readonly number[]> =>
  (await (await fetch(`http://127.0.0.1:${port}/arrivals`)).json()) as number[]

/** One order by way of the suite; milliseconds (T1). */
async function orderOf(race: Race, onStart: () => void = () => undefined): Promise<number> {
  const { path, feed, ids, brokerPort } = race
  const { bus, clock } = path
  const id = ids[race.sent % ids.length]
  if (id === undefined) throw new Error('no instruments')
  const upPrice = BASE_PRICE + (1 + (Math.floor(race.sent / ids.length) % 20)) * PRICE_STEP
  race.sent += 1
  clock.skip(BETWEEN_MS)
  await bus.publish([feed.frame(id, [BASE_PRICE - PRICE_STEP], clock.now())])
  await bus.idle()
  clock.skip(BETWEEN_MS) // prints of one second are one close
  const frame = feed.frame(id, [upPrice], clock.now())
  onStart()
  const startMs = machineMs()
  race.startedMs = startMs
  await bus.publish([frame])
  await bus.idle()
  const arrivals = await arrivalsAt(brokerPort)
  const [arrivedMs] = arrivals
  if (arrivedMs === undefined || arrivals.length !== 1) {
    const [newest] = await path.stores.orders.orders({ limit: 1 })
    throw new Error(`${arrivals.length} orders came of one tick; the newest is ${newest?.status}`)
  }
  return arrivedMs - startMs
}

/** Ends what the broker still works on, as its own cancels would. */
async function clear({ path }: Race): Promise<void> {
  const { stores, bus, clock } = path
  for (const { clientOrderId, revision, quantity } of await stores.orders.openOrders(ACCOUNT_ID)) {
    const now = clock.now()
    const data = {
      accountId: ACCOUNT_ID,
      clientOrderId,
      filledQuantity: '0',
      canceledQuantity: formatQuantity(quantity),
      eventTime: formatInstant(now),
    }
    const canceled = finishRoot(OrderCanceled, data, {
      id: `canceled-${clientOrderId}`,
      source: '/bench',
      now,
    })
    const outcome = await stores.orders.change(
      { accountId: ACCOUNT_ID, clientOrderId, revision, status: 'canceled' },
      { consumer: 'bench', eventId: `clear-${clientOrderId}`, outputs: [canceled] },
    )
    if (outcome !== 'done') throw new Error(`${clientOrderId} could not be cleared: ${outcome}`)
    await bus.publish([canceled])
  }
  await bus.idle()
}

const figures = (latencies: readonly number[]) => ({
  p10Us: percentile(latencies, 0.1) * 1_000,
  p50Us: percentile(latencies, 0.5) * 1_000,
  p99Us: percentile(latencies, 0.99) * 1_000,
})

async function quietAccount(race: Race) {
  const latencies: number[] = []
  while (latencies.length < ORDERS) {
    await clear(race)
    await orderOf(race) // the account is read
    for (let order = 1; order < WORKING_MAX; order += 1) latencies.push(await orderOf(race))
  }
  return figures(latencies)
}

async function changedAccount(race: Race) {
  const latencies: number[] = []
  while (latencies.length < ORDERS) {
    await clear(race)
    latencies.push(await orderOf(race))
  }
  return figures(latencies)
}

const TABLES = `
  CREATE SCHEMA bench;
  CREATE TABLE bench.inbox (consumer text, event_id text, PRIMARY KEY (consumer, event_id));
  CREATE TABLE bench.orders (client_order_id text PRIMARY KEY, account_id text, instrument_id text, side text,
    quantity bigint, limit_price numeric, status text);
  CREATE TABLE bench.outbox (sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text UNIQUE, event jsonb);`

const STATEMENT = {
  name: 'bound of the race',
  text: `
  WITH inboxed AS (INSERT INTO bench.inbox VALUES ('bench', $1)),
  placed AS (INSERT INTO bench.orders VALUES ($1, $2, $3, 'buy', 28, 70300, 'submitting'))
  INSERT INTO bench.outbox (id, event) VALUES ($1, $4)`,
}

/** T2. */
function boundOf(race: Race, database: PostgresDatabase, hotState: HotState) {
  const agent = new Agent({ keepAlive: true })
  const body = JSON.stringify({
    CANO: '50123456',
    PDNO: '005930',
    ORD_DVSN: '00',
    ORD_QTY: '28',
    ORD_UNPR: '70300',
  })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const post = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = {
        agent,
        method: 'POST',
        port: race.brokerPort,
        host: '127.0.0.1',
        path: '/order',
        headers,
      }
      const outgoing = request(options, (incoming) => {
        incoming.resume()
        incoming.once('end', resolve)
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  const event = JSON.stringify({ type: 'jts.order.submitted.v1', data: { reason: 'x'.repeat(400) } })
  const [instrumentId] = race.ids
  if (instrumentId === undefined) throw new Error('no instruments')
  let made = 0
  const once = async (): Promise<number> => {
    made += 1
    const eventTime = race.path.clock.now()
    const startMs = machineMs()
    await hotState.putLastPrices([{ instrumentId, price: price('70300'), eventTime }])
    await hotState.lastPrices([instrumentId])
    await database.run(STATEMENT, [`bound-${made}`, ACCOUNT_ID, instrumentId, event])
    await post()
    const [arrivedMs = Number.NaN] = await arrivalsAt(race.brokerPort)
    return arrivedMs - startMs
  }
  return {
    async measure() {
      const latencies: number[] = []
      while (latencies.length < ORDERS) latencies.push(await once())
      return figures(latencies)
    },
    close: () => agent.destroy(),
  }
}

async function run(): Promise<RaceResult> {
  const broker = await startServer({ file: 'bench/servers/order-peer.ts' })
  const instruments = stocks(INSTRUMENTS, SESSION_START)
  const parameters = { interval: 'tick', orderNotional: '2000000', fastBars: 1, slowBars: 2 }
  const path = await openOrderPath({
    brokerPort: broker.port,
    instruments,
    strategies: [{ id: 'every-tick', kind: 'moving-average-cross', parameters }],
  })
  try {
    await path.database.session((execute) => execute(TABLES))
    const ids = instruments.map((instrument) => instrument.id)
    const race: Race = { path, feed: marketFeed(), ids, brokerPort: broker.port, sent: 0, startedMs: 0 }
    await warmUp(race)
    const bound = boundOf(race, path.database, path.hotState)
    const standings = await interleave(
      [
        { name: BOUND, measure: () => bound.measure() },
        { name: OURS, measure: () => quietAccount(race) },
        { name: CHANGED, measure: () => changedAccount(race) },
      ],
      { rounds: ROUNDS, warmUps: 2 },
    )
    bound.close()
    const steps = await stepsOf(race)
    const ratio = (name: string, figure: string): number =>
      figureOf(standings, name, figure) / figureOf(standings, BOUND, figure)
    return {
      title: `tick to order at the broker, embedded suite, ${ROUNDS} rounds of ${ORDERS} orders`,
      standings,
      targets: [
        { what: 'p50, ours ÷ bound', value: ratio(OURS, 'p50Us'), atMost: 1.5 },
        { what: 'p99, ours ÷ bound', value: ratio(OURS, 'p99Us'), atMost: 1.5 },
        { what: 'p50 after the account changed ÷ bound', value: ratio(CHANGED, 'p50Us'), atMost: 1.5 },
        { what: 'p99 after the account changed ÷ bound', value: ratio(CHANGED, 'p99Us'), atMost: 1.5 },
      ],
      notes: [
        `PostgreSQL embedded, fsync on; ${pinningNote} (broker only)`,
        `microseconds of a median order: ${steps}`,
      ],
    }
  } finally {
    await path.close()
    await broker.stop()
  }
}

/** Where the time of a quiet order goes, in microseconds: medians of the steps between two events on the bus. */
async function stepsOf(race: Race): Promise<string> {
  const seen = new Map<string, number>()
  const steps = new Map<string, number[]>()
  const { bus } = race.path
  const topics = ['market.ticks', 'orders'] as const
  const watching = await bus.subscribe({ group: 'watch', topics, from: 'latest' }, (batch) => {
    for (const { event } of batch.records) seen.set(event.type, machineMs())
    batch.resolve(batch.records.at(-1)?.offset ?? 0n)
    return Promise.resolve()
  })
  for (let order = 0; order < ORDERS; order += 1) {
    if (order % WORKING_MAX === 0) await clear(race)
    const latencyMs = await orderOf(race, () => seen.clear())
    const startMs = race.startedMs
    const marks = [startMs, ...[TickTraded, OrderRequested].map(({ type }) => seen.get(type) ?? startMs)]
    marks.push(startMs + latencyMs)
    STEPS.forEach((step, index) => {
      const elapsedMs = (marks[index + 1] ?? 0) - (marks[index] ?? 0)
      steps.set(step, [...(steps.get(step) ?? []), elapsedMs])
    })
  }
  await watching.close()
  return STEPS.map((step) => `${step} ${Math.round(percentile(steps.get(step) ?? [], 0.5) * 1_000)}`).join(
    ', ',
  )
}

/** Approval and intent are one step: the order leaves before its approval is on the bus. */
const STEPS = ['frame → tick', 'tick → request', 'request → broker'] as const

/** The closes that the strategy needs before its first opinion. */
async function warmUp({ path, feed, ids }: Race): Promise<void> {
  for (let tick = 0; tick < 4; tick += 1) {
    for (const id of ids)
      await path.bus.publish([feed.frame(id, [BASE_PRICE - PRICE_STEP], path.clock.now())])
    await path.bus.idle()
    path.clock.skip(BETWEEN_MS)
  }
}

report(import.meta.filename, await run())
