// Each command: what it asks of the operator interface, and how the answer is shown.
import { userInfo } from 'node:os'
import type { AccountView, OrderView } from '../embedded/operator.ts'
import type { Link } from '../embedded/why.ts'
import { table } from './table.ts'

export class UsageError extends Error {
  override name = 'UsageError'
}

export interface OperatorRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

export interface CommandOptions {
  readonly limit?: string | undefined
  readonly reason?: string | undefined
}

export interface Command {
  /** @throws UsageError when words are missing or too many. */
  request(words: readonly string[], options: CommandOptions): OperatorRequest
  show(body: unknown): string
}

const none = (words: readonly string[]): void => {
  if (words.length > 0) throw new UsageError(`${words[0]}: not expected here`)
}

const stateChange = (to: 'halted' | 'active', byDefault: string): Command => ({
  request(words, { reason = byDefault }) {
    none(words)
    const changedBy = `operator:${userInfo().username}`
    return { method: 'POST', path: '/trading-state', body: { to, changedBy, reason } }
  },
  show(body) {
    const { changed, accounts } = body as { changed: readonly string[]; accounts: readonly AccountView[] }
    const lines = accounts.map(
      ({ accountId, tradingState }) =>
        `${accountId}  ${tradingState}${changed.includes(accountId) ? '' : '  (it was before)'}\n`,
    )
    return lines.length === 0 ? 'no account is open yet\n' : lines.join('')
  },
})

export const COMMANDS: Readonly<Record<string, Command>> = {
  status: {
    request(words) {
      none(words)
      return { method: 'GET', path: '/status' }
    },
    show: (body) =>
      Object.entries(body as Record<string, unknown>)
        .map(
          ([name, value]) =>
            `${name.padEnd(16)} ${typeof value === 'string' ? value : JSON.stringify(value)}\n`,
        )
        .join(''),
  },
  orders: {
    request(words, { limit = '50' }) {
      none(words)
      return { method: 'GET', path: `/orders?limit=${encodeURIComponent(limit)}` }
    },
    show: (body) =>
      table(
        [
          'order',
          'decided',
          'by',
          'instrument',
          'side',
          'quantity',
          'price',
          'status',
          'filled',
          'broker order',
        ],
        (body as readonly OrderView[]).map((order) => [
          order.clientOrderId,
          order.decidedTime,
          order.requestedBy,
          order.instrumentId,
          order.side,
          order.quantity,
          order.limitPrice ?? 'market',
          order.status,
          order.filledQuantity,
          order.brokerOrderId ?? '-',
        ]),
        'no orders yet',
      ),
  },
  positions: {
    request(words) {
      none(words)
      return { method: 'GET', path: '/positions' }
    },
    show: (body) =>
      (body as readonly AccountView[])
        .map(
          (account) =>
            `${account.accountId}  ${account.tradingState}  cash ${account.cash} ${account.currency}  realized ${account.realizedPnl}  ` +
            `${account.reservations} working\n` +
            table(
              ['instrument', 'quantity', 'average', 'realized'],
              account.positions.map((position) => [
                position.instrumentId,
                position.quantity,
                position.averagePrice ?? '-',
                position.realizedPnl,
              ]),
              'no positions',
            ),
        )
        .join('\n') || 'no account is open yet\n',
  },
  why: {
    request([clientOrderId, ...rest]) {
      none(rest)
      if (clientOrderId === undefined) throw new UsageError('why needs an order id: see `jts orders`')
      return { method: 'GET', path: `/why/${encodeURIComponent(clientOrderId)}` }
    },
    show(body) {
      const { order, chain } = body as { order: OrderView; chain: readonly Link[] }
      const head = `${order.clientOrderId}  ${order.side} ${order.quantity} ${order.instrumentId} @ ${order.limitPrice ?? 'market'}  ${order.status}\n\n`
      return (
        head +
        table(
          ['time', 'event', 'what'],
          chain.map(({ time, type, summary }) => [time, type, summary]),
          'nothing is recorded',
        )
      )
    },
  },
  halt: stateChange('halted', 'halted by hand'),
  resume: stateChange('active', 'resumed by hand'),
}
