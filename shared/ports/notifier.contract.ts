// What every Notifier must do. Each adapter's test calls this once, with a real receiver on the other side.
import { afterEach, describe, expect, test } from 'vitest'
import { PoisonError, RetryableError } from './errors.ts'
import type { Message, Notifier } from './notifier.ts'

/** How the receiver treats the next messages. */
export const RECEIVER_MOODS = ['takes', 'busy', 'refuses', 'silent', 'drops'] as const
export type ReceiverMood = (typeof RECEIVER_MOODS)[number]

export interface NotifierBench {
  readonly notifier: Notifier
  /** Text of every message taken so far, decoded from the channel's own form; oldest first. */
  readonly received: () => readonly string[]
  readonly set: (mood: ReceiverMood) => void
  /** Settles once the receiver has begun to read a message. */
  readonly reached: () => Promise<void>
  /** Ends receiver and notifier. */
  close(): Promise<void>
}

/** Deadline that `open` must give the notifier. Long enough for a busy machine, short enough to wait for. */
export const NOTIFIER_DEADLINE_MS = 1_500

const MESSAGE: Message = {
  recipient: 'operators',
  severity: 'critical',
  title: '주문 실패 <!channel> & *bold* "삼성전자"',
  body: 'first line\nsecond line: <https://example.com|click> & 50% → 100%\n.\nafter a lone dot',
  messageId: 'orders/7f3a:liquidation',
}
const never = new AbortController().signal
const fault = (delivery: Promise<void>): Promise<unknown> =>
  delivery.then(
    () => undefined,
    (error: unknown) => error,
  )

export function notifierContract(adapter: string, open: () => Promise<NotifierBench>): void {
  describe(`${adapter} as Notifier`, () => {
    const benches: NotifierBench[] = []
    const bench = async (): Promise<NotifierBench> => {
      const opened = await open()
      benches.push(opened)
      return opened
    }
    afterEach(async () => {
      await Promise.all(benches.splice(0).map((opened) => opened.close()))
    })

    test('what is delivered arrives whole: title, every line of the body, and the message id', async () => {
      const { notifier, received } = await bench()
      await notifier.deliver(MESSAGE, never)
      expect(received()).toHaveLength(1)
      const [text = ''] = received()
      for (const part of [MESSAGE.title, MESSAGE.body, MESSAGE.messageId]) expect(text).toContain(part)
    })

    test('a body of the greatest length arrives whole', async () => {
      const { notifier, received } = await bench()
      const body = '삼'.repeat(10_000)
      await notifier.deliver({ ...MESSAGE, body }, never)
      expect(received()[0]?.replaceAll(/[^삼]/gu, '').length).toBeGreaterThanOrEqual(10_000)
    })

    test('twenty messages at once arrive once each', async () => {
      const { notifier, received } = await bench()
      const ids = Array.from({ length: 20 }, (_, index) => `message-${index}-end`)
      await Promise.all(ids.map((messageId) => notifier.deliver({ ...MESSAGE, messageId }, never)))
      expect(received()).toHaveLength(20)
      for (const id of ids) expect(received().filter((text) => text.includes(id))).toHaveLength(1)
    })

    test.each([
      ['a receiver that is busy is worth another try', 'busy', RetryableError],
      ['a receiver that refuses for good is not tried again', 'refuses', PoisonError],
      ['a receiver that hangs up is worth another try', 'drops', RetryableError],
      ['a receiver that never answers costs no more than the deadline', 'silent', RetryableError],
    ] as const)('%s', async (_name, mood, kind) => {
      const { notifier, received, set } = await bench()
      set(mood)
      const begun = performance.now()
      expect(await fault(notifier.deliver(MESSAGE, never))).toBeInstanceOf(kind)
      expect(performance.now() - begun).toBeLessThan(NOTIFIER_DEADLINE_MS * 3)
      expect(received()).toHaveLength(0)
    })

    test('after a fault the next message is delivered', async () => {
      const { notifier, received, set } = await bench()
      set('drops')
      await fault(notifier.deliver(MESSAGE, never))
      set('takes')
      await notifier.deliver(MESSAGE, never)
      expect(received()).toHaveLength(1)
    })

    test('giving up ends a delivery that the receiver does not answer', async () => {
      const { notifier, set, reached } = await bench()
      set('silent')
      const giveUp = new AbortController()
      const delivery = fault(notifier.deliver(MESSAGE, giveUp.signal))
      await reached()
      const begun = performance.now()
      giveUp.abort(new Error('shutting down'))
      expect(await delivery).toBeInstanceOf(RetryableError)
      expect(performance.now() - begun).toBeLessThan(NOTIFIER_DEADLINE_MS)
    })

    test('a signal that has aborted already sends nothing', async () => {
      const { notifier, received } = await bench()
      expect(await fault(notifier.deliver(MESSAGE, AbortSignal.abort()))).toBeInstanceOf(RetryableError)
      expect(received()).toHaveLength(0)
    })

    test('a receiver that is gone is worth another try', async () => {
      const opened = await open()
      const { notifier } = opened
      const closing = opened.close()
      expect(await fault(notifier.deliver(MESSAGE, never))).toBeInstanceOf(RetryableError)
      await closing
    })

    test('closing ends what is under way, and nothing is sent afterwards', async () => {
      const { notifier, received, set, reached } = await bench()
      set('silent')
      const delivery = fault(notifier.deliver(MESSAGE, never))
      await reached()
      await notifier.close()
      expect(await delivery).toBeInstanceOf(RetryableError)
      expect(await fault(notifier.deliver(MESSAGE, never))).toBeInstanceOf(RetryableError)
      expect(received()).toHaveLength(0)
    })
  })
}
