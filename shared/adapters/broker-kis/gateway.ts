// The KIS adapter of BrokerGateway: one REST road for each account, one quota for each app key.
import type { BrokerGateway, SendResult } from '#shared/ports/broker-gateway.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { accountBalance, listOrders, orderableCash, unknownAccount } from './account-lists.ts'
import type { KisAccount, KisSettings } from './accounts.ts'
import { quotaGovernor } from './governor.ts'
import { httpClient } from './http.ts'
import { readDailyBars, readMinuteBars, readOrderBook, readQuote } from './quotes.ts'
import { kisRest } from './rest.ts'
import { type SendContext, amendOrder, cancelOrder, refusal, submitOrder } from './sends.ts'
import { accessToken, keyNameOf } from './token.ts'

export interface KisGatewayOptions {
  readonly settings: KisSettings
  readonly accounts: readonly KisAccount[]
  readonly hotState: HotState
  readonly clock: Clock
  /** Credentials live by the clock on the wall, whatever business time does. Default: `clock`. */
  readonly wallClock?: Clock
  readonly stopwatch: Stopwatch
}

/** Pitfall 16: the paper server counts a second strictly; 1.1 s between calls is what it takes. */
const SECOND_MS = { real: 1_000, paper: 1_100 }

export function kisGateway(options: KisGatewayOptions): BrokerGateway & { close(): Promise<void> } {
  const { accounts, clock, settings } = options
  const http = httpClient(settings.apiBaseUrl)
  const contexts = new Map<string, SendContext>(
    accounts.map((account) => [account.accountId, contextOf(account, options, http)]),
  )
  const contextFor = (accountId: string): SendContext => {
    const context = contexts.get(accountId)
    if (context === undefined) throw unknownAccount(accountId)
    return context
  }
  /** Quotes belong to nobody: the first account's keys and quota read them. */
  const quoting = (): SendContext => contextFor(accounts[0]?.accountId ?? '')

  return {
    broker: 'kis',
    submit: async (order, signal, cleared) => {
      const context = contexts.get(order.accountId)
      return context === undefined ? noAccount(order.accountId) : submitOrder(context, order, signal, cleared)
    },
    amend: async (target, to, signal) => {
      const context = contexts.get(target.accountId)
      return context === undefined ? noAccount(target.accountId) : amendOrder(context, target, to, signal)
    },
    cancel: async (target, signal) => {
      const context = contexts.get(target.accountId)
      return context === undefined ? noAccount(target.accountId) : cancelOrder(context, target, signal)
    },
    listOrders: async (accountId, date, signal) =>
      listOrders(contextFor(accountId), date, clock.now(), signal),
    balance: async (accountId, signal) => accountBalance(contextFor(accountId), signal),
    orderableCash: async (accountId, instrumentId, limitPrice, signal) =>
      orderableCash(contextFor(accountId), instrumentId, limitPrice, signal),
    quote: async (instrumentId, signal) => readQuote(quoting().rest, instrumentId, signal),
    orderBook: async (instrumentId, signal) =>
      readOrderBook(quoting().rest, instrumentId, clock.now(), signal),
    dailyBars: async (instrumentId, from, to, signal) =>
      readDailyBars(quoting().rest, instrumentId, { from, to }, clock.now(), signal),
    minuteBars: async (instrumentId, before, limit, signal) =>
      readMinuteBars(quoting().rest, instrumentId, { before, limit }, clock.now(), signal),
    close: () => {
      http.close()
      return Promise.resolve()
    },
  }
}

const noAccount = (accountId: string): SendResult => refusal('JTS_ACCOUNT', unknownAccount(accountId).message)

function contextOf(
  account: KisAccount,
  { settings, hotState, clock, wallClock = clock, stopwatch }: KisGatewayOptions,
  http: ReturnType<typeof httpClient>,
): SendContext {
  const governor = quotaGovernor({
    name: keyNameOf(account),
    perSecond: settings.ratePerSecond,
    ...(settings.ratePerMinute === undefined ? {} : { perMinute: settings.ratePerMinute }),
    secondMs: settings.paperTrading ? SECOND_MS.paper : SECOND_MS.real,
    hotState,
    stopwatch,
  })
  const token = accessToken({ account, http, hotState, clock: wallClock, stopwatch })
  return {
    account,
    paperTrading: settings.paperTrading,
    rest: kisRest({ account, http, token, governor, stopwatch }),
  }
}
