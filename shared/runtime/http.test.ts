import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { output } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import { ORDER, binary, json, structured } from './cloudevents/http-vector.ts'
import { createMetrics } from './metrics.ts'
import type { Problem } from './problem.ts'
import { type Answer, type TestHandler, type TestServer, openServer, send } from './server.fixture.ts'

const BODY = JSON.stringify(ORDER)
const BATCH = structured('application/cloudevents-batch+json')
const open: TestServer[] = []
const opened = async (...args: Parameters<typeof openServer>): Promise<TestServer> => {
  const server = await openServer(...args)
  open.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

const denial = (detail: string) =>
  output(OrderDenied, { accountId: 'A-1', clientOrderId: 'o-1', code: 'TRADING_HALTED', detail })
const emits =
  (count: number): TestHandler =>
  async () =>
    Array.from({ length: count }, (_, index) => denial(`${index}`))
const post = (server: TestServer): Promise<Answer> => send(server.port, { headers: binary(), body: BODY })
const problemIn = ({ body }: Answer): Problem => JSON.parse(body) as Problem

describe('answers', () => {
  test('nothing to say is 204 without a body', async () => {
    expect(await post(await opened(emits(0)))).toMatchObject({ status: 204, body: '' })
  })

  test('one output is one CloudEvent in binary mode', async () => {
    const answer = await post(await opened(emits(1)))
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-type': 'jts.order.denied.v1',
        'ce-partitionkey': 'A-1',
        'ce-causationid': 'e-1',
      },
    })
    expect(JSON.parse(answer.body)).toMatchObject({ detail: '0' })
  })

  test('several outputs go as a batch to those who accept one', async () => {
    const server = await opened(emits(2))
    const headers = [...binary(), ['accept', 'application/cloudevents-batch+json'] as const]
    const answer = await send(server.port, { headers, body: BODY })
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      'application/cloudevents-batch+json; charset=utf-8',
    ])
    expect(JSON.parse(answer.body)).toMatchObject([{ data: { detail: '0' } }, { data: { detail: '1' } }])
  })

  test('whoever sends an event by hand sees whole events, be it one or several', async () => {
    for (const count of [1, 2]) {
      const server = await opened(emits(count))
      const answer = await send(server.port, { headers: [['content-type', 'text/plain']], body: json() })
      const events = JSON.parse(answer.body) as Record<string, unknown>[]
      expect([answer.status, events.length]).toEqual([200, count])
      expect(events[0]).toMatchObject({
        type: 'jts.order.denied.v1',
        causationid: 'e-1',
        data: { detail: '0' },
      })
    }
  })

  test('several outputs are never half answered to those who accept one event', async () => {
    expect((await post(await opened(emits(2)))).status).toBe(406)
  })

  test('outputs that are published are not answered as well', async () => {
    const published: unknown[] = []
    const publish = async (events: readonly unknown[]): Promise<void> => void published.push(...events)
    expect((await post(await opened(emits(2), { publish }))).status).toBe(204)
    expect(published).toHaveLength(2)
  })

  test('outputs that cannot be published are not acknowledged', async () => {
    const publish = async (): Promise<void> => Promise.reject(new RetryableError('bus down'))
    expect((await post(await opened(emits(1), { publish }))).status).toBe(503)
  })

  test.each([
    [503, new RetryableError('down')],
    [422, new PoisonError('nonsense')],
    [500, new TypeError('secret detail')],
  ])('a handler that fails is answered %i', async (status, error) => {
    const answer = await post(await opened(async () => Promise.reject(error)))
    expect([answer.status, problemIn(answer).status]).toEqual([status, status])
    expect(answer.body).not.toContain('secret detail')
  })

  test('a type that is not consumed is acknowledged: a topic carries others too', async () => {
    const server = await opened(emits(1))
    const answer = await send(server.port, { headers: binary({ type: 'com.example.other' }), body: '{}' })
    expect(answer.status).toBe(204)
  })

  test('all faults of an event are named at once', async () => {
    const server = await opened(emits(0))
    const answer = await send(server.port, {
      headers: binary({ id: '', time: 'now', type: undefined }),
      body: '{',
    })
    expect(problemIn(answer).faults?.map(({ pointer }) => pointer)).toEqual([
      'ce-id',
      'ce-time',
      'ce-type',
      '',
    ])
  })
})

describe('batches', () => {
  test('a batch is answered with a batch, in order', async () => {
    const server = await opened(async (event) => [denial(event.id)])
    const answer = await send(server.port, {
      headers: BATCH,
      body: `[${json({ id: 'a' })},${json({ id: 'b' })}]`,
    })
    expect(JSON.parse(answer.body)).toMatchObject([{ causationid: 'a' }, { causationid: 'b' }])
  })

  test('a batch stops at the first event that is not done, and keeps what came before', async () => {
    const seen: string[] = []
    const server = await opened(async (event) => {
      seen.push(event.id)
      if (event.id === 'b') throw new RetryableError('down')
      return [denial(event.id)]
    })
    const answer = await send(server.port, { headers: BATCH, body: batchOf('a', 'b', 'c') })
    expect(problemIn(answer)).toMatchObject({ status: 503, index: 1, outputs: [{ causationid: 'a' }] })
    expect(seen).toEqual(['a', 'b'])
  })

  test('a batch that has taken as long as an event may take stops there, and says that the next was not tried', async () => {
    let elapsedMs = 0
    const server = await opened(
      async (event) => {
        elapsedMs += 1_000
        return [denial(event.id)]
      },
      { stopwatch: { ...systemStopwatch, elapsedMs: () => elapsedMs } },
    )
    const answer = await send(server.port, { headers: BATCH, body: batchOf('a', 'b', 'c') })
    expect(problemIn(answer)).toMatchObject({
      status: 503,
      index: 2,
      untried: true,
      outputs: [{ causationid: 'a' }, { causationid: 'b' }],
    })
  })

  test('a batch whose sender has gone goes no further: the sender will begin again', async () => {
    const seen: string[] = []
    const entered = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const server = await opened(async (event) => {
      seen.push(event.id)
      entered.resolve()
      await released.promise
      return []
    })
    const socket = connect(server.port, '127.0.0.1')
    const body = batchOf('a', 'b')
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${BATCH.map((header) => header.join(': ')).join('')}\r\n`)
    socket.write(`content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    await entered.promise
    socket.destroy()
    await expect.poll(() => connectionsOf(server), { interval: 5 }).toBe(0)
    released.resolve()
    expect((await post(server)).status).toBe(204)
    expect(seen).toEqual(['a', 'e-1'])
  })
})

const batchOf = (...ids: readonly string[]): string => `[${ids.map((id) => json({ id })).join(',')}]`

const connectionsOf = ({ server }: TestServer): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )

describe('limits', () => {
  test.each([
    ['declared', false],
    ['chunked', true],
  ])('a body that is too large is refused, %s', async (_name, chunked) => {
    const server = await opened(emits(0), { bodyBytesMax: 1_024 })
    const large = 'x'.repeat(5_000)
    const framing = chunked
      ? `transfer-encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
      : `content-length: ${large.length}\r\n\r\n${large}`
    expect(await raw(server.port, `POST / HTTP/1.1\r\nhost: x\r\n${framing}`)).toMatch(/^HTTP\/1.1 413 /)
  })

  test('a compressed body is refused: a small bomb must not become a large one', async () => {
    const server = await opened(emits(0))
    const headers = [...binary(), ['content-encoding', 'gzip'] as const]
    expect((await send(server.port, { headers, body: BODY })).status).toBe(415)
  })

  test('headers that are too long are answered', async () => {
    const server = await opened(emits(0))
    const answer = await raw(
      server.port,
      `POST / HTTP/1.1\r\nhost: x\r\nce-id: ${'x'.repeat(40_000)}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
  })

  test('a client that trickles its body is answered 408, and others are served meanwhile', async () => {
    const server = await opened(emits(0))
    server.server.requestTimeout = 300
    server.server.headersTimeout = 300
    const slow = raw(server.port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
    expect((await post(server)).status).toBe(204)
    expect(await slow).toMatch(/^HTTP\/1.1 408 [^]*application\/problem\+json/)
  })

  test('requests beyond the limit are told to come again', async () => {
    const release = Promise.withResolvers<void>()
    const server = await opened(
      async () => {
        await release.promise
        return []
      },
      { inFlightMax: 1 },
    )
    const first = post(server)
    await expect.poll(async () => (await post(server)).status).toBe(429)
    release.resolve()
    expect((await first).status).toBe(204)
  })

  test('a client that goes away leaves the server well', async () => {
    const server = await opened(emits(0))
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
    await once(socket, 'connect')
    socket.destroy()
    expect((await post(server)).status).toBe(204)
  })

  test('idle connections outlive the pools of proxies', async () => {
    const server = await opened(emits(0))
    expect(server.server.keepAliveTimeout).toBeGreaterThan(60_000)
  })
})

describe('routes', () => {
  test.each([
    ['GET', '/', 405],
    ['PUT', '/events', 405],
    ['POST', '/health', 405],
    ['GET', '/nothing', 404],
    ['POST', '/nothing', 404],
    ['POST', '/?a=b', 204],
    ['POST', '/events', 204],
    ['GET', '/health', 200],
    ['GET', '/ready', 200],
    ['GET', '/_/health', 200],
    ['GET', '/_/ready', 200],
    ['HEAD', '/ready', 200],
    ['GET', '/metrics', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const server = await opened(emits(0))
    const answer = await send(server.port, {
      method,
      path,
      headers: binary(),
      body: method === 'POST' ? BODY : '',
    })
    expect(answer.status).toBe(status)
    expect(status === 204 || answer.headers['content-type'] !== undefined).toBe(true)
  })

  test('a process that is not ready says why', async () => {
    const server = await opened(emits(0), {
      notReady: () => ['orders not reconciled'],
      isDraining: () => true,
    })
    const answer = await send(server.port, { method: 'GET', path: '/ready' })
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      503,
      { ready: false, reasons: ['draining', 'orders not reconciled'] },
    ])
  })

  test('metrics count events, requests and the event loop', async () => {
    const server = await opened(emits(0), { metrics: createMetrics() })
    await post(server)
    const { body } = await send(server.port, { method: 'GET', path: '/metrics' })
    expect(body).toContain('jts_http_requests_total{status="204"} 1')
    expect(body).toContain('jts_http_requests_in_flight 0')
    expect(body).toContain('nodejs_eventloop_lag_seconds')
  })
})

describe('an ending process', () => {
  test('on SIGTERM a request in flight is answered, new ones are served in the grace, then the process ends', async () => {
    const child = spawn(process.execPath, ['shared/runtime/process.fixture.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const port = await portOf(child.stdout)
    const agent = new Agent({ keepAlive: true })
    const slow = send(port, { headers: binary({ id: 'slow' }), body: BODY, agent })
    await expect.poll(async () => (await send(port, { method: 'GET', path: '/ready' })).status).toBe(200)
    child.kill('SIGTERM')
    await expect.poll(async () => (await send(port, { method: 'GET', path: '/ready' })).status).toBe(503)
    expect((await send(port, { headers: binary(), body: BODY })).status).toBe(204)
    expect((await slow).status).toBe(204)
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
    agent.destroy()
  })

  test('a defect is answered 500 and ends it with a code that has it started again', async () => {
    const child = spawn(process.execPath, ['shared/runtime/process.fixture.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const port = await portOf(child.stdout)
    expect((await send(port, { headers: binary({ id: 'defect' }), body: BODY })).status).toBe(500)
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(1)
  })

  test('a second signal ends it at once', async () => {
    const child = spawn(process.execPath, ['shared/runtime/process.fixture.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const port = await portOf(child.stdout)
    const hanging = send(port, { headers: binary({ id: 'hang' }), body: BODY }).catch((error: Error) => error)
    child.kill('SIGTERM')
    await expect.poll(async () => (await send(port, { method: 'GET', path: '/ready' })).status).toBe(503)
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(130)
    expect(await hanging).toBeInstanceOf(Error)
  })
})

/** Sends bytes and reads until the server ends the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

/** The first line that the process writes is its port. */
async function portOf(stdout: NodeJS.ReadableStream): Promise<number> {
  const [line] = (await once(stdout, 'data')) as [Buffer]
  return Number(line.toString())
}
