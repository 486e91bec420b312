import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { instant } from '#shared/domain/time.ts'
import type { Clock } from '#shared/ports/clock.ts'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Message } from '#shared/ports/notifier.ts'
import { NOTIFIER_DEADLINE_MS, notifierContract } from '#shared/ports/notifier.contract.ts'
import { isPublicAddress } from './public-address.ts'
import { httpReceiver } from './receiver.fixture.ts'
import { type WebhookOptions, webhookNotifier } from './webhook.ts'

const never = new AbortController().signal
const clock: Clock = { now: () => instant(1_767_571_200_123), sleepUntil: () => Promise.resolve() }
const SECRET = 'a secret of some length'
const OPTIONS = { secret: SECRET, deadlineMs: NOTIFIER_DEADLINE_MS, privateAddressesAllowed: true }
const message: Message = {
  recipient: 'operators',
  severity: 'error',
  title: 'Order rejected',
  body: '삼성전자',
  messageId: 'orders:1',
}

notifierContract('webhookNotifier', async () => {
  const receiver = await httpReceiver()
  const notifier = webhookNotifier({ ...OPTIONS, url: receiver.url }, clock)
  return {
    notifier,
    received: () =>
      receiver.taken.map(({ body }) => {
        const { title, body: text, messageId } = JSON.parse(body) as Message
        return [title, text, messageId].join('\n')
      }),
    set: receiver.set,
    reached: receiver.reached,
    close: async () => {
      await Promise.all([notifier.close(), receiver.close()])
    },
  }
})

/** What delivery to this URL or receiver ends in; undefined when it was taken. */
async function faultOf(options: Partial<WebhookOptions> & { readonly url: string }): Promise<unknown> {
  try {
    const notifier = webhookNotifier({ ...OPTIONS, ...options }, clock)
    return await notifier.deliver(message, never)
  } catch (error) {
    return error
  }
}

describe('signature', () => {
  test.each([
    ['text taken as it is', SECRET, Buffer.from(SECRET)],
    ['whsec_ and base64', `whsec_${Buffer.alloc(24, 7).toString('base64')}`, Buffer.alloc(24, 7)],
  ])('a receiver can check the sender with the secret as %s', async (_name, secret, key) => {
    const receiver = await httpReceiver()
    expect(await faultOf({ url: receiver.url, secret })).toBeUndefined()
    const [taken] = receiver.taken
    const id = taken?.headers['webhook-id']
    const timestamp = taken?.headers['webhook-timestamp']
    expect(id).toBe(message.messageId)
    expect(timestamp).toBe('1767571200')
    const signed = [id, timestamp, taken?.body].join('.')
    const expected = createHmac('sha256', key).update(signed).digest('base64')
    expect(taken?.headers['webhook-signature']).toBe(`v1,${expected}`)
    await receiver.close()
  })

  test('a message id that a header cannot carry is rewritten, and signed as rewritten', async () => {
    const receiver = await httpReceiver()
    const notifier = webhookNotifier({ ...OPTIONS, url: receiver.url }, clock)
    await notifier.deliver({ ...message, messageId: '주문\r\nx-evil: 1' }, never)
    const [taken] = receiver.taken
    expect(taken?.headers['x-evil']).toBeUndefined()
    expect(decodeURIComponent(String(taken?.headers['webhook-id']))).toBe('주문\r\nx-evil: 1')
    await receiver.close()
  })

  test('a secret that could be guessed is refused at start', () => {
    expect(() => webhookNotifier({ ...OPTIONS, url: 'https://example.com', secret: 'short' }, clock)).toThrow(
      /fewer than 16 bytes/,
    )
  })
})

describe('a webhook cannot be used to reach our own network', () => {
  test.each([
    ['loopback', 'http://127.0.0.1:9/'],
    ['loopback in one number', 'http://2130706433:9/'],
    ['loopback in octal', 'http://0177.0.0.1:9/'],
    ['loopback by name', 'http://localhost:9/'],
    ['IPv6 loopback', 'http://[::1]:9/'],
    ['IPv4 inside IPv6', 'http://[::ffff:127.0.0.1]:9/'],
    ['IPv4 by NAT64', 'http://[64:ff9b::7f00:1]:9/'],
    ['IPv4 by 6to4', 'http://[2002:7f00:1::]:9/'],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['a private network', 'https://10.0.0.5/'],
    ['unique local IPv6', 'http://[fd00::1]/'],
    ['the unspecified address', 'http://0.0.0.0/'],
  ])('%s is refused', async (_name, url) => {
    const fault = await faultOf({ url, privateAddressesAllowed: false })
    expect(fault).toBeInstanceOf(PoisonError)
    expect(String(fault)).toMatch(/not a public address/)
  })

  test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each(['', 'localhost', '999.1.1.1', '1.2.3'])('%j is no address and so not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(['file:///etc/passwd', 'ftp://example.com/', 'gopher://127.0.0.1:6379/_FLUSHALL', 'not a url'])(
    'only http and https are spoken: %s',
    async (url) => {
      expect(await faultOf({ url })).toBeInstanceOf(PoisonError)
    },
  )

  test('a redirect is not followed', async () => {
    const inside = await httpReceiver()
    const receiver = await httpReceiver()
    receiver.answer((response) => response.writeHead(307, { location: inside.url }).end())
    const fault = await faultOf({ url: receiver.url })
    expect(fault).toBeInstanceOf(PoisonError)
    expect(String(fault)).toMatch(/answered 307, and redirects are not followed/)
    expect(inside.taken).toHaveLength(0)
    await Promise.all([receiver.close(), inside.close()])
  })
})

describe('answers', () => {
  test.each([
    [200, undefined],
    [204, undefined],
    [400, 'PoisonError'],
    [404, 'PoisonError'],
    [410, 'PoisonError'],
    [408, 'RetryableError'],
    [429, 'RetryableError'],
    [500, 'RetryableError'],
    [503, 'RetryableError'],
  ])('%i ends in %s', async (status, kind) => {
    const receiver = await httpReceiver()
    receiver.answer((response) => response.writeHead(status).end())
    const fault = await faultOf({ url: receiver.url })
    expect(fault instanceof Error ? fault.name : undefined).toBe(kind)
    await receiver.close()
  })

  test('a body without end is cut off, and the status counts', async () => {
    const receiver = await httpReceiver()
    let isCut = false
    receiver.answer((response) => {
      response.writeHead(200)
      response.on('close', () => {
        isCut = true
      })
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', more)
      }
      more()
    })
    expect(await faultOf({ url: receiver.url })).toBeUndefined()
    await expect.poll(() => isCut).toBe(true)
    await receiver.close()
  })

  test('an answer that trickles in costs no more than the deadline', async () => {
    const receiver = await httpReceiver()
    receiver.answer((response) => {
      response.writeHead(200)
      response.write('o')
    })
    expect(String(await faultOf({ url: receiver.url, deadlineMs: 200 }))).toMatch(/no answer within 200 ms/)
    await receiver.close()
  })
})
