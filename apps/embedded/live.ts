// The compact live summary of the terminal: one block, drawn over itself where the terminal can, a line now and then
// where it cannot.
import { kstDate, kstTimeOfDay } from '#shared/domain/time.ts'
import { BarClosed, SignalRaised, TickTraded } from '#shared/events/market.ts'
import { NotificationDelivered } from '#shared/events/notifications.ts'
import {
  OrderApproved,
  OrderDenied,
  OrderFilled,
  OrderRejected,
  OrderRequested,
  OrderSubmitted,
} from '#shared/events/orders.ts'
import { isOf } from '#shared/events/contract.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { AccountView } from './operator.ts'
import type { Tally } from './tally.ts'

export interface Screen {
  readonly isTerminal: boolean
  /** Read at each drawing: people resize terminals. */
  readonly columns: () => number
  write(text: string): void
}

export interface LiveDeps {
  readonly screen: Screen
  readonly tally: Tally
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly accounts: () => Promise<readonly AccountView[]>
  readonly market: string
  /** What a person must know now. */
  readonly trouble: () => string | undefined
}

const DRAW_EVERY_MS = 1_000
const LINE_EVERY_MS = 10_000
const POSITIONS_SHOWN = 8

/** Draws until the signal aborts. */
export async function runLive(deps: LiveDeps, signal: AbortSignal): Promise<void> {
  const { screen, stopwatch } = deps
  let drawn = 0
  while (!signal.aborted) {
    const lines = await linesOf(deps)
    if (screen.isTerminal) {
      const rows = lines.flatMap((line) => wrapped(line, screen.columns() - 1))
      const up = drawn === 0 ? '' : `\u001B[${drawn}A\u001B[J`
      screen.write(up + rows.map((row) => `${row}\n`).join(''))
      drawn = rows.length
    } else {
      screen.write(`${[...lines.slice(0, 2), deps.trouble() ?? ''].join('  ')}\n`)
    }
    await stopwatch.sleep(screen.isTerminal ? DRAW_EVERY_MS : LINE_EVERY_MS, signal).catch(() => undefined)
  }
}

async function linesOf({ tally, clock, accounts, market, trouble }: LiveDeps): Promise<readonly string[]> {
  const views = await accounts()
  const lines = [
    `${market}  ${kstDate(clock.now())} ${wallClock(kstTimeOfDay(clock.now()))}`,
    `ticks ${tally.count(TickTraded)}  bars ${tally.count(BarClosed)}  signals ${tally.count(SignalRaised)}  ` +
      `orders ${tally.count(OrderRequested)} = ${tally.count(OrderApproved)} approved + ${tally.count(OrderDenied)} denied  ` +
      `sent ${tally.count(OrderSubmitted)}  filled ${tally.count(OrderFilled)}  rejected ${tally.count(OrderRejected)}  ` +
      `told ${tally.count(NotificationDelivered)}`,
  ]
  for (const account of views) {
    lines.push(
      `${account.accountId}  ${account.tradingState}  cash ${won(account.cash)}  realized ${won(account.realizedPnl)}`,
    )
    const shown = account.positions
      .slice(0, POSITIONS_SHOWN)
      .map((position) => `${position.instrumentId} ${position.quantity}`)
    const more = account.positions.length - shown.length
    lines.push(`  ${shown.length === 0 ? 'no positions' : shown.join('  ')}${more > 0 ? `  +${more}` : ''}`)
  }
  lines.push(trouble() ?? newestOf(tally))
  return lines
}

function newestOf(tally: Tally): string {
  const filled = tally.newest(OrderFilled)
  if (filled !== undefined && isOf(OrderFilled, filled)) {
    const { side, filledQuantity, instrumentId, lastPrice, clientOrderId } = filled.data
    return `last fill: ${side} ${filledQuantity} ${instrumentId} @ ${lastPrice}   npm run jts -- why ${clientOrderId}`
  }
  return 'no fill yet'
}

/** A line as rows of at most so many characters, parted between its columns, which have two blanks between them. */
export function wrapped(line: string, width: number): readonly string[] {
  const rows: string[] = []
  for (const part of line.split(/(?<=\S) {2}(?=\S)/)) {
    const last = rows.at(-1)
    if (last !== undefined && last.length + 2 + part.length <= width)
      rows[rows.length - 1] = `${last}  ${part}`
    else rows.push(part)
  }
  return rows.map((row) => row.slice(0, Math.max(1, width)))
}

const won = (text: string): string => {
  const [whole = '0', fraction] = text.split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`)
}

const wallClock = (ms: number): string => new Date(ms).toISOString().slice(11, 19)
