// Accounts: cash, positions and trading state. Fills reach it through OrderStore.change, in the same transaction.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import type { TradingState } from '#shared/domain/risk.ts'
import type { Instant, SessionDate } from '#shared/domain/time.ts'
import type { Money } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'

export interface Ledger {
  /** Creates the account, `halted` and empty, unless it is there. */
  openAccount(account: {
    readonly accountId: string
    readonly broker: string
    readonly currency: string
  }): Promise<void>
  accountIds(): Promise<readonly string[]>
  /**
   * The account at one version. Orders decided after `recentSince` are listed as recent.
   * Resolves to undefined for an account that was never opened.
   */
  snapshot(accountId: string, recentSince: Instant): Promise<AccountSnapshot | undefined>
  /** Resolves to false, changing nothing, if it is in that state already. `events` go to the outbox with it. */
  setTradingState(
    change: {
      readonly accountId: string
      readonly to: TradingState
      readonly changedBy: string
      readonly reason: string
      readonly at: Instant
    },
    events: (from: TradingState) => readonly Event[],
  ): Promise<boolean>
  /** States the equity that the daily loss is counted from. The first statement for a date stands. */
  openSession(accountId: string, date: SessionDate, equity: Money): Promise<void>
  /**
   * Adopts cash and positions of an account that has no fills yet, as the broker states them.
   * Resolves to false, changing nothing, once anything was booked or adopted before.
   */
  adopt(
    accountId: string,
    opening: {
      readonly cash: Money
      readonly positions: readonly {
        readonly instrumentId: string
        readonly quantity: bigint
        readonly openNotional: Money
      }[]
    },
  ): Promise<boolean>
}
