// Ticks, quotes and bars as events.
import type { QuoteTick, TradeTick } from '#shared/domain/market-data.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { formatMoney, formatPrice, formatQuantity } from '#shared/domain/values.ts'
import { type Output, output } from '#shared/events/contract.ts'
import { BarClosed, QuoteChanged, TickTraded } from '#shared/events/market.ts'
import type { FormingBar } from './bars.ts'

export const tickOutput = (tick: TradeTick, receivedTime: string): Output<typeof TickTraded> =>
  output(TickTraded, {
    instrumentId: tick.instrumentId,
    eventTime: formatInstant(tick.eventTime),
    receivedTime,
    price: formatPrice(tick.price),
    quantity: formatQuantity(tick.quantity),
    aggressor: tick.aggressor,
    sessionVolume: formatQuantity(tick.sessionVolume),
    bidPrice: formatPrice(tick.bidPrice),
    askPrice: formatPrice(tick.askPrice),
  })

export const quoteOutput = (quote: QuoteTick, receivedTime: string): Output<typeof QuoteChanged> =>
  output(QuoteChanged, {
    instrumentId: quote.instrumentId,
    eventTime: formatInstant(quote.eventTime),
    receivedTime,
    bidPrice: formatPrice(quote.bidPrice),
    bidQuantity: formatQuantity(quote.bidQuantity),
    askPrice: formatPrice(quote.askPrice),
    askQuantity: formatQuantity(quote.askQuantity),
  })

export const barOutput = (bar: FormingBar): Output<typeof BarClosed> =>
  output(BarClosed, {
    instrumentId: bar.instrumentId,
    interval: bar.interval,
    openTime: formatInstant(bar.openTime),
    closeTime: formatInstant(bar.closeTime),
    open: formatPrice(bar.open),
    high: formatPrice(bar.high),
    low: formatPrice(bar.low),
    close: formatPrice(bar.close),
    volume: formatQuantity(bar.volume),
    notional: formatMoney(bar.notional),
    trades: bar.trades,
  })
