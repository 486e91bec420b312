// kafkajs 2.2.4 from inside: this fails when a new version has another shape, and says which guard to look at.
import { Kafka } from 'kafkajs'
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { expect, test } from 'vitest'
import { guardKafkajs, watched } from './guards.ts'

/** What only this test looks at. */
type NewQueue = new (options: object) => {
  pending: unknown[]
  throttledUntil: number
  readonly throttleCheckTimeoutId: NodeJS.Timeout | null
  scheduleCheckPendingRequests(): void
}

guardKafkajs()

test('the version is the one that the guards were made for', async () => {
  const { default: manifest } = await import('kafkajs/package.json', { with: { type: 'json' } })
  expect((manifest as { version: string }).version).toBe('2.2.4')
  expect(Kafka).toBeTypeOf('function')
})

test('a request queue without anything to send arms no timer; one with something does', () => {
  const queue = new (RequestQueue as unknown as NewQueue)({
    maxInFlightRequests: 1,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'test:1',
    logger: { debug: () => undefined },
  })
  queue.scheduleCheckPendingRequests()
  expect(queue.throttleCheckTimeoutId).toBeNull()

  queue.pending = [{}]
  queue.throttledUntil = Date.now() + 60_000
  queue.scheduleCheckPendingRequests()
  expect(queue.throttleCheckTimeoutId).not.toBeNull()
  clearTimeout(queue.throttleCheckTimeoutId ?? undefined)
})

test('a join waits for its watcher, before and after', async () => {
  const steps: string[] = []
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const watcher = {
    beforeJoin: async () => {
      await turn()
      steps.push('let go')
    },
    afterJoin: async () => {
      await turn()
      steps.push('begin')
    },
  }
  const membership = Object.assign(Object.create(ConsumerGroup.prototype) as ConsumerGroup, {
    assigners: [watched({}, watcher)],
    retrier: async () => {
      steps.push('join')
    },
  })
  await membership.joinAndSync()
  expect(steps).toEqual(['let go', 'join', 'begin'])
})

test('guarding twice changes nothing', () => {
  const before = Reflect.get(RequestQueue.prototype, 'scheduleCheckPendingRequests') as unknown
  guardKafkajs()
  expect(Reflect.get(RequestQueue.prototype, 'scheduleCheckPendingRequests')).toBe(before)
})
