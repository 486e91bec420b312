import { once } from 'node:events'
import { type AddressInfo, type Server, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { type HttpClient, type HttpReply, httpClient } from './http-client.ts'
import { placeOf } from './instances.ts'

const servers: Server[] = []
const clients: HttpClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const server of servers.splice(0)) server.close()
})

/** Answers each request, which is taken to come in one piece, with these bytes; `undefined` breaks the connection. */
async function speaking(
  answer: (request: number, connection: number) => string | undefined,
): Promise<string> {
  let connections = 0
  let requests = 0
  const server = createServer((socket) => {
    connections += 1
    const connection = connections
    socket.on('error', () => undefined)
    socket.on('data', () => {
      requests += 1
      const text = answer(requests, connection)
      if (text === undefined) socket.destroy()
      else socket.write(text)
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function opened(): HttpClient {
  const client = httpClient({ stopwatch: systemStopwatch, connectMsMax: 200, answerBytesMax: 1_000 })
  clients.push(client)
  return client
}
const never = new AbortController().signal
const post = (client: HttpClient, url: string, signal = never): Promise<HttpReply> =>
  client.send(placeOf(url), {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: '삼성전자',
    timeoutMs: 300,
    signal,
    leaveMs: 20,
  })
const DONE = 'HTTP/1.1 204 No Content\r\n\r\n'

describe('replies', () => {
  test('an answer comes whole, with its headers as they were sent', async () => {
    const url = await speaking(() => 'HTTP/1.1 200 OK\r\nCe-Id: 1\r\ncontent-length: 5\r\n\r\nhello')
    const reply = await post(opened(), url)
    expect(reply).toMatchObject({ kind: 'answer', status: 200, headers: { 'ce-id': '1' } })
    expect(reply.kind === 'answer' && reply.body.toString()).toBe('hello')
  })

  test('where nobody listens, nobody has seen the request', async () => {
    const url = await speaking(() => DONE)
    servers.splice(0)[0]?.close()
    expect(await post(opened(), url)).toMatchObject({
      kind: 'unreached',
      reason: expect.stringContaining('ECONNREFUSED') as string,
    })
  })

  test('a name that nobody knows is unreached', async () => {
    expect(await post(opened(), 'http://nobody.invalid')).toMatchObject({ kind: 'unreached' })
  })

  test('a connection that breaks after the request may have been seen', async () => {
    const url = await speaking(() => undefined)
    expect(await post(opened(), url)).toMatchObject({ kind: 'broken' })
  })

  test.each([
    ['never answers', ''],
    ['trickles its answer', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nh'],
  ])('one that %s is given up in time', async (_name, text) => {
    const url = await speaking(() => text)
    expect(await post(opened(), url)).toEqual({
      kind: 'broken',
      reason: 'no answer within 300 ms',
      isTimeout: true,
    })
  })

  test('an answer that is not HTTP is no answer', async () => {
    expect(await post(opened(), await speaking(() => 'hello\r\n\r\n'))).toMatchObject({ kind: 'broken' })
  })

  test('an answer that is too large is not read to its end', async () => {
    const url = await speaking(() => `HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n${'x'.repeat(2_000)}`)
    expect(await post(opened(), url)).toMatchObject({
      kind: 'broken',
      reason: 'an answer of more than 1000 bytes (JTS_BRIDGE_ANSWER_BYTES_MAX)',
    })
  })

  test('an answer that ends too early is no answer', async () => {
    const url = await speaking(() => 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello')
    const client = opened()
    const reply = post(client, url)
    expect((await reply).kind).toBe('broken')
  })

  test('when its partition leaves, a request has a moment to end', async () => {
    const url = await speaking(() => '')
    const leaving = new AbortController()
    const reply = post(opened(), url, leaving.signal)
    leaving.abort()
    expect(await reply).toMatchObject({ kind: 'broken', reason: 'the partition is leaving' })
  })
})

describe('connections', () => {
  test('stay open between requests', async () => {
    const connections = new Set<number>()
    const url = await speaking((_request, connection) => {
      connections.add(connection)
      return DONE
    })
    const client = opened()
    for (let at = 0; at < 5; at += 1) expect(await post(client, url)).toMatchObject({ status: 204 })
    expect(connections.size).toBe(1)
  })

  test('one that was closed while it idled costs nothing but a second try', async () => {
    const url = await speaking((request) => (request === 2 ? undefined : DONE))
    const client = opened()
    await post(client, url)
    expect(await post(client, url)).toMatchObject({ kind: 'answer', status: 204 })
  })

  test('a second try that finds nobody does not hide that the first may have been seen', async () => {
    const url = await speaking((request) => {
      if (request === 1) return DONE
      servers.splice(0)[0]?.close()
      return undefined
    })
    const client = opened()
    await post(client, url)
    expect((await post(client, url)).kind).toBe('broken')
  })
})
