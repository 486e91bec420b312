// Tells people.
//
// T1. One message reaches a channel once: each channel's ending is recorded, with a receipt of its own, as soon as it is
//     known. Whoever meets the event again asks first, so a channel that failed never repeats one that did not. Only a
//     crash between the receiver's answer and that record can repeat a message; receivers know it by its messageId.
// T2. Critical messages are never held back.
// T3. Hot state that is lost or out of reach holds nothing back either: too many messages are better than none.
// T4. Each attempt has the notifier's deadline; attempts and the pauses between them are bounded, and fit into the
//     function's timeout.
import { formatInstant } from '#shared/domain/time.ts'
import { output } from '#shared/events/contract.ts'
import { type Channel, NotificationDelivered, NotificationFailed } from '#shared/events/notifications.ts'
import type { Clock, Stopwatch } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { HotState } from '#shared/ports/hot-state.ts'
import type { NotificationLog, NotificationRecord } from '#shared/ports/notification-log.ts'
import type { Message, Notifier } from '#shared/ports/notifier.ts'
import { AlreadyHandledError } from '#shared/ports/receipt.ts'
import type { EventFor, Handler, OutputOf } from '#shared/runtime/function.ts'
import type { Log } from '#shared/runtime/log.ts'
import { type Alert, type AlertRules, decide, heldBackNote, isRecipient, restsSince } from './decide.ts'
import type { notify } from './function.ts'
import { bodyOf } from './templates.ts'

export const ATTEMPTS_MAX = 3
/** Pause before the second and the third attempt. */
const PAUSES_MS = [500, 2_000] as const
const WINDOW_MS = 60_000
/** Records looked through for what was held back, and for what failed a moment ago. */
const RECENT_MAX = 500

export interface NotifyDeps {
  readonly rules: AlertRules
  /** One for each channel that the rules use. */
  readonly notifiers: readonly Notifier[]
  readonly history: NotificationLog
  readonly hotState: Pick<HotState, 'take'>
  readonly clock: Pick<Clock, 'now'>
  readonly stopwatch: Pick<Stopwatch, 'sleep'>
  /** Messages a minute to one recipient over one channel; critical ones are counted by nobody. */
  readonly ratePerMinute: number
  readonly log: Log
}

type Notify = typeof notify
type Outputs = readonly OutputOf<Notify>[]
type Ending = Pick<NotificationRecord, 'status' | 'attempts' | 'reason'>

/** @throws RetryableError when the history cannot be read or written: without it nothing is told only once. */
export const notifyHandler =
  (deps: NotifyDeps): Handler<Notify> =>
  async (event, context) => {
    const alert = decide(event, deps.rules)
    if (alert === undefined) return []
    const inUse = deps.notifiers.filter(({ channel }) => alert.channels.includes(channel))
    const settled = await Promise.allSettled(
      inUse.map((notifier) => tell(deps, notifier, alert, event, context.signal)),
    )
    const records = settled.flatMap((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value === undefined ? [] : [result.value]
    })
    // A fact that was told for another event needs no receipt: valuations come every few seconds.
    if (records.length === 0 && alert.messageId !== event.id) return []
    const outputs = records.map((record) => outputOf(record, event.id))
    await deps.history.record([], context.receipt(outputs))
    return outputs
  }

/** Resolves to what became of the message on one channel; to nothing when it had been told there before (T1). */
async function tell(
  deps: NotifyDeps,
  notifier: Notifier,
  alert: Alert,
  event: EventFor<Notify>,
  signal: AbortSignal,
): Promise<NotificationRecord | undefined> {
  const { history, ratePerMinute } = deps
  const { channel } = notifier
  if (await history.wasDelivered(alert.messageId, channel)) return undefined
  const recent = await history.recent(RECENT_MAX)
  const isStanding = alert.messageId !== event.id
  if (isStanding && restsSince(recent, alert.messageId, channel, deps.clock.now())) return undefined
  const ending: Ending = (await isHeldBack(deps, alert, channel))
    ? { status: 'suppressed', attempts: 0, reason: `held back: more than ${ratePerMinute} a minute` }
    : await deliver(deps, notifier, messageOf(alert, heldBackNote(recent, alert.recipient, channel)), signal)
  const { messageId: eventId, recipient, severity, title } = alert
  const record = { eventId, recipient, channel, severity, title, ...ending, at: deps.clock.now() }
  // The consumer names the ending too: a message that failed may yet be delivered when its event comes again.
  const consumer = `notify/${channel}/${ending.status}`
  await retrying(deps, signal, () =>
    history.record([record], { consumer, eventId: event.id, outputs: [] }),
  ).catch((error: unknown) => {
    if (!(error instanceof AlreadyHandledError)) throw error
  })
  return record
}

async function isHeldBack(deps: NotifyDeps, alert: Alert, channel: Channel): Promise<boolean> {
  if (alert.severity === 'critical') return false
  const allowance = isRecipient(alert.recipient) ? alert.recipient : 'operator'
  try {
    const { allowed } = await deps.hotState.take(
      `notify/${allowance}/${channel}`,
      deps.ratePerMinute,
      WINDOW_MS,
    )
    return !allowed
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error
    deps.log.warn({ channel, error }, 'hot state is out of reach: message rates are not limited')
    return false
  }
}

function messageOf({ recipient, severity, title, body, messageId }: Alert, note: string): Message {
  return { recipient, severity, title, body: note === '' ? body : bodyOf(`${note}\n\n${body}`), messageId }
}

/** Tries until the receiver has taken the message, refuses it for good, or the attempts are used up. */
async function deliver(
  deps: NotifyDeps,
  notifier: Notifier,
  message: Message,
  signal: AbortSignal,
): Promise<Ending> {
  let attempts = 0
  try {
    await retrying(deps, signal, () => {
      attempts += 1
      return notifier.deliver(message, signal)
    })
    return { status: 'delivered', attempts }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof RetryableError) && !(error instanceof PoisonError)) throw error
    const { channel } = notifier
    deps.log.error({ channel, messageId: message.messageId, attempts, error }, 'message not delivered')
    return { status: 'failed', attempts, reason: error.message.slice(0, 500) }
  }
}

/** Runs `attempt` up to ATTEMPTS_MAX times, as long as it fails in passing (T4). */
async function retrying(
  { stopwatch }: Pick<NotifyDeps, 'stopwatch'>,
  signal: AbortSignal,
  attempt: () => Promise<void>,
): Promise<void> {
  for (const pauseMs of PAUSES_MS) {
    try {
      await attempt()
      return
    } catch (error) {
      if (!(error instanceof RetryableError) || signal.aborted) throw error
    }
    await stopwatch.sleep(pauseMs, signal)
  }
  await attempt()
}

function outputOf(record: NotificationRecord, eventId: string): Outputs[number] {
  const { recipient, channel, severity, attempts } = record
  const told = { recipient, channel, severity, eventId, attempts }
  const time = formatInstant(record.at)
  return record.status === 'delivered'
    ? output(NotificationDelivered, { ...told, deliveredTime: time })
    : output(NotificationFailed, { ...told, reason: record.reason ?? '', failedTime: time })
}
