// What must be on record before a market moves: its accounts, its instruments and, where it is simulated, strategies.
import type { Documents } from '#shared/ports/documents.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { Ledger } from '#shared/ports/ledger.ts'
import { demoStrategies } from '../../functions/evaluate-strategy/strategies/demo.ts'
import type { Market } from './market.ts'

export interface PreparedStores {
  readonly ledger: Pick<Ledger, 'openAccount'>
  readonly instruments: Pick<Instruments, 'put'>
  readonly documents: Pick<Documents, 'list' | 'put'>
}

/** What is there already stays as it is. */
export async function prepare(stores: PreparedStores, market: Market): Promise<void> {
  for (const { accountId } of market.kis.accounts) {
    await stores.ledger.openAccount({ accountId, broker: 'kis', currency: 'KRW' })
  }
  await stores.instruments.put(market.instruments)
  if (market.simulator !== undefined) await seedStrategies(stores, market)
}

/** The strategies of the demonstration, unless there are some already. */
async function seedStrategies({ documents }: PreparedStores, market: Market): Promise<void> {
  if ((await documents.list('strategy')).length > 0) return
  for (const { accountId } of market.kis.accounts) {
    for (const body of demoStrategies(accountId)) {
      await documents.put({ kind: 'strategy', id: body.id, after: 0, body, changedBy: 'demonstration' })
    }
  }
}
