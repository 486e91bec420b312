// The whole way: bus, bridge, sockets, functions, and back. Only what is behind the sockets is made up.
import { afterEach, describe, expect, test } from 'vitest'
import type { Event } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { BATCH_TYPE } from '#shared/runtime/cloudevents/http-encode.ts'
import { type Log, silentLog } from '#shared/runtime/log.ts'
import { bar, cancel, denial, root } from '#shared/runtime/test-event.fixture.ts'
import { bridgeBench, isDone, targetOf, until, watchDenials } from './bridge.fixture.ts'

const { bridging, serving, answering, end } = bridgeBench()
afterEach(end)

const NAME = 'test-function'
const ids = (count: number, prefix = 'c'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe('delivery', () => {
  test('events arrive in order, many in one request, and what they emit is published in order', async () => {
    const seen: string[] = []
    const { url, bodies } = await serving(async (event) => {
      seen.push(event.id)
      return [denial(event.id)]
    })
    const opened = bridging([targetOf([url])])
    const denials = await watchDenials(opened.bus)
    await opened.bus.publish(ids(500).map((id) => cancel(id)))
    await until(() => denials.length === 500)
    await isDone(opened)
    expect([seen, denials]).toEqual([ids(500), ids(500)])
    expect(bodies.length).toBeLessThan(40)
  })

  test('what the function does not consume passes by without a request', async () => {
    const { url, bodies } = await serving(async () => [])
    const opened = bridging([targetOf([url])])
    await opened.bus.publish(ids(30).map((id) => root(OrderDenied, denial(id).data, id)))
    await opened.bus.publish([cancel('c1')])
    await isDone(opened)
    expect(bodies).toHaveLength(1)
  })

  test('a single event goes in binary mode, which every function understands', async () => {
    const headers: unknown[] = []
    const { url } = await answering((incoming, outgoing) => {
      headers.push(incoming.headers)
      outgoing.writeHead(204).end()
    })
    const opened = bridging([targetOf([url])])
    await opened.bus.publish([cancel('c1')])
    await isDone(opened)
    expect(headers).toMatchObject([{ 'ce-id': 'c1', 'ce-partitionkey': 'A-1', 'ce-specversion': '1.0' }])
  })

  test('a batch is cut where its bytes would be too many', async () => {
    const { url, bodies } = await serving(async () => [], { bodyBytesMax: 4_000 })
    const opened = bridging([targetOf([url])], { bytesMax: 4_000 })
    await opened.bus.publish(ids(100).map((id) => cancel(id)))
    await isDone(opened)
    expect(Math.max(...bodies.map((body) => body.length))).toBeLessThanOrEqual(4_000)
    expect(opened.counts.requests).toEqual({ handled: bodies.length })
  })

  test('a function that takes less than it is sent gets less from then on', async () => {
    const seen: string[] = []
    const { url } = await serving(
      async (event) => {
        seen.push(event.id)
        return []
      },
      { bodyBytesMax: 4_000 },
    )
    const opened = bridging([targetOf([url])])
    await opened.bus.publish(ids(300).map((id) => cancel(id)))
    await isDone(opened)
    expect(seen).toEqual(ids(300))
    expect(opened.counts.requests['unclear']).toBeLessThan(5)
  })

  test('a function that takes no batches gets its events one by one', async () => {
    const seen: unknown[] = []
    const { url } = await answering((incoming, outgoing) => {
      const isBatch = incoming.headers['ce-id'] === undefined
      if (!isBatch) seen.push(incoming.headers['ce-id'])
      outgoing.writeHead(isBatch ? 415 : 204).end()
    })
    const opened = bridging([targetOf([url])])
    await opened.bus.publish(ids(20).map((id) => cancel(id)))
    await isDone(opened)
    expect(seen).toEqual(ids(20))
    expect(opened.counts.requests['unclear']).toBe(1)
  })

  test('a request that has no time left for all of its events goes on with the rest, at once', async () => {
    const seen: string[] = []
    let elapsedMs = 0
    const { url } = await serving(
      async (event) => {
        seen.push(event.id)
        elapsedMs += 400
        return [denial(event.id)]
      },
      { stopwatch: { elapsedMs: () => elapsedMs, sleep: () => Promise.reject(new Error('not here')) } },
    )
    const opened = bridging([targetOf([url])], { retry: { attemptsMax: 3, baseMs: 60_000, maxMs: 60_000 } })
    const denials = await watchDenials(opened.bus)
    await opened.bus.publish(ids(20).map((id) => cancel(id)))
    await until(() => denials.length === 20)
    expect([seen, denials, opened.counts.retries]).toEqual([ids(20), ids(20), 0])
  })
})

describe('failures of events', () => {
  test('poison in a batch is set aside with its reason; those before and behind it are handled once', async () => {
    const seen: string[] = []
    const { url } = await serving(async (event) => {
      if (event.id === 'c7') throw new PoisonError('nonsense')
      seen.push(event.id)
      return [denial(event.id)]
    })
    const opened = bridging([targetOf([url])])
    const denials = await watchDenials(opened.bus)
    await opened.bus.publish(ids(20).map((id) => cancel(id)))
    await until(() => denials.length === 19)
    await isDone(opened)
    expect(opened.bus.deadLetters()).toMatchObject([
      { event: { id: 'c7' }, consumer: NAME, reason: 'nonsense', attempts: 1 },
    ])
    expect([seen, denials]).toEqual(Array.from({ length: 2 }, () => ids(20).filter((id) => id !== 'c7')))
  })

  test('nothing overtakes an event that is being retried, and none before it is handled again', async () => {
    const seen: string[] = []
    const { url, bodies } = await serving(async (event) => {
      seen.push(event.id)
      if (event.id === 'c2' && seen.filter((id) => id === 'c2').length < 3) throw new RetryableError('down')
      return [denial(event.id)]
    })
    const opened = bridging([targetOf([url])])
    const denials = await watchDenials(opened.bus)
    await opened.bus.publish(ids(5).map((id) => cancel(id)))
    await until(() => denials.length === 5)
    expect([seen, denials]).toEqual([['c0', 'c1', 'c2', 'c2', 'c2', 'c3', 'c4'], ids(5)])
    // It is tried again alone: what waits behind it need not be sent each time.
    expect(bodies.slice(1, 3).filter((body) => body.startsWith('['))).toEqual([])
  })

  test('market data are set aside after the last attempt; an order stands still, loudly, until it is handled', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) }
    let isDown = true
    const { url } = await serving(async () => {
      if (isDown) throw new RetryableError('down')
      return []
    })
    const opened = bridging([targetOf([url])], { log })
    await opened.bus.publish([bar('b1'), cancel('c1')])
    await until(() => opened.counts.setAside === 1 && opened.counts.standing === 1)
    expect(opened.bus.deadLetters()).toMatchObject([{ event: { id: 'b1' }, reason: 'down', attempts: 3 }])
    expect(lines.filter((line) => line.startsWith('partition stands still')).length).toBeGreaterThan(0)
    expect(await opened.bus.lag(NAME)).toBe(1)
    isDown = false
    await isDone(opened)
    expect([opened.counts.standing, opened.bus.deadLetters().length]).toEqual([0, 1])
  })

  test('an event on which the function is defective is delivered again until it is mended', async () => {
    let isDefective = true
    const { url } = await serving(async (event) => {
      if (event.id === 'c1' && isDefective) throw new TypeError('oops')
      return [denial(event.id)]
    })
    const opened = bridging([targetOf([url])])
    const denials = await watchDenials(opened.bus)
    await opened.bus.publish([cancel('c0'), cancel('c1'), cancel('c2')])
    await until(() => opened.counts.standing === 1)
    expect(denials).toEqual(['c0'])
    isDefective = false
    await until(() => denials.length === 3)
    expect(denials).toEqual(['c0', 'c1', 'c2'])
  })

  test('an event that breaks the process each time is found in its batch, and only it is set aside', async () => {
    const { url } = await answering((incoming, outgoing) => {
      let body = ''
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
      incoming.on('end', () => {
        if (body.includes('"b13"') || incoming.headers['ce-id'] === 'b13') outgoing.destroy()
        else outgoing.writeHead(204).end()
      })
    })
    const opened = bridging([targetOf([url])], { retry: { attemptsMax: 8, baseMs: 1, maxMs: 5 } })
    await opened.bus.publish(ids(40, 'b').map((id) => bar(id)))
    await isDone(opened)
    expect(opened.bus.deadLetters()).toMatchObject([{ event: { id: 'b13' }, attempts: 8 }])
  })
})

describe('failures of functions', () => {
  const wrongAnswers: readonly [string, number, Readonly<Record<string, string>>, string][] = [
    ['text', 200, { 'content-type': 'text/plain' }, 'done'],
    ['JSON that is no event', 200, { 'content-type': 'application/json' }, '{"ok":true}'],
    ['half a batch', 200, { 'content-type': 'application/cloudevents-batch+json' }, '[{"specversion":'],
    ['an event without an id', 200, { 'content-type': 'application/cloudevents-batch+json' }, '[{}]'],
    ['an event it may not emit', 200, { 'content-type': BATCH_TYPE }, `[${JSON.stringify(cancel('x'))}]`],
    [
      'an event with wrong data',
      200,
      { 'content-type': BATCH_TYPE },
      `[${JSON.stringify({ ...cancel('x'), type: OrderDenied.type, data: { code: 'WHATEVER' } })}]`,
    ],
    ['accepted, for later', 202, {}, ''],
    ['a redirect', 301, { location: 'http://127.0.0.1:1/' }, ''],
    ['no permission', 401, {}, 'unauthorized'],
    ['no such function', 404, {}, ''],
    ['not by POST', 405, {}, ''],
    ['a gateway that cannot reach it', 502, {}, ''],
    ['a platform error', 500, { 'x-openfaas-internal': 'of-watchdog' }, ''],
    ['too many requests', 429, { 'retry-after': '0' }, ''],
    [
      'an index that is none',
      503,
      { 'content-type': 'application/problem+json' },
      '{"status":503,"detail":"down","index":7,"outputs":[]}',
    ],
  ]
  test.each(wrongAnswers)(
    'market data wait for as long as the answer is %s, and nothing is lost',
    async (_name, status, headers, body) => {
      let isWrong = true
      const handled: string[] = []
      const { url } = await answering((incoming, outgoing) => {
        let text = ''
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
        incoming.on('end', () => {
          if (isWrong) return outgoing.writeHead(status, headers).end(body)
          const batch = incoming.headers['ce-id'] ?? (JSON.parse(text) as Event[]).map(({ id }) => id)
          handled.push(...[batch].flat())
          return outgoing.writeHead(204).end()
        })
      })
      const opened = bridging([targetOf([url])])
      await opened.bus.publish(ids(6, 'b').map((id) => bar(id)))
      await until(() => opened.counts.retries > 6)
      expect([opened.bus.deadLetters(), await opened.bus.lag(NAME)]).toEqual([[], 6])
      isWrong = false
      await isDone(opened)
      expect([handled, opened.bus.deadLetters()]).toEqual([ids(6, 'b'), []])
    },
  )

  test('an empty answer says nothing, whatever content type a proxy gave it', async () => {
    const { url } = await answering((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': BATCH_TYPE }).end()
    })
    const opened = bridging([targetOf([url])])
    await opened.bus.publish(ids(6).map((id) => cancel(id)))
    await isDone(opened)
    expect([opened.counts.requests, opened.bus.deadLetters()]).toEqual([{ handled: 1 }, []])
  })

  test('a function that is not there is waited for', async () => {
    const first = await serving(async () => [])
    await first.kill()
    const opened = bridging([targetOf([first.url])])
    await opened.bus.publish([bar('b1'), bar('b2')])
    await until(() => opened.counts.retries > 5)
    expect(opened.bus.deadLetters()).toEqual([])
    const seen: string[] = []
    await serving(
      async (event) => {
        seen.push(event.id)
        return []
      },
      { port: first.port },
    )
    await isDone(opened)
    expect(seen).toEqual(['b1', 'b2'])
  })

  test('a function that hangs is given up after its deadline, and its event comes again', async () => {
    let requests = 0
    const { url } = await answering((_incoming, outgoing) => {
      requests += 1
      if (requests > 2) outgoing.writeHead(204).end()
    })
    const opened = bridging([targetOf([url], { timeoutMs: 50 })], { marginMs: 50 })
    await opened.bus.publish([cancel('c1'), cancel('c2')])
    await isDone(opened)
    expect(requests).toBeGreaterThan(2)
  })

  test('an answer without end is cut off', async () => {
    let requests = 0
    const { url } = await answering((_incoming, outgoing) => {
      requests += 1
      if (requests > 2) return outgoing.writeHead(204).end()
      outgoing.writeHead(200, { 'content-type': BATCH_TYPE })
      return outgoing.write('x'.repeat(200_000))
    })
    const opened = bridging([targetOf([url])], { answerBytesMax: 100_000 })
    await opened.bus.publish([cancel('c1')])
    await isDone(opened)
    expect(requests).toBe(3)
  })
})
