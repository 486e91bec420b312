// What each account holds, as strategies see it: from the ledger at the start, then from PositionChanged.
import type { AccountSnapshot } from '#shared/domain/account.ts'
import type { DataOf } from '#shared/events/contract.ts'
import type { PositionChanged } from '#shared/events/orders.ts'

export interface HeldPosition {
  /** Signed. */
  readonly quantity: bigint
  /** For statistics; 0 when flat. */
  readonly averagePrice: number
}

const FLAT: HeldPosition = { quantity: 0n, averagePrice: 0 }
const PRICE_SCALE = 10_000

export interface Positions {
  of(accountId: string, instrumentId: string): HeldPosition
  change(data: DataOf<typeof PositionChanged>): void
  /** Takes a whole account as the ledger has it. */
  adopt(snapshot: AccountSnapshot): void
}

export function heldPositions(): Positions {
  const accounts = new Map<string, Map<string, HeldPosition>>()
  const accountOf = (accountId: string): Map<string, HeldPosition> => {
    const known = accounts.get(accountId) ?? new Map<string, HeldPosition>()
    accounts.set(accountId, known)
    return known
  }
  return {
    of: (accountId, instrumentId) => accounts.get(accountId)?.get(instrumentId) ?? FLAT,
    change({ accountId, instrumentId, quantity, averagePrice }) {
      accountOf(accountId).set(instrumentId, {
        quantity: BigInt(quantity),
        averagePrice: Number(averagePrice),
      })
    },
    adopt({ accountId, positions }) {
      const account = accountOf(accountId)
      account.clear()
      for (const { instrumentId, quantity, openNotional } of positions) {
        const averagePrice = quantity === 0n ? 0 : Number(openNotional) / Number(quantity) / PRICE_SCALE
        account.set(instrumentId, { quantity, averagePrice })
      }
    },
  }
}
