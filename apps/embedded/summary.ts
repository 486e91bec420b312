// What a run did, for people and for checks. Orders and fills are read from the store, so that a run that was killed and
// started again still counts every one of them; what only flows (frames, ticks, signals) is of this run.
import { writeFile } from 'node:fs/promises'
import { FrameReceived, BarClosed, SignalRaised, TickTraded } from '#shared/events/market.ts'
import { NotificationDelivered } from '#shared/events/notifications.ts'
import { OrderRequested } from '#shared/events/orders.ts'
import type { Simulator } from '../kis-simulator/simulator.ts'
import type { AccountView } from './operator.ts'
import type { Stores } from './stores.ts'
import type { Tally } from './tally.ts'

export async function summaryOf(input: {
  readonly tally: Tally
  readonly stores: Pick<Stores, 'orders'>
  readonly accounts: readonly AccountView[]
  readonly simulator: Simulator | undefined
  readonly durationMs: number
}) {
  const { tally, stores, accounts, simulator } = input
  const totals = await stores.orders.totals()
  const broker = simulator?.report()
  return {
    frames: tally.count(FrameReceived),
    ticks: tally.count(TickTraded),
    bars: tally.count(BarClosed),
    signals: tally.count(SignalRaised),
    ordersRequested: totals.requested,
    ordersRequestedThisRun: tally.count(OrderRequested),
    ordersApproved: totals.approved,
    ordersDenied: totals.denied,
    ordersSubmitted: totals.submitted,
    ordersFilled: totals.filled,
    ordersOpen: totals.open,
    fills: totals.fills,
    quarantined: (await stores.orders.quarantined(1_000)).length,
    brokerOrders: broker?.brokerOrders ?? null,
    brokerFills: broker?.brokerFills ?? null,
    notifications: tally.count(NotificationDelivered),
    positions: accounts.flatMap((account) =>
      account.positions.map(({ instrumentId, quantity }) => ({
        accountId: account.accountId,
        instrumentId,
        quantity,
      })),
    ),
    brokerPositions:
      broker?.accounts.flatMap(({ accountNumber, positions }) =>
        positions.map(({ symbol, quantity }) => ({
          accountId: `kis:${accountNumber}`,
          instrumentId: `${symbol}.KRX`,
          quantity,
        })),
      ) ?? null,
    cash: accounts.map(({ accountId, cash }) => ({ accountId, cash })),
    brokerCash:
      broker?.accounts.map(({ accountNumber, cash }) => ({ accountId: `kis:${accountNumber}`, cash })) ??
      null,
    eventsHash: tally.eventsHash(),
    durationMs: Math.round(input.durationMs),
  }
}

export type Summary = Awaited<ReturnType<typeof summaryOf>>

export const writeSummary = (path: string, summary: Summary): Promise<void> =>
  writeFile(path, `${JSON.stringify(summary, null, 2)}\n`)
