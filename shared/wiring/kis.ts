// For main.ts: the broker's REST side as the settings name it.
import type { KisAccount, KisSettings } from '#shared/adapters/broker-kis/accounts.ts'
import { kisGateway } from '#shared/adapters/broker-kis/gateway.ts'
import { systemClock } from '#shared/adapters/system/clock.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'

/** Credentials live by the clock on the wall, whatever business time does. */
export const connectBroker = (
  { settings, accounts }: { readonly settings: KisSettings; readonly accounts: readonly KisAccount[] },
  { clock, hotState }: { readonly clock: Clock; readonly hotState: HotState },
): BrokerGateway & { close(): Promise<void> } =>
  kisGateway({ settings, accounts, clock, wallClock: systemClock, hotState, stopwatch: systemStopwatch })
