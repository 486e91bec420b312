// One channel to people.
import type { Channel, Severity } from '#shared/events/notifications.ts'

export interface Message {
  readonly recipient: string
  readonly severity: Severity
  readonly title: string
  readonly body: string
  /** The same for the same message, for receivers that can drop repeats. */
  readonly messageId: string
}

export interface Notifier {
  readonly channel: Channel
  /**
   * Resolves when the receiver has taken the message.
   * @throws RetryableError for a passing fault, PoisonError when the receiver will never take it.
   */
  deliver(message: Message, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
