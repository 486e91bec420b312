// Every function there is, for programs that must know what all of them consume.
import type { FunctionDefinition } from '#shared/runtime/function.ts'
import { archiveEvent } from '../functions/archive-event/function.ts'
import { evaluateStrategy } from '../functions/evaluate-strategy/function.ts'
import { ingestTick } from '../functions/ingest-tick/function.ts'
import { notify } from '../functions/notify/function.ts'
import { placeOrder } from '../functions/place-order/function.ts'
import { reconcileAccount } from '../functions/reconcile-account/function.ts'
import { recordExecution } from '../functions/record-execution/function.ts'
import { riskCheck } from '../functions/risk-check/function.ts'

export const DEFINITIONS: readonly FunctionDefinition[] = [
  archiveEvent,
  evaluateStrategy,
  ingestTick,
  notify,
  placeOrder,
  reconcileAccount,
  recordExecution,
  riskCheck,
]
