// What people were told: one row a message and channel, with every attempt counted.
import type { Channel, Severity } from '#shared/events/notifications.ts'
import type { Instant } from '#shared/domain/time.ts'
import type { Receipt } from './receipt.ts'

export interface NotificationRecord {
  readonly eventId: string
  readonly recipient: string
  readonly channel: Channel
  readonly severity: Severity
  readonly title: string
  readonly status: 'delivered' | 'failed' | 'suppressed'
  readonly attempts: number
  readonly reason?: string
  readonly at: Instant
}

export interface NotificationLog {
  /** True when this message was already delivered on this channel. */
  wasDelivered(eventId: string, channel: Channel): Promise<boolean>
  /** Throws `AlreadyHandledError` when the event was handled before; nothing changes then. */
  record(records: readonly NotificationRecord[], receipt: Receipt): Promise<void>
  recent(limit: number): Promise<readonly NotificationRecord[]>
}
