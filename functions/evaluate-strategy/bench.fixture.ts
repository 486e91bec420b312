// A small world for the tests of this function: one open account whose orders fill when a test says so.
import { type HistoricalClock, historicalClock } from '#shared/adapters/memory/historical-clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { AccountSnapshot, Reservation } from '#shared/domain/account.ts'
import { type InstrumentId, type Instrument, instrumentId } from '#shared/domain/instrument.ts'
import type { Bar, BarInterval } from '#shared/domain/market-data.ts'
import type { TradingState } from '#shared/domain/risk.ts'
import { type Instant, formatInstant, parseInstant } from '#shared/domain/time.ts'
import { type Money, formatPrice, money, price, quantity } from '#shared/domain/values.ts'
import { type DataOf, type Event, type EventContract, type EventOf, isOf } from '#shared/events/contract.ts'
import { BarClosed, SignalRaised, TickTraded } from '#shared/events/market.ts'
import { OrderFilled, OrderRequested, PositionChanged } from '#shared/events/orders.ts'
import type { Document } from '#shared/ports/documents.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import { silentLog } from '#shared/runtime/log.ts'
import { evaluateStrategy } from './function.ts'
import { evaluateStrategyHandler } from './handler.ts'
import type { EvaluateSettings, EvaluateStrategyDeps } from './world.ts'
import type { StrategyDocument } from './roster.ts'

export const ACCOUNT = 'paper-1'
export const SAMSUNG = instrumentId('005930.KRX')
export const kst = (date: string, time: string): Instant => parseInstant(`${date}T${time}+09:00`)

const MINUTE_MS = 60_000
export const SETTINGS: EvaluateSettings = {
  executionIntervalMs: 1_000,
  refreshMs: 0,
  warmUpWaitMs: 1_000,
  orderInFlightMs: 60_000,
  marketEventAgeMsMax: 10_000,
  accountAgeMsMax: 0,
}

export const stockOf = (id: InstrumentId): Instrument => ({
  id,
  name: id,
  kind: 'stock',
  market: 'KOSPI',
  currency: 'KRW',
  quantityIncrement: quantity('1'),
  isTradable: true,
})

export function barOf(id: InstrumentId, interval: BarInterval, openTime: Instant, close: string): Bar {
  const at = price(close)
  const length = interval === '1d' ? 6.5 * 60 * MINUTE_MS : interval === '5m' ? 5 * MINUTE_MS : MINUTE_MS
  return {
    instrumentId: id,
    interval,
    openTime,
    closeTime: (openTime + length) as Instant,
    open: at,
    high: at,
    low: at,
    close: at,
    volume: quantity('10'),
    notional: money('1'),
    trades: 1,
  }
}

export interface BenchOptions {
  readonly documents: readonly StrategyDocument[]
  readonly history?: EvaluateStrategyDeps['history']
  readonly settings?: Partial<EvaluateSettings>
  readonly start?: Instant
}

interface WorldState {
  isReadable: boolean
  isOpen: boolean
  tradingState: TradingState
  /** Runs between a reading of the account and its answer. */
  onRead: () => Promise<void>
  readonly positions: Map<InstrumentId, { quantity: bigint; openNotional: bigint }>
  reservations: Reservation[]
  /** Orders on record. */
  readonly known: Set<string>
  readonly requested: DataOf<typeof OrderRequested>[]
  readonly signals: DataOf<typeof SignalRaised>[]
  readonly faults: unknown[]
}

const emptyWorld = (): WorldState => ({
  isReadable: true,
  isOpen: true,
  tradingState: 'active',
  onRead: async () => undefined,
  positions: new Map(),
  reservations: [],
  known: new Set(),
  requested: [],
  signals: [],
  faults: [],
})

const snapshotOf = (world: WorldState, accountId: string): AccountSnapshot => ({
  accountId,
  version: 1n,
  tradingState: world.tradingState,
  currency: 'KRW',
  cash: money('100000000'),
  positions: [...world.positions].map(([id, held]) => ({
    instrumentId: id,
    quantity: held.quantity,
    openNotional: held.openNotional as Money,
    realizedPnl: money('0'),
  })),
  reservations: world.reservations,
  recentOrders: [],
})

function documentsOf(bodies: readonly StrategyDocument[]) {
  const stored = new Map<string, Document>()
  const put = (body: StrategyDocument | Record<string, unknown>, id = String(body.id)): void => {
    const version = (stored.get(id)?.version ?? 0) + 1
    stored.set(id, { kind: 'strategy', id, version, body, changedBy: 'test' })
  }
  for (const body of bodies) put(body)
  return { put, list: async () => [...stored.values()] }
}

/** Events as the host takes them, stamped by the clock, which goes along with the market. */
function eventsOf(clock: HistoricalClock) {
  let count = 0
  const eventOf = (contract: EventContract, data: object, id?: string): Event => {
    count += 1
    const eventId = id ?? `event-${count}`
    return {
      specversion: '1.0',
      id: eventId,
      source: '/test',
      type: contract.type,
      subject: contract.subject(data),
      time: formatInstant(clock.now()),
      datacontenttype: 'application/json',
      partitionkey: contract.key(data),
      correlationid: eventId,
      causationid: eventId,
      data,
    }
  }
  const advanceTo = (at: Instant): void => {
    if (at > clock.now()) clock.advanceTo(at)
  }
  const bar = (of: Bar, id?: string): Event => {
    advanceTo(of.closeTime)
    const { openTime, closeTime, open, high, low, close, volume, notional, ...rest } = of
    const times = { openTime: formatInstant(openTime), closeTime: formatInstant(closeTime) }
    const prices = {
      open: formatPrice(open),
      high: formatPrice(high),
      low: formatPrice(low),
      close: formatPrice(close),
    }
    return eventOf(
      BarClosed,
      { ...rest, ...times, ...prices, volume: `${volume}`, notional: `${notional}` },
      id,
    )
  }
  const tick = (id: InstrumentId, at: Instant, last: string): Event => {
    advanceTo(at)
    const time = formatInstant(at)
    const sizes = { quantity: '1', sessionVolume: '1', bidPrice: '0', askPrice: '0' }
    const times = { eventTime: time, receivedTime: time }
    return eventOf(TickTraded, { instrumentId: id, ...times, price: last, aggressor: 'buy', ...sizes })
  }
  return { eventOf, bar, tick }
}

/** A whole fill, as record-execution would tell it. The world's position has changed already. */
function fillEvents(
  eventOf: (contract: EventContract, data: object) => Event,
  order: DataOf<typeof OrderRequested>,
  positionQuantity: bigint,
  eventTime: string,
): readonly Event[] {
  const { accountId, clientOrderId, side, instrumentId: name } = order
  const unit = order.limitPrice ?? '1'
  const filled = eventOf(OrderFilled, {
    accountId,
    clientOrderId,
    executionId: 'x',
    side,
    instrumentId: name,
    lastQuantity: order.quantity,
    lastPrice: unit,
    lastNotional: '1',
    filledQuantity: order.quantity,
    remainingQuantity: '0',
    fee: '0',
    tax: '0',
    eventTime,
  })
  const changed = eventOf(PositionChanged, {
    accountId,
    instrumentId: name,
    quantity: `${positionQuantity}`,
    averagePrice: unit,
    realizedPnl: '0',
    cash: '1',
    eventTime,
  })
  return [filled, changed]
}

export function bench({ documents, history = async () => [], settings = {}, start }: BenchOptions) {
  const clock = historicalClock(start ?? kst('2025-09-02', '08:00:00'))
  const { put, list } = documentsOf(documents)
  const world = emptyWorld()
  const snapshot = async (accountId: string): Promise<AccountSnapshot | undefined> => {
    if (!world.isReadable) throw new Error('the ledger is away')
    const read = world.isOpen ? snapshotOf(world, accountId) : undefined
    await world.onRead()
    return read
  }
  const handler = evaluateStrategyHandler({
    documents: { list },
    history,
    ledger: { snapshot },
    orders: {
      order: async (id) => (world.known.has(id) ? ({ clientOrderId: id } as StoredOrder) : undefined),
    },
    instruments: { get: async (id) => stockOf(id) },
    clock,
    stopwatch: systemStopwatch,
    log: { ...silentLog, error: (fields) => world.faults.push(fields) },
    settings: { ...SETTINGS, ...settings },
  })
  const host = hostFunction(evaluateStrategy, handler, { clock, stopwatch: systemStopwatch, log: silentLog })
  const events = eventsOf(clock)

  const send = async (event: Event): Promise<readonly Event[]> => {
    const delivery = await host.handle(event)
    if (delivery.outcome === 'defect') throw delivery.error
    if (delivery.outcome !== 'done') throw new Error(`${delivery.outcome}: ${JSON.stringify(delivery)}`)
    for (const output of delivery.outputs) {
      if (isOf(OrderRequested, output)) world.requested.push(output.data)
      if (isOf(SignalRaised, output)) world.signals.push(output.data)
    }
    return delivery.outputs
  }
  const fill = async (order: DataOf<typeof OrderRequested>): Promise<void> => {
    const id = instrumentId(order.instrumentId)
    const held = world.positions.get(id)?.quantity ?? 0n
    const units = BigInt(order.quantity)
    const after = order.side === 'buy' ? held + units : held - units
    world.positions.set(id, { quantity: after, openNotional: after * price(order.limitPrice ?? '1') })
    for (const event of fillEvents(events.eventOf, order, after, formatInstant(clock.now())))
      await send(event)
  }
  return { ...events, send, fill, put, world, clock, host, handler }
}

export const ordersOf = (events: readonly Event[]): EventOf<DataOf<typeof OrderRequested>>[] =>
  events.filter((event) => isOf(OrderRequested, event))
