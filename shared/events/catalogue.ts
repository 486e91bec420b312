// Every contract there is. Tools print the catalogue from here; codecs find a contract by type.
import * as backtests from './backtests.ts'
import type { EventContract } from './contract.ts'
import * as executions from './executions.ts'
import * as market from './market.ts'
import * as notifications from './notifications.ts'
import * as orders from './orders.ts'
import * as risk from './risk.ts'
import * as timers from './timers.ts'

const isContract = (value: unknown): value is EventContract =>
  typeof value === 'object' && value !== null && 'topic' in value && 'schema' in value

export const CONTRACTS: readonly EventContract[] = [
  market,
  orders,
  executions,
  risk,
  notifications,
  backtests,
  timers,
]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter(isContract)

const BY_TYPE = new Map(CONTRACTS.map((contract) => [contract.type, contract]))

export const contractOf = (type: string): EventContract | undefined => BY_TYPE.get(type)
