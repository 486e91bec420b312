// All functions and connectors in one process: the memory bus calls handlers, everything else is as deployed.
import { kisFrameDecoder } from '#shared/adapters/broker-kis/decoder.ts'
import { notifiersFrom } from '#shared/adapters/notifiers/notifiers.ts'
import { type MemoryBus, memoryBus } from '#shared/adapters/memory/event-bus.ts'
import { memoryHotState } from '#shared/adapters/memory/hot-state.ts'
import { systemIds } from '#shared/adapters/system/ids.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { money } from '#shared/domain/values.ts'
import type { Event } from '#shared/events/contract.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { type Consumption, consume } from '#shared/runtime/consume.ts'
import { hostFunction } from '#shared/runtime/host.ts'
import type { EventContract } from '#shared/events/contract.ts'
import type { FunctionDefinition, Handler } from '#shared/runtime/function.ts'
import type { Log } from '#shared/runtime/log.ts'
import { archiveEvent } from '../../functions/archive-event/function.ts'
import { archiveEventHandler } from '../../functions/archive-event/handler.ts'
import { evaluateStrategy } from '../../functions/evaluate-strategy/function.ts'
import { evaluateStrategyHandler } from '../../functions/evaluate-strategy/handler.ts'
import { ingestTick } from '../../functions/ingest-tick/function.ts'
import { ingestTickHandler } from '../../functions/ingest-tick/handler.ts'
import { notify } from '../../functions/notify/function.ts'
import { notifyHandler } from '../../functions/notify/handler.ts'
import { placeOrder } from '../../functions/place-order/function.ts'
import { placeOrderHandler } from '../../functions/place-order/handler.ts'
import { reconcileAccount } from '../../functions/reconcile-account/function.ts'
import { reconcileAccountHandler } from '../../functions/reconcile-account/handler.ts'
import { recordExecution } from '../../functions/record-execution/function.ts'
import { recordExecutionHandler } from '../../functions/record-execution/handler.ts'
import { feeRatioFrom, riskLimitsFrom } from '../../functions/risk-check/config.ts'
import { riskFacts } from '../../functions/risk-check/facts.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'
import { riskCheckHandler } from '../../functions/risk-check/handler.ts'
import { type OutboxRelay, outboxRelay, storedEvents } from './outbox-relay.ts'
import type { SuiteSettings } from './settings.ts'
import type { Stores } from './stores.ts'

export interface Suite {
  readonly bus: MemoryBus
  readonly hotState: HotState
  readonly relay: OutboxRelay
  /** Rejects when a function turns out to be defective. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface SuiteDeps {
  readonly settings: SuiteSettings
  readonly stores: Stores
  readonly gateway: BrokerGateway
  readonly hotState: HotState
  readonly clock: Clock
  readonly log: Log
}
