// Slack incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import type { Severity } from '#shared/events/notifications.ts'
import { RetryableError } from '#shared/ports/errors.ts'
import type { Message, Notifier } from '#shared/ports/notifier.ts'
import { postOnce, receiverUrl } from './http-post.ts'

export interface SlackOptions {
  /** A secret: who knows it can post. */
  readonly url: string
  /** Overrides the channel that the webhook was made for, where Slack still allows that. */
  readonly channel?: string
  readonly deadlineMs: number
  readonly privateAddressesAllowed: boolean
}

const MARKS: Record<Severity, string> = {
  info: ':information_source:',
  warning: ':warning:',
  error: ':x:',
  critical: ':rotating_light:',
}

/** Slack reads `<!channel>` and links out of text; these three characters are all that it asks to escape. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const textOf = ({ severity, title, body, messageId }: Message): string =>
  `${MARKS[severity]} *${escaped(title)}*\n${escaped(body)}\n_${escaped(messageId)}_`

export function slackNotifier(options: SlackOptions): Notifier {
  const url = receiverUrl('slack', options.url)
  const closing = new AbortController()
  return {
    channel: 'slack',
    async deliver(message, signal) {
      if (closing.signal.aborted) throw new RetryableError('slack: closed')
      const payload = {
        ...(options.channel === undefined ? {} : { channel: options.channel }),
        text: textOf(message),
        // A price or a URL in a message must not make Slack fetch anything.
        unfurl_links: false,
        unfurl_media: false,
      }
      const { deadlineMs, privateAddressesAllowed } = options
      await postOnce(
        {
          receiver: 'slack',
          url,
          headers: {},
          body: JSON.stringify(payload),
          deadlineMs,
          privateAddressesAllowed,
        },
        AbortSignal.any([signal, closing.signal]),
      )
    },
    close() {
      closing.abort()
      return Promise.resolve()
    },
  }
}
