// A webhook of the operator's own, signed as https://www.standardwebhooks.com asks, so that receivers can use ready
// libraries: HMAC-SHA256 over `id.timestamp.body`. The timestamp lets a receiver refuse an old message sent again.
import { createHmac } from 'node:crypto'
import { formatInstant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { Notifier } from '#shared/ports/notifier.ts'
import { postOnce, receiverUrl } from './http-post.ts'

export interface WebhookOptions {
  readonly url: string
  /** `whsec_` and base64, or any other text of at least 16 bytes, taken as it is. */
  readonly secret: string
  readonly deadlineMs: number
  readonly privateAddressesAllowed: boolean
}

const SECRET_BYTES_MIN = 16

function keyOf(secret: string): Buffer {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  if (key.length < SECRET_BYTES_MIN) {
    throw new PoisonError(`webhook: the secret has fewer than ${SECRET_BYTES_MIN} bytes`)
  }
  return key
}

/** A header takes visible ASCII only; a `%` marks what was rewritten. */
const headerText = (id: string): string => id.replaceAll(/[^!-$&-~]/gu, encodeURIComponent)

/** @throws PoisonError for a URL or a secret that cannot be used. */
export function webhookNotifier(options: WebhookOptions, clock: Clock): Notifier {
  const url = receiverUrl('webhook', options.url)
  const key = keyOf(options.secret)
  const closing = new AbortController()
  return {
    channel: 'webhook',
    async deliver(message, signal) {
      if (closing.signal.aborted) throw new RetryableError('webhook: closed')
      const now = clock.now()
      const body = JSON.stringify({ ...message, sentTime: formatInstant(now) })
      const id = headerText(message.messageId)
      const timestamp = String(Math.floor(now / 1000))
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      }
      const { deadlineMs, privateAddressesAllowed } = options
      await postOnce(
        { receiver: 'webhook', url, headers, body, deadlineMs, privateAddressesAllowed },
        AbortSignal.any([signal, closing.signal]),
      )
    },
    close() {
      closing.abort()
      return Promise.resolve()
    },
  }
}
