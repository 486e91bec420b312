// Reads what the decision needs, through ports only.
//
// F1. The account is cached at a version. Approving compares that version in the store, so a stale copy can only cost a
//     second try, never let an order pass.
// F2. An event that proves the copy stale has it read again in the background, so that no order pays for the reading
//     unless it comes during it: then it waits.
// F3. A denial is not compared with anything, so it is never made on a cached account: the handler reads it again.
import type { AccountSnapshot, RecentOrder, Reservation } from '#shared/domain/account.ts'
import type { Instrument, InstrumentId } from '#shared/domain/instrument.ts'
import { CalendarRangeError, krxPhaseAt } from '#shared/domain/krx-calendar.ts'
import type { OrderRequest } from '#shared/domain/order.ts'
import type { RiskLimits } from '#shared/domain/risk.ts'
import { type Instant, addMs, kstDate } from '#shared/domain/time.ts'
import { type Ratio, money } from '#shared/domain/values.ts'
import type { DataOf, EventOf } from '#shared/events/contract.ts'
import type {
  OrderCanceled,
  OrderDenied,
  OrderExpired,
  OrderRejected,
  PositionChanged,
} from '#shared/events/orders.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import type { Approval } from '#shared/ports/order-store.ts'
import type { RiskFacts } from './decide.ts'

export interface FactSources {
  readonly ledger: Ledger
  readonly hotState: HotState
  readonly instruments: Instruments
  readonly clock: Clock
  readonly feeRatio: Ratio
}

export interface Facts {
  /** `fresh` reads the account from the store even when a copy is at hand. */
  read(order: OrderRequest, limits: RiskLimits, fresh: boolean): Promise<RiskFacts>
  /** Carries the cached account over an approval that the store has taken. */
  approved(approval: Approval, limits: RiskLimits): void
  forget(accountId: string): void
  /** Takes notice of what others did to an account (F2). */
  happened(event: AccountEvent, limits: RiskLimits): void
}

export type AccountEvent = EventOf<
  DataOf<
    | typeof PositionChanged
    | typeof OrderDenied
    | typeof OrderRejected
    | typeof OrderCanceled
    | typeof OrderExpired
  >
>

/** F1, F2. */
function accountCopies({ ledger, clock }: FactSources) {
  const accounts = new Map<string, AccountSnapshot>()
  const renewals = new Map<string, { readonly done: Promise<void>; isOutdated: boolean }>()

  const read = async (accountId: string, limits: RiskLimits): Promise<AccountSnapshot | undefined> => {
    const snapshot = await ledger.snapshot(accountId, addMs(clock.now(), -recentMsOf(limits)))
    const cached = accounts.get(accountId)
    const isNewer = snapshot !== undefined && (cached === undefined || cached.version <= snapshot.version)
    if (isNewer) accounts.set(accountId, snapshot)
    return snapshot
  }

  const renew = (accountId: string, limits: RiskLimits): void => {
    const running = renewals.get(accountId)
    if (running !== undefined) {
      running.isOutdated = true
      return
    }
    const run = async (): Promise<void> => {
      do {
        renewal.isOutdated = false
        await read(accountId, limits)
      } while (renewal.isOutdated)
    }
    const renewal = {
      isOutdated: true,
      done: Promise.resolve()
        .then(run)
        // Whoever needs the account next reads it, and says why that fails.
        .catch(() => void accounts.delete(accountId))
        .then(() => void renewals.delete(accountId)),
    }
    renewals.set(accountId, renewal)
  }

  return {
    accounts,
    renew,
    async of(accountId: string, limits: RiskLimits, fresh: boolean): Promise<AccountSnapshot | undefined> {
      if (!fresh) await renewals.get(accountId)?.done
      const cached = fresh ? undefined : accounts.get(accountId)
      return cached ?? read(accountId, limits)
    },
  }
}

export function riskFacts(sources: FactSources): Facts {
  const { hotState, instruments, clock, feeRatio } = sources
  const copies = accountCopies(sources)
  const { accounts } = copies
  const known = new Map<InstrumentId, Instrument>()

  /** Base prices change once a session; within one, what was read stands. */
  const instrumentOf = async (id: InstrumentId, fresh: boolean) => {
    const cached = known.get(id)
    if (!fresh && cached?.basePriceDate === kstDate(clock.now())) return cached
    const instrument = await instruments.get(id)
    if (instrument !== undefined) known.set(id, instrument)
    return instrument
  }

  return {
    async read(order, limits, fresh) {
      const [account, instrument] = await Promise.all([
        copies.of(order.accountId, limits, fresh),
        instrumentOf(order.instrumentId, fresh),
      ])
      const ids = new Set([
        order.instrumentId,
        ...(account?.positions ?? []).map((position) => position.instrumentId),
        ...(account?.reservations ?? []).map((reservation) => reservation.instrumentId),
      ])
      const asked = [...ids]
      const prices = await hotState.lastPrices(asked)
      const now = clock.now() // after the reads, so that nothing looks younger than it is
      const lastPrices: [InstrumentId, NonNullable<(typeof prices)[number]>][] = []
      asked.forEach((id, index) => {
        const last = prices[index]
        if (last !== undefined) lastPrices.push([id, last])
      })
      return {
        now,
        sessionDate: kstDate(now),
        phase: phaseAt(now),
        account,
        instrument,
        lastPrices: new Map(lastPrices),
        feeRatio,
      }
    },

    approved({ order, reservation, accountVersion }, limits) {
      const account = accounts.get(order.accountId)
      if (account?.version !== accountVersion) return
      const since = clock.now() - recentMsOf(limits)
      const isRecent = ({ decidedTime }: RecentOrder): boolean => decidedTime > since
      accounts.set(order.accountId, {
        ...account,
        version: accountVersion + 1n,
        reservations: [...account.reservations, reservation],
        recentOrders: [...account.recentOrders.filter(isRecent), asRecent(reservation)],
      })
    },

    forget(accountId) {
      accounts.delete(accountId)
    },

    happened({ data }, limits) {
      const cached = accounts.get(data.accountId)
      if (cached !== undefined && isStale(cached, data)) copies.renew(data.accountId, limits)
    },
  }
}

/** A copy that holds the order still, or other cash than a fill left, was read before. */
const isStale = (cached: AccountSnapshot, data: AccountEvent['data']): boolean =>
  'cash' in data
    ? cached.cash !== money(data.cash)
    : cached.reservations.some(({ clientOrderId }) => clientOrderId === data.clientOrderId)

/** Long enough for the duplicate check and the rate of one second, counted from the oldest request still decided. */
const recentMsOf = (limits: RiskLimits): number =>
  limits.requestAgeMsMax + Math.max(limits.duplicateWindowMs, 1_000)

function asRecent(reservation: Reservation): RecentOrder {
  const { clientOrderId, instrumentId, side, orderType, limitPrice, decidedTime } = reservation
  const shape = {
    clientOrderId,
    instrumentId,
    side,
    orderType,
    quantity: reservation.remainingQuantity,
    decidedTime,
  }
  return limitPrice === undefined ? shape : { ...shape, limitPrice }
}

function phaseAt(now: Instant): RiskFacts['phase'] {
  try {
    return krxPhaseAt(now)
  } catch (error) {
    if (error instanceof CalendarRangeError) return undefined
    throw error
  }
}
