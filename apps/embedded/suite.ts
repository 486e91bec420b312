// All functions and connectors in one process: the memory bus calls handlers, everything else is as deployed.
import { notifiersFrom } from '#shared/adapters/notifiers/notifiers.ts'
import type { MemoryBus } from '#shared/adapters/memory/event-bus.ts'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { money } from '#shared/domain/values.ts'
import type { EventContract } from '#shared/events/contract.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Clock } from '#shared/ports/clock.ts'
import type { FrameDecoder } from '#shared/ports/frame-decoder.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import { type ConsumeOptions, type Consumption, consume } from '#shared/runtime/consume.ts'
import type { FunctionDefinition, Handler } from '#shared/runtime/function.ts'
import { type FunctionHost, hostFunction } from '#shared/runtime/host.ts'
import type { Log } from '#shared/runtime/log.ts'
import { RECONCILE_TIMER } from '../../connectors/scheduler/config.ts'
import { archiveEvent } from '../../functions/archive-event/function.ts'
import { archiveEventHandler } from '../../functions/archive-event/handler.ts'
import { evaluateStrategy } from '../../functions/evaluate-strategy/function.ts'
import { evaluateSettingsFrom } from '../../functions/evaluate-strategy/config.ts'
import { evaluateStrategyHandler } from '../../functions/evaluate-strategy/handler.ts'
import { historyFrom } from '../../functions/evaluate-strategy/history.ts'
import { ingestTick } from '../../functions/ingest-tick/function.ts'
import { ingestTickHandler } from '../../functions/ingest-tick/handler.ts'
import { alertRulesFrom, notifierOptionsFrom } from '../../functions/notify/config.ts'
import { notify } from '../../functions/notify/function.ts'
import { notifyHandler } from '../../functions/notify/handler.ts'
import { placeOrder } from '../../functions/place-order/function.ts'
import { placeOrderHandler } from '../../functions/place-order/handler.ts'
import { IntentHandover } from '../../functions/place-order/prepared.ts'
import { reconcileAccount } from '../../functions/reconcile-account/function.ts'
import { reconcileAccountHandler } from '../../functions/reconcile-account/handler.ts'
import { recordExecution } from '../../functions/record-execution/function.ts'
import { recordExecutionHandler } from '../../functions/record-execution/handler.ts'
import { feeRatioFrom, riskLimitsFrom } from '../../functions/risk-check/config.ts'
import { riskFacts } from '../../functions/risk-check/facts.ts'
import { riskCheck } from '../../functions/risk-check/function.ts'
import { riskCheckHandler } from '../../functions/risk-check/handler.ts'
import type { SuiteSettings } from './settings.ts'
import type { Stores } from './stores.ts'

export interface SuiteDeps {
  readonly settings: SuiteSettings
  readonly stores: Stores
  readonly bus: MemoryBus
  readonly hotState: HotState
  readonly gateway: BrokerGateway
  readonly decoder: FrameDecoder
  readonly clock: Clock
  readonly log: Log
  /** True where market data and phases come in order from one driver, so that no phase needs a grace. */
  readonly isDriven: boolean
}

export interface Suite {
  /** Rejects when a function turns out to be defective. */
  readonly ended: Promise<void>
  /** Lets what is running end, then stops. */
  close(): Promise<void>
}

/** A notice often overtakes the acknowledgement by a few milliseconds. */
const SOON = { attemptsMax: 10, baseMs: 5, maxMs: 10_000 }

export async function startSuite(deps: SuiteDeps): Promise<Suite> {
  const { bus, clock, log } = deps
  const hosts: FunctionHost[] = []
  const closing = new AbortController()
  const consumptions: Consumption[] = []
  const run = async <Consumes extends EventContract, Produces extends EventContract>(
    definition: FunctionDefinition<Consumes, Produces>,
    handler: Handler<FunctionDefinition<Consumes, Produces>>,
    options: Partial<ConsumeOptions> = {},
  ): Promise<void> => {
    const host = hostFunction(definition, handler, { clock, stopwatch: systemStopwatch, log })
    hosts.push(host)
    consumptions.push(await consume({ bus, host, stopwatch: systemStopwatch, log, ...options }))
  }

  const ingest = marketData(deps)
  await run(ingestTick, ingest)
  await run(evaluateStrategy, strategies(deps, closing.signal))
  const intents = intentHandover(deps)
  await run(riskCheck, risk(deps, intents))
  await run(placeOrder, placement(deps, intents))
  await run(recordExecution, executions(deps), { retry: SOON })
  await run(reconcileAccount, reconciliation(deps))
  await run(notify, notifications(deps), { isBackground: true })
  // The outbox relay stores the archive before it settles an event (O3), so nothing here waits for it.
  const archiving = archiveEventHandler({ archive: deps.stores.archive, storedBefore: 'batch' })
  await run(archiveEvent, archiving, { isBackground: true })

  return {
    ended: Promise.race(consumptions.map(({ ended }) => ended)),
    async close() {
      closing.abort()
      for (const consumption of consumptions) await consumption.close()
      await ingest.drain()
      for (const host of hosts) host.close()
    },
  }
}

function marketData({ settings, stores, hotState, decoder, clock, log, isDriven }: SuiteDeps) {
  return ingestTickHandler({
    decoder,
    hotState,
    tickStore: stores.ticks,
    instruments: stores.instruments,
    clock,
    stopwatch: systemStopwatch,
    phaseGraceMs: isDriven ? 0 : settings.ingest.JTS_PHASE_GRACE_MS,
    copyIntervalMs: settings.ingest.JTS_FORMING_COPY_INTERVAL_MS,
    count: (what, instrumentId) => log.debug({ what, instrumentId }, 'market data'),
  })
}

const strategies = ({ settings, stores, gateway, clock, log }: SuiteDeps, signal: AbortSignal) =>
  evaluateStrategyHandler({
    documents: stores.documents,
    history: historyFrom({ tickStore: stores.ticks, gateway, signal }),
    ledger: stores.ledger,
    orders: stores.orders,
    instruments: stores.instruments,
    clock,
    stopwatch: systemStopwatch,
    log,
    settings: evaluateSettingsFrom(settings.strategy),
  })

const intentHandover = ({ settings, gateway, clock }: SuiteDeps): IntentHandover =>
  new IntentHandover({
    gateway,
    clock,
    stopwatch: systemStopwatch,
    approvalAgeMsMax: settings.place.JTS_APPROVAL_AGE_MS_MAX,
  })

function risk({ settings, stores, hotState, clock }: SuiteDeps, intents: IntentHandover) {
  const limits = riskLimitsFrom(settings.risk)
  const { ledger, instruments, orders } = stores
  const facts = riskFacts({ ledger, hotState, instruments, clock, feeRatio: feeRatioFrom(settings.risk) })
  return riskCheckHandler({ limitsOf: () => limits, facts, orders, clock, intents })
}

const placement = ({ settings, stores, gateway, clock }: SuiteDeps, intents: IntentHandover) =>
  placeOrderHandler({
    gateway,
    orders: stores.orders,
    clock,
    stopwatch: systemStopwatch,
    approvalAgeMsMax: settings.place.JTS_APPROVAL_AGE_MS_MAX,
    intents,
  })

const executions = ({ settings, stores }: SuiteDeps) =>
  recordExecutionHandler({
    orders: stores.orders,
    ledger: stores.ledger,
    instruments: stores.instruments,
    feeRatio: feeRatioFrom(settings.risk),
  })

const reconciliation = ({ settings, stores, gateway, clock, log }: SuiteDeps) =>
  reconcileAccountHandler({
    gateway,
    orders: stores.orders,
    ledger: stores.ledger,
    instruments: stores.instruments,
    clock,
    rules: {
      settleMs: settings.reconcile.JTS_SETTLE_WAIT_MS,
      deadlineMs: settings.reconcile.JTS_EVIDENCE_DEADLINE_MS,
      clockSkewMs: settings.reconcile.JTS_BROKER_CLOCK_SKEW_MS,
    },
    cashTolerance: money(settings.reconcile.JTS_CASH_TOLERANCE),
    startsActive: settings.reconcile.JTS_TRADING_STARTS_ACTIVE === 'true',
    timer: RECONCILE_TIMER,
    onFailure: (accountId, error) => log.error({ accountId, error }, 'account not reconciled'),
  })

const notifications = ({ settings, stores, hotState, clock, log }: SuiteDeps) =>
  notifyHandler({
    rules: alertRulesFrom(settings.notify),
    notifiers: notifiersFrom(notifierOptionsFrom(settings.notify), clock),
    history: stores.notifications,
    hotState,
    clock,
    stopwatch: systemStopwatch,
    ratePerMinute: settings.notify.JTS_NOTIFY_RATE_PER_MINUTE,
    log,
  })
