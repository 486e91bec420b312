// Event → facts → decision → reservation → output. Many instances run side by side without a lock: an approval is
// stored only if the account has not moved since it was read, else it is decided again.
import type { RiskLimits } from '#shared/domain/risk.ts'
import { formatInstant } from '#shared/domain/time.ts'
import { formatMoney } from '#shared/domain/values.ts'
import { isOf, output } from '#shared/events/contract.ts'
import { orderFromWire, orderToWire } from '#shared/events/order-codec.ts'
import { OrderApproved, OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { OrderStore } from '#shared/ports/order-store.ts'
import type { PreparedIntents } from '#shared/ports/prepared-intents.ts'
import type { Handler } from '#shared/runtime/function.ts'
import { decide } from './decide.ts'
import type { Facts } from './facts.ts'
import type { riskCheck } from './function.ts'

const ATTEMPTS_MAX = 5

export interface RiskCheckDeps {
  /** Undefined for an account that nobody has set limits for: every order of it is denied. */
  readonly limitsOf: (accountId: string) => RiskLimits | undefined
  readonly facts: Facts
  readonly orders: Pick<OrderStore, 'approve' | 'deny'>
  readonly clock: Clock
  /** Where place-order runs in this process: its intent is recorded with the approval, and saves a commit. */
  readonly intents?: PreparedIntents
}

export const riskCheckHandler =
  ({ limitsOf, facts, orders, clock, intents }: RiskCheckDeps): Handler<typeof riskCheck> =>
  async (event, context) => {
    if (!isOf(OrderRequested, event)) {
      const limits = limitsOf(event.data.accountId)
      if (limits !== undefined) facts.happened(event, limits)
      return []
    }
    const order = orderFromWire(event.data)
    const { accountId, clientOrderId } = order
    const correlationId = event.correlationid

    const deny = async (code: (typeof OrderDenied)['schema']['_output']['code'], detail: string) => {
      const outputs = [output(OrderDenied, { accountId, clientOrderId, code, detail })]
      await orders.deny({ order, code, detail, correlationId }, context.receipt(outputs))
      return outputs
    }

    const limits = limitsOf(accountId)
    if (limits === undefined) return deny('FACTS_MISSING', `limits of ${accountId}`)

    let fresh = false
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const read = await facts.read(order, limits, fresh)
      const decision = decide(order, read, limits)
      if (decision.outcome === 'denied') {
        if (fresh) return deny(decision.code, decision.detail)
        fresh = true // F3: what was cached may have changed for the better
        continue
      }
      if (read.account === undefined) throw new Error('approved without an account')

      const outputs = [
        output(OrderApproved, {
          ...orderToWire(decision.order),
          limitsVersion: limits.version,
          reservedCash: formatMoney(decision.reservation.cash),
          approvedTime: formatInstant(clock.now()),
        }),
      ]
      const { reservation } = decision
      const approval = {
        order: decision.order,
        reservation,
        accountVersion: read.account.version,
        correlationId,
      }
      const receipt = context.receipt(outputs)
      const [approved] = receipt.outputs
      if (approved === undefined) throw new Error('an approval without its event')
      const draft = intents?.draft(approved, approval)
      let outcome: Awaited<ReturnType<OrderStore['approve']>> | undefined
      try {
        outcome = await orders.approve(approval, receipt, draft)
      } finally {
        if (draft !== undefined && outcome !== 'prepared') intents?.dropped(draft)
      }
      if (outcome !== 'conflict') {
        intents?.stored(approved, approval, outcome === 'prepared' ? draft : undefined)
        facts.approved(approval, limits)
        return outputs
      }
      facts.forget(accountId)
    }
    throw new RetryableError(
      `account ${accountId} changed ${ATTEMPTS_MAX} times while ${clientOrderId} was decided`,
    )
  }
