import { expect, test } from 'vitest'
import type { Message } from '#shared/ports/notifier.ts'
import { NOTIFIER_DEADLINE_MS, notifierContract } from '#shared/ports/notifier.contract.ts'
import { httpReceiver } from './receiver.fixture.ts'
import { slackNotifier } from './slack.ts'

const never = new AbortController().signal
const OPTIONS = { deadlineMs: NOTIFIER_DEADLINE_MS, privateAddressesAllowed: true }
const message: Message = {
  recipient: 'operators',
  severity: 'error',
  title: 'Order rejected',
  body: 'reason: <!channel> & <https://example.com|here>',
  messageId: 'e1',
}

/** As Slack shows it: the three escapes undone. */
const shown = (json: string): string =>
  (JSON.parse(json) as { text: string }).text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

notifierContract('slackNotifier', async () => {
  const receiver = await httpReceiver()
  const notifier = slackNotifier({ ...OPTIONS, url: receiver.url })
  return {
    notifier,
    received: () => receiver.taken.map(({ body }) => shown(body)),
    set: receiver.set,
    reached: receiver.reached,
    close: async () => {
      await Promise.all([notifier.close(), receiver.close()])
    },
  }
})

test('text from an event cannot call out a channel or dress up a link', async () => {
  const receiver = await httpReceiver()
  const notifier = slackNotifier({ ...OPTIONS, url: receiver.url, channel: '#jts-dev-alerts' })
  await notifier.deliver(message, never)
  const payload = JSON.parse(receiver.taken[0]?.body ?? '') as { text: string; channel: string }
  expect(payload.text).not.toMatch(/[<>]/)
  expect(payload).toMatchObject({ channel: '#jts-dev-alerts', unfurl_links: false, unfurl_media: false })
  await Promise.all([notifier.close(), receiver.close()])
})

test('no error shows the webhook URL, which is a secret', async () => {
  const receiver = await httpReceiver()
  receiver.set('refuses')
  const notifier = slackNotifier({ ...OPTIONS, url: `${receiver.url}/T000/B000/verysecret` })
  const error = await notifier.deliver(message, never).catch((reason: unknown) => reason)
  expect(String(error)).toBe('PoisonError: slack: answered 403')
  await Promise.all([notifier.close(), receiver.close()])
})
