// The send of one recorded attempt (P2, P3 in handler.ts).
import type { ApprovedOrder } from '#shared/domain/order.ts'
import type { BrokerGateway } from '#shared/ports/broker-gateway.ts'
import type { Stopwatch } from '#shared/ports/clock.ts'
import type { Answer } from './decide.ts'

/** Process milliseconds after the intent was begun within which a send may start. */
export const SEND_WINDOW_MS = 2_000
const NOT_SENT_PAUSES_MS = [50, 150, 400] as const

export interface SendDeps {
  readonly gateway: Pick<BrokerGateway, 'submit'>
  readonly stopwatch: Stopwatch
}

/**
 * Resolves with what is known; never rejects for a reason that concerns the broker. `cleared`: as the gateway has it; its
 * false is an end.
 */
export async function sendOnce(
  { gateway, stopwatch }: SendDeps,
  order: ApprovedOrder,
  begunMs: number,
  signal: AbortSignal,
  cleared?: Promise<boolean>,
): Promise<Answer> {
  for (const pauseMs of [...NOT_SENT_PAUSES_MS, undefined]) {
    if (stopwatch.elapsedMs() - begunMs > SEND_WINDOW_MS || signal.aborted) break
    const result = await gateway.submit(order, signal, cleared)
    if (result.outcome !== 'notSent') return result
    if (cleared !== undefined && !(await cleared)) break
    if (pauseMs === undefined)
      return { outcome: 'unknown', cause: 'noAnswer', detail: `not sent: ${result.detail}` }
    await stopwatch.sleep(pauseMs, signal).catch(() => undefined)
  }
  return { outcome: 'unknown', cause: 'interrupted', detail: 'the send window closed before anything left' }
}
