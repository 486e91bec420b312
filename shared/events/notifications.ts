// Messages to people.
import * as z from 'zod'
import { defineEvent } from './contract.ts'
import { Id, Time } from './wire.ts'

/** Lowest first. */
export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

export const CHANNELS = ['email', 'slack', 'webhook'] as const
export type Channel = (typeof CHANNELS)[number]

export const NotificationRequested = defineEvent({
  name: 'NotificationRequested',
  type: 'jts.notification.requested.v1',
  topic: 'notifications',
  summary: 'Somebody is to be told something.',
  key: (notification) => notification.recipient,
  schema: z.strictObject({
    recipient: Id,
    severity: z.enum(SEVERITIES),
    title: z.string().min(1).max(200),
    body: z.string().max(10_000),
  }),
})

const DELIVERY = {
  recipient: Id,
  channel: z.enum(CHANNELS),
  severity: z.enum(SEVERITIES),
  /** Id of the event that was told. */
  eventId: Id,
  attempts: z.int().min(0),
}

export const NotificationDelivered = defineEvent({
  name: 'NotificationDelivered',
  type: 'jts.notification.delivered.v1',
  topic: 'notifications',
  summary: 'A message reached its channel.',
  key: (delivery) => delivery.recipient,
  schema: z.strictObject({ ...DELIVERY, deliveredTime: Time }),
})

export const NotificationFailed = defineEvent({
  name: 'NotificationFailed',
  type: 'jts.notification.failed.v1',
  topic: 'notifications',
  summary: 'A message could not be delivered, or was held back by a rate limit.',
  key: (delivery) => delivery.recipient,
  schema: z.strictObject({ ...DELIVERY, reason: z.string().max(500), failedTime: Time }),
})
