// The order path as it runs: four functions under the real host, a real PostgreSQL, and a broker that the test scripts.
import { isDeepStrictEqual } from 'node:util'
import { type HistoricalClock, historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { postgresInstruments } from '#shared/adapters/postgres/instruments.ts'
import { postgresLedger } from '#shared/adapters/postgres/ledger.ts'
import { postgresOrderStore } from '#shared/adapters/postgres/order-store.ts'
import { postgresOutbox } from '#shared/adapters/postgres/outbox.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { OrderRequest } from '#shared/domain/order.ts'
import type { RiskLimits, TradingState } from '#shared/domain/risk.ts'
import { type Instant, addMs, formatInstant, instant } from '#shared/domain/time.ts'
import { ZERO_MONEY, formatMoney, money, price, ratio } from '#shared/domain/values.ts'
import type { DataOf, Event, EventContract } from '#shared/events/contract.ts'
import { StreamConnected } from '#shared/events/executions.ts'
import { orderToWire } from '#shared/events/order-codec.ts'
import { OrderRequested } from '#shared/events/orders.ts'
import { SessionPhaseChanged, TimerFired } from '#shared/events/timers.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { Delivery } from '#shared/runtime/delivery.ts'
import type { FunctionDefinition, Handler } from '#shared/runtime/function.ts'
import { type FunctionHost, hostFunction } from '#shared/runtime/host.ts'
import { createLog } from '#shared/runtime/log.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import { placeOrder } from '../functions/place-order/function.ts'
import { placeOrderHandler } from '../functions/place-order/handler.ts'
import { IntentHandover } from '../functions/place-order/prepared.ts'
import { reconcileAccount } from '../functions/reconcile-account/function.ts'
import { reconcileAccountHandler } from '../functions/reconcile-account/handler.ts'
import { recordExecution } from '../functions/record-execution/function.ts'
import { recordExecutionHandler } from '../functions/record-execution/handler.ts'
import { riskFacts } from '../functions/risk-check/facts.ts'
import { riskCheck } from '../functions/risk-check/function.ts'
import { riskCheckHandler } from '../functions/risk-check/handler.ts'
import { ACCOUNT, DATE, NOON, SAMSUNG, limits, request, samsung } from './build.ts'
import { testDatabase } from './postgres.ts'
import { scriptedBroker } from './scripted-broker.ts'

const log = createLog('test', 'silent')
export const FEE_RATIO = ratio('0.00015')
export const TIMER = 'reconcile'
export const SETTLE_MS = 30_000
const APPROVAL_AGE_MS_MAX = 120_000

export interface PathOptions {
  readonly at?: Instant
  readonly limits?: Partial<RiskLimits>
  readonly accountIds?: readonly string[]
  readonly approvalAgeMsMax?: number
  /** False: accounts are opened, halted and empty, and no session is. */
  readonly isReady?: boolean
  readonly startsActive?: boolean
}

interface Parts {
  /** Stands between a function and the store. */
  readonly orders?: (store: OrderStore) => OrderStore
  readonly stopwatch?: Stopwatch
  /** Functions that share a process: risk-check prepares what place-order sends. */
  readonly intents?: IntentHandover
}

/** Everything that one replica of the system runs. */
export type Replica = ReturnType<typeof replicaOf>
export type Path = Awaited<ReturnType<typeof openOrderPath>>

export async function openOrderPath(options: PathOptions = {}) {
  const test = await testDatabase()
  const clock = historicalClock(options.at ?? NOON)
  const store = postgresOrderStore(test.database)
  const ledger = postgresLedger(test.database)
  const instruments = postgresInstruments(test.database)
  const outbox = postgresOutbox(test.database)
  const hotState = memoryHotState({ stopwatch: systemStopwatch })
  const broker = scriptedBroker(clock)
  const accountIds = options.accountIds ?? [ACCOUNT]
  const hosts: FunctionHost[] = []

  const setState = (to: TradingState, accountId = ACCOUNT): Promise<boolean> =>
    ledger.setTradingState({ accountId, to, changedBy: 'test', reason: 'test', at: clock.now() }, () => [])
  const setPrice = (text: string, instrumentId = SAMSUNG): Promise<void> =>
    hotState.putLastPrices([{ instrumentId, price: price(text), eventTime: clock.now() }])

  for (const accountId of accountIds) await ledger.openAccount({ accountId, broker: 'kis', currency: 'KRW' })
  if (options.isReady !== false) {
    await instruments.put([samsung])
    await setPrice('70000')
    for (const accountId of accountIds) {
      await ledger.adopt(accountId, { cash: money('100000000'), positions: [] })
      await ledger.openSession(accountId, DATE, money('100000000'))
      await setState('active', accountId)
    }
  }

  return {
    test,
    clock,
    store,
    ledger,
    instruments,
    outbox,
    hotState,
    broker,
    setState,
    setPrice,
    ...eventsAt(clock),
    replica: (parts: Parts = {}) =>
      replicaOf({ store, ledger, instruments, hotState, clock, broker }, options, parts, hosts),
    /** Of a process that holds the fence already, as every one does after its first order. */
    async handover(stopwatch: Stopwatch = systemStopwatch, accountId = ACCOUNT): Promise<IntentHandover> {
      const approvalAgeMsMax = options.approvalAgeMsMax ?? APPROVAL_AGE_MS_MAX
      const intents = new IntentHandover({ gateway: broker.gateway, clock, stopwatch, approvalAgeMsMax })
      intents.fenced(accountId, await store.fence(accountId))
      return intents
    },
    pass: (ms: number) => clock.advanceTo(addMs(clock.now(), ms)),
    async snapshot(accountId = ACCOUNT) {
      const account = await ledger.snapshot(accountId, instant(0))
      if (account === undefined) throw new Error(`no account ${accountId}`)
      return account
    },
    async order(clientOrderId = 'order-1') {
      const order = await store.order(clientOrderId)
      if (order === undefined) throw new Error(`no order ${clientOrderId}`)
      return order
    },
    async close() {
      for (const host of hosts) host.close()
      await test.close()
    },
  }
}

interface World {
  readonly store: OrderStore
  readonly ledger: ReturnType<typeof postgresLedger>
  readonly instruments: ReturnType<typeof postgresInstruments>
  readonly hotState: ReturnType<typeof memoryHotState>
  readonly clock: HistoricalClock
  readonly broker: ReturnType<typeof scriptedBroker>
}

function replicaOf(world: World, options: PathOptions, parts: Parts, hosts: FunctionHost[]) {
  const { store, ledger, instruments, hotState, clock, broker } = world
  const hosted = <Consumes extends EventContract, Produces extends EventContract>(
    definition: FunctionDefinition<Consumes, Produces>,
    handler: Handler<FunctionDefinition<Consumes, Produces>>,
  ): FunctionHost => {
    const host = hostFunction(definition, handler, { clock, stopwatch: systemStopwatch, log })
    hosts.push(host)
    return host
  }

  const orders = parts.orders?.(store) ?? store
  const facts = riskFacts({ ledger, hotState, instruments, clock, feeRatio: FEE_RATIO })
  const held = limits(options.limits)
  const { intents } = parts
  return {
    risk: hosted(
      riskCheck,
      riskCheckHandler({
        limitsOf: () => held,
        facts,
        orders,
        clock,
        ...(intents === undefined ? {} : { intents }),
      }),
    ),
    place: hosted(
      placeOrder,
      placeOrderHandler({
        gateway: broker.gateway,
        orders,
        clock,
        stopwatch: parts.stopwatch ?? systemStopwatch,
        approvalAgeMsMax: options.approvalAgeMsMax ?? APPROVAL_AGE_MS_MAX,
        ...(intents === undefined ? {} : { intents }),
      }),
    ),
    record: hosted(
      recordExecution,
      recordExecutionHandler({ orders, ledger, instruments, feeRatio: FEE_RATIO }),
    ),
    reconcile: hosted(
      reconcileAccount,
      reconcileAccountHandler({
        gateway: broker.gateway,
        orders,
        ledger,
        instruments,
        clock,
        rules: { settleMs: SETTLE_MS, deadlineMs: 600_000, clockSkewMs: 5_000 },
        cashTolerance: ZERO_MONEY,
        startsActive: options.startsActive ?? false,
        timer: TIMER,
      }),
    ),
  }
}

/** Events that nothing in the order path makes. */
const eventsAt = (clock: HistoricalClock) => ({
  requested: (text: string, over: Partial<OrderRequest> = {}): Event => {
    const order = request(text, { decidedTime: clock.now(), ...over })
    const data = { ...orderToWire(order), reason: 'test' }
    return finishRoot(OrderRequested, data, {
      id: `want-${order.clientOrderId}`,
      source: '/jts/test',
      clock,
    })
  },
  connected: (accountId = ACCOUNT, connection = 1): Event =>
    finishRoot(
      StreamConnected,
      { accountId, broker: 'kis', connection, connectedTime: formatInstant(clock.now()) },
      { id: `connected-${accountId}-${connection}`, source: '/jts/test', clock },
    ),
  timer: (timer = TIMER): Event =>
    finishRoot(
      TimerFired,
      { timer, dueTime: formatInstant(clock.now()) },
      { id: `timer-${clock.now()}`, source: '/jts/test', clock },
    ),
  phase: (phase: DataOf<typeof SessionPhaseChanged>['phase']): Event =>
    finishRoot(
      SessionPhaseChanged,
      { venue: 'KRX', sessionDate: DATE, phase, changedTime: formatInstant(clock.now()) },
      { id: `phase-${phase}-${clock.now()}`, source: '/jts/test', clock },
    ),
})

/** `OrderApproved`, from the type of an event. */
export const nameOf = (event: Event): string => event.type.replace(/^jts\./, '').replace(/\.v\d+$/, '')
export const namesOf = (events: readonly Event[]): readonly string[] => events.map(nameOf)

/** What a delivery emitted. @throws Error with the reason for any other outcome than `done`. */
export function outputsOf(delivery: Delivery): readonly Event[] {
  if (delivery.outcome === 'done') return delivery.outputs
  throw new Error(
    `${delivery.outcome}: ${'reason' in delivery ? delivery.reason : String(Object.values(delivery))}`,
  )
}

/** The one event that came out. */
export function onlyOf(events: readonly Event[], name: string): Event {
  const found = events.filter((event) => nameOf(event) === name)
  const [only] = found
  if (only === undefined || found.length > 1)
    throw new Error(`${found.length} of ${name} in ${namesOf(events).join()}`)
  return only
}

/**
 * Gives an event and all that follows from it to every function that consumes it, each twice: the second delivery must
 * come to the same. Returns all events in order.
 */
export async function run(replica: Partial<Replica>, ...events: readonly Event[]): Promise<readonly Event[]> {
  const queue = [...events]
  const seen: Event[] = []
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    seen.push(event)
    for (const host of Object.values(replica)) {
      const first = await host.handle(event)
      if (first.outcome === 'ignored') continue
      const outputs = outputsOf(first)
      if (host !== replica.reconcile) same(outputs, outputsOf(await host.handle(event)), event)
      queue.push(...outputs)
    }
  }
  return seen
}

function same(first: readonly Event[], second: readonly Event[], event: Event): void {
  if (isDeepStrictEqual(first, second)) return
  throw new Error(
    `a redelivery of ${nameOf(event)} said ${namesOf(second).join()}, not ${namesOf(first).join()}`,
  )
}

/** All cash, reserved or not. */
export const cashOf = async (path: Path): Promise<string> => formatMoney((await path.snapshot()).cash)

class Crash extends Error {}

/** A store whose `method` dies before or after it has done its work, as a killed process does. */
export const dying =
  (method: 'approve' | 'recordIntent' | 'change', when: 'before' | 'after') =>
  (store: OrderStore): OrderStore => ({
    ...store,
    [method]: async (...words: never[]) => {
      if (when === 'after') await (store[method] as (...words: never[]) => Promise<unknown>)(...words)
      throw new Crash(`killed ${when} ${method}`)
    },
  })
