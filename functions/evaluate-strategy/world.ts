// What the parts of this function share: its ports and what it remembers.
import { type Instant, addMs, parseInstant } from '#shared/domain/time.ts'
import type { Event } from '#shared/events/contract.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import type { Documents } from '#shared/ports/documents.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { OutputOf } from '#shared/runtime/function.ts'
import type { Log } from '#shared/runtime/log.ts'
import { type Accounts, type HeldPosition, heldAccounts } from './accounts.ts'
import { type Desks, deskBook } from './desk.ts'
import type { evaluateStrategy } from './function.ts'
import type { History } from './history.ts'
import { type OrdersInFlight, ordersInFlight } from './in-flight.ts'
import type { Instance } from './instance.ts'
import { type InstrumentBook, instrumentBook } from './instrument-book.ts'
import { type RosterSource, rosterSource } from './roster.ts'
import { STRATEGIES } from './strategies/registry.ts'
import type { Strategy } from './strategy.ts'
import { type WarmUp, warmUp } from './warm-up.ts'

export interface EvaluateStrategyDeps {
  readonly documents: Pick<Documents, 'list'>
  readonly history: History
  readonly ledger: Pick<Ledger, 'snapshot'>
  /** Whether an order is on record already: it is never asked for twice. */
  readonly orders: Pick<OrderStore, 'order'>
  readonly instruments: Pick<Instruments, 'get'>
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Stopwatch
  readonly log: Log
  readonly settings: EvaluateSettings
  /** All there are, unless told otherwise. */
  readonly strategies?: readonly Strategy[]
}

export interface EvaluateSettings {
  /** Least business time between two evaluations of one strategy and instrument on ticks. */
  readonly executionIntervalMs: number
  /** With it every strategy trades this account, whatever its document says: paper trading. */
  readonly paperAccountId?: string
  /** Process time between two readings of the strategy documents. */
  readonly refreshMs: number
  /** Longest process time that a bar, or an instrument's first tick, waits for the history of a cold strategy. */
  readonly warmUpWaitMs: number
  /** Business time after which a request without any answer counts as lost. */
  readonly orderInFlightMs: number
  /** Business time since a market event was emitted, above which it makes no order. */
  readonly marketEventAgeMsMax: number
  /** Process time that an account as read serves, kept up by its events. 0: it is read before every order. */
  readonly accountAgeMsMax: number
}

export type EvaluateOutput = OutputOf<typeof evaluateStrategy>

export interface World {
  readonly deps: EvaluateStrategyDeps
  readonly roster: RosterSource
  readonly desks: Desks
  readonly accounts: Accounts
  readonly instruments: InstrumentBook
  readonly startedTime: Instant
  readonly inFlight: OrdersInFlight
  readonly warmer: WarmUp
  onFault(strategyId: string, fault: string): void
}

export function worldOf(deps: EvaluateStrategyDeps): World {
  const { settings, log, clock } = deps
  const onFault = (strategyId: string, fault: string): void =>
    log.error({ strategyId, fault }, 'strategy fault')
  const accounts = heldAccounts({ ...deps, ageMsMax: settings.accountAgeMsMax })
  const loading = new Map<string, Promise<void>>()
  const tradedAccount = (accountId: string): string => settings.paperAccountId ?? accountId

  const load = async (accountId: string): Promise<void> => {
    if ((await accounts.read(accountId)) === undefined) loading.delete(accountId)
  }
  /** Once for each account: later its events, and readings when in doubt, keep it current. */
  const loadAccount = (documentAccountId: string): Promise<void> => {
    const accountId = tradedAccount(documentAccountId)
    const loaded = loading.get(accountId) ?? load(accountId)
    loading.set(accountId, loaded)
    loaded.catch(() => loading.delete(accountId))
    return loaded
  }

  return {
    deps,
    onFault,
    accounts,
    instruments: instrumentBook(deps.instruments),
    startedTime: clock.now(),
    desks: deskBook(),
    inFlight: ordersInFlight(settings.orderInFlightMs),
    roster: rosterSource({
      ...deps,
      strategies: deps.strategies ?? STRATEGIES,
      refreshMs: settings.refreshMs,
      onFault,
    }),
    warmer: warmUp({
      history: deps.history,
      loadAccount,
      positionOf: (accountId, id) => accounts.positionOf(tradedAccount(accountId), id),
      stopwatch: deps.stopwatch,
      onFault,
    }),
  }
}

/** The account that an instance trades. */
export const accountOf = ({ deps }: World, instance: Instance): string =>
  deps.settings.paperAccountId ?? instance.entry.accountId

export function positionOf(world: World, instance: Instance): HeldPosition {
  const accountId = accountOf(world, instance)
  world.accounts.keep(accountId)
  return world.accounts.positionOf(accountId, instance.instrumentId)
}

/** While market events may still be young that an earlier process acted on. */
export const isStarting = ({ deps, startedTime }: World): boolean =>
  deps.clock.now() <= addMs(startedTime, deps.settings.marketEventAgeMsMax)

/** Emitted too long ago to make an order. */
export const isOld = ({ deps }: World, event: Event): boolean =>
  deps.clock.now() > addMs(parseInstant(event.time), deps.settings.marketEventAgeMsMax)
