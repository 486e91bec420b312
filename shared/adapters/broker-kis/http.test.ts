import net from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HttpClient, httpClient } from './http.ts'
import { type ScriptedKis, scriptedKis } from './scripted-kis.fixture.ts'

const POST = { method: 'POST', path: '/order', headers: { 'x-a': 'b' }, body: '{"a":"b"}' } as const
const soon = (ms = 5_000): AbortSignal => AbortSignal.timeout(ms)

let kis: ScriptedKis
let client: HttpClient
beforeEach(async () => {
  kis = await scriptedKis()
  client = httpClient(kis.settings.apiBaseUrl)
})
afterEach(async () => {
  client.close()
  await kis.close()
})

describe('a request that provably never left', () => {
  test.each([
    ['nobody listens', 'http://127.0.0.1:1'],
    ['the host has no address', 'http://kis.invalid:9443'],
    ['the far side does not speak TLS', 'https'],
  ])('%s', async (_name, address) => {
    const plain = net.createServer((socket) => socket.write('not TLS at all\r\n', () => socket.destroy()))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as net.AddressInfo
    const other = httpClient(address === 'https' ? `https://127.0.0.1:${port}` : address)
    expect((await other.exchange(POST, soon())).kind).toBe('neverLeft')
    other.close()
    await new Promise((resolve) => plain.close(resolve))
  })

  test('the deadline came before it began', async () => {
    expect((await client.exchange(POST, AbortSignal.abort())).kind).toBe('neverLeft')
    expect(kis.received).toHaveLength(0)
  })
})

describe('a request that is held back', () => {
  test('leaves when it is cleared, over a new connection and over a kept one', async () => {
    kis.on('/order', { json: {} })
    for (const sent of [1, 2]) {
      const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
      const exchange = client.exchange(POST, soon(), cleared)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(kis.received).toHaveLength(sent - 1)
      clear(true)
      expect((await exchange).kind).toBe('answered')
      expect(kis.received).toHaveLength(sent)
    }
  })

  test.each([
    ['is refused', false, 5_000],
    ['runs out of time first', true, 20],
  ])('never leaves when it %s', async (_name, isCleared, ms) => {
    kis.on('/order', { json: {} })
    const { promise: cleared, resolve: clear } = Promise.withResolvers<boolean>()
    const exchange = client.exchange(POST, soon(ms), cleared)
    await new Promise((resolve) => setTimeout(resolve, 50))
    clear(isCleared)
    expect((await exchange).kind).toBe('neverLeft')
    expect((await client.exchange(POST, soon())).kind).toBe('answered')
    expect(kis.received).toHaveLength(1)
  })

  test('has not left when its connection dies meanwhile', async () => {
    const held = net.createServer((socket) => setTimeout(() => socket.destroy(), 30))
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve))
    const other = httpClient(`http://127.0.0.1:${(held.address() as net.AddressInfo).port}`)
    const never = new Promise<boolean>(() => undefined)
    expect((await other.exchange(POST, soon(), never)).kind).toBe('neverLeft')
    other.close()
    await new Promise((resolve) => held.close(resolve))
  })
})

describe('a request that may have been read', () => {
  test.each(['hang', 'reset', 'half'] as const)('%s', async (answer) => {
    kis.on('/order', answer)
    expect((await client.exchange(POST, soon(300))).kind).toBe('maybeLeft')
    expect(kis.received).toHaveLength(1)
  })

  test('a kept connection that dies under the second request', async () => {
    kis.on('/order', { json: {} }, 'reset')
    expect((await client.exchange(POST, soon())).kind).toBe('answered')
    expect((await client.exchange(POST, soon())).kind).toBe('maybeLeft')
    expect(kis.received).toHaveLength(2)
  })

  test('an answer without end is cut off', async () => {
    kis.on('/order', { raw: 'x'.repeat(5 * 1_048_576) })
    expect(await client.exchange(POST, soon())).toMatchObject({
      kind: 'maybeLeft',
      reason: 'answer longer than 4194304 bytes',
    })
  })
})

test('an answer is an answer whatever its status', async () => {
  kis.on('/order', { json: { rt_cd: '1' }, status: 500 })
  expect(await client.exchange(POST, soon())).toMatchObject({
    kind: 'answered',
    status: 500,
    body: '{"rt_cd":"1"}',
  })
})

test('one connection serves request after request', async () => {
  kis.on('/order', { json: {} })
  for (let index = 0; index < 5; index += 1) await client.exchange(POST, soon())
  expect([kis.received.length, kis.connections()]).toEqual([5, 1])
})
