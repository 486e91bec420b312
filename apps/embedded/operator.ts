// What an operator may ask and order, over HTTP on loopback. `jts` is its client; without a running suite `jts` serves it
// to itself on the same stores. Not the public API: it has no users and never leaves the machine.
import { Hono, type MiddlewareHandler } from 'hono'
import * as z from 'zod'
import { averagePriceOfPosition } from '#shared/domain/position.ts'
import { TRADING_STATES, type TradingState } from '#shared/domain/risk.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import { TradingStateChanged } from '#shared/events/risk.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { IdSource } from '#shared/ports/id-source.ts'
import type { StoredOrder } from '#shared/ports/order-store.ts'
import { finishRoot } from '#shared/runtime/root-event.ts'
import type { Stores } from './stores.ts'
import { type Link, chainOf } from './why.ts'

export interface OperatorDeps {
  readonly stores: Pick<Stores, 'orders' | 'ledger' | 'archive' | 'notifications' | 'ticks'>
  readonly clock: Clock
  readonly ids: IdSource
  /** Hands events to whoever is running; they are in the outbox already. */
  readonly publish: (events: readonly Event[]) => Promise<void>
  readonly status: () => Promise<Readonly<Record<string, unknown>>>
}

const StateChange = z.strictObject({
  to: z.enum(TRADING_STATES),
  accountId: z.string().min(1).max(200).optional(),
  changedBy: z.string().min(1).max(100),
  reason: z.string().max(500),
})
const Limit = z.coerce.number().int().min(1).max(1_000).default(50)

export function operatorApp(deps: OperatorDeps): Hono {
  const { stores } = deps
  const app = new Hono()

  app.use(fromThisMachineOnly)

  app.get('/status', async (context) => {
    const accounts = await accountViews(deps)
    const states = Object.fromEntries(
      accounts.map(({ accountId, tradingState }) => [accountId, tradingState]),
    )
    return context.json({ ...(await deps.status()), ...states })
  })

  app.get('/orders', async (context) => {
    const limit = Limit.safeParse(context.req.query('limit'))
    if (!limit.success) return problem('limit', 'must be a whole number from 1 to 1000')
    const orders = await stores.orders.orders({ limit: limit.data })
    return context.json(orders.map(orderView))
  })

  app.get('/positions', async (context) => context.json(await accountViews(deps)))

  app.get('/why/:clientOrderId', async (context) => {
    const order = await stores.orders.order(context.req.param('clientOrderId'))
    if (order === undefined) return problem('clientOrderId', 'no such order', 404)
    const chain: readonly Link[] = await chainOf(order, stores)
    return context.json({ order: orderView(order), chain })
  })

  app.post('/trading-state', async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined)
    const change = StateChange.safeParse(body)
    if (!change.success) {
      return problem(
        'body',
        change.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
      )
    }
    const known = await stores.ledger.accountIds()
    const { accountId } = change.data
    if (accountId !== undefined && !known.includes(accountId))
      return problem('accountId', 'no such account', 404)
    const changed: string[] = []
    for (const id of accountId === undefined ? known : [accountId]) {
      if (await changeState(deps, id, change.data)) changed.push(id)
    }
    return context.json({ to: change.data.to, changed, accounts: await accountViews(deps) })
  })

  app.notFound(() => problem('path', 'not served here', 404))
  return app
}

/** A web page that a person has open could ask as well: browsers name it, and what they believe to be talking to. */
const fromThisMachineOnly: MiddlewareHandler = async (context, next) => {
  const { hostname } = new URL(context.req.url)
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  if (!isLocal || context.req.header('origin') !== undefined) {
    return problem('origin', 'only programs of this machine are answered', 403)
  }
  return next()
}

async function changeState(
  deps: OperatorDeps,
  accountId: string,
  change: { readonly to: TradingState; readonly changedBy: string; readonly reason: string },
): Promise<boolean> {
  const at = deps.clock.now()
  const { to, changedBy, reason } = change
  let events: readonly Event[] = []
  const isChanged = await deps.stores.ledger.setTradingState(
    { accountId, to, changedBy, reason, at },
    (from) => {
      const data = { accountId, from, to, changedBy, reason, changedTime: formatInstant(at) }
      events = [
        finishRoot(TradingStateChanged, data, { id: deps.ids.next(), source: '/jts/operator', now: at }),
      ]
      return events
    },
  )
  if (isChanged) await deps.publish(events)
  return isChanged
}

export type OrderView = ReturnType<typeof orderView>

const orderView = (order: StoredOrder) => ({
  clientOrderId: order.clientOrderId,
  accountId: order.accountId,
  requestedBy: order.requestedBy,
  instrumentId: order.instrumentId,
  side: order.side,
  orderType: order.orderType,
  quantity: order.quantity.toString(),
  limitPrice: order.limitPrice === undefined ? null : formatPrice(order.limitPrice),
  status: order.status,
  filledQuantity: order.filledQuantity.toString(),
  filledNotional: formatMoney(order.filledNotional),
  brokerOrderId: order.brokerOrderId ?? null,
  attempt: order.attempt,
  decidedTime: formatInstant(order.decidedTime),
})

export type AccountView = Awaited<ReturnType<typeof accountViews>>[number]

export async function accountViews({
  stores,
  clock,
}: {
  readonly stores: Pick<Stores, 'ledger'>
  readonly clock: Pick<Clock, 'now'>
}) {
  const views = []
  for (const accountId of await stores.ledger.accountIds()) {
    const account = await stores.ledger.snapshot(accountId, clock.now())
    if (account === undefined) continue
    views.push({
      accountId,
      tradingState: account.tradingState,
      currency: account.currency,
      cash: formatMoney(account.cash),
      openingEquity: account.openingEquity === undefined ? null : formatMoney(account.openingEquity),
      reservations: account.reservations.length,
      positions: account.positions
        .filter((position) => position.quantity !== 0n)
        .map((position) => {
          const average = averagePriceOfPosition(position)
          return {
            instrumentId: position.instrumentId,
            quantity: position.quantity.toString(),
            averagePrice: average === undefined ? null : formatPrice(average),
            realizedPnl: formatMoney(position.realizedPnl),
          }
        }),
      realizedPnl: formatMoney(
        account.positions.reduce(
          (sum, position) => (sum + position.realizedPnl) as typeof sum,
          0n as typeof account.cash,
        ),
      ),
    })
  }
  return views
}

const problem = (pointer: string, detail: string, status: 400 | 403 | 404 = 400): Response =>
  Response.json(
    {
      type: 'about:blank',
      title: status === 404 ? 'Not found' : 'Bad request',
      status,
      detail: `${pointer}: ${detail}`,
    },
    { status, headers: { 'content-type': 'application/problem+json' } },
  )
