// The channels that settings ask for, opened together.
import type { Clock } from '#shared/ports/clock.ts'
import type { Notifier } from '#shared/ports/notifier.ts'
import { type SlackOptions, slackNotifier } from './slack.ts'
import { type SmtpOptions, smtpNotifier } from './smtp.ts'
import { type WebhookOptions, webhookNotifier } from './webhook.ts'

/** A channel without options is not used. */
export interface NotifierOptions {
  readonly email?: SmtpOptions
  readonly slack?: SlackOptions
  readonly webhook?: WebhookOptions
}

export const notifiersFrom = (options: NotifierOptions, clock: Clock): readonly Notifier[] => [
  ...(options.email === undefined ? [] : [smtpNotifier(options.email)]),
  ...(options.slack === undefined ? [] : [slackNotifier(options.slack)]),
  ...(options.webhook === undefined ? [] : [webhookNotifier(options.webhook, clock)]),
]
