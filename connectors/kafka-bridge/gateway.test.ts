import { afterEach, describe, expect, test } from 'vitest'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import { type Log, silentLog } from '#shared/runtime/log.ts'
import { bothFunction, cancel } from '#shared/runtime/test-event.fixture.ts'
import { type FunctionProcess, listen, openBridge, serveFunction } from './bridge.fixture.ts'
import { gatewaySource, targetFrom } from './gateway.ts'
import { httpClient } from './http-client.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const BASE = 'http://gateway:8080'
const DEFAULTS = { timeoutMs: 30_000, batchMax: 250 }
const found = (
  annotations: Readonly<Record<string, string>> | null,
  namespace: string | null = 'openfaas-fn',
) => targetFrom({ name: 'risk-check', namespace, annotations }, BASE, DEFAULTS)
const typesOf = (annotations: Readonly<Record<string, string>>): readonly string[] =>
  (found(annotations).target?.consumes ?? []).map(({ type }) => type)

describe('annotations of a function', () => {
  test('name its events; what they leave out is by default', () => {
    const { target } = found({
      topic: 'orders',
      'jts.events': 'jts.order.requested.v1, jts.order.denied.v1',
    })
    expect(target).toMatchObject({
      name: 'risk-check',
      urls: ['http://gateway:8080/function/risk-check.openfaas-fn'],
      ...DEFAULTS,
    })
    expect(target?.consumes.map(({ type }) => type)).toEqual([
      'jts.order.requested.v1',
      'jts.order.denied.v1',
    ])
  })

  test('or topics, of which it then gets all', () => {
    const ofOrders = CONTRACTS.filter(({ topic }) => topic === 'orders').map(({ type }) => type)
    expect(typesOf({ topic: 'orders' })).toEqual(ofOrders)
    expect(typesOf({ topic: 'orders,timers' }).length).toBe(ofOrders.length + 2)
  })

  test('and may say how long an event takes, how many come at once and what comes out', () => {
    expect(
      found({
        'jts.events': 'jts.order.requested.v1',
        'jts.outputs': 'jts.order.denied.v1',
        'jts.timeout-ms': '2000',
        'jts.batch-max': '1',
      }).target,
    ).toMatchObject({ timeoutMs: 2_000, batchMax: 1, produces: [{ type: 'jts.order.denied.v1' }] })
  })

  test.each([
    ['none', null],
    ['others', { 'com.example': 'x' }],
    ['a cron schedule', { topic: 'cron-function', schedule: '* * * * *' }],
  ])('%s: it is none of ours', (_name, annotations) => {
    expect(found(annotations)).toEqual({})
  })

  test.each([
    ['an unknown event', { 'jts.events': 'jts.order.requested.v9' }, /no event jts.order.requested.v9/],
    ['no event at all', { 'jts.events': ' ' }, /jts.events is empty/],
    ['a topic of ours and another', { topic: 'orders,cron-function' }, /cron-function/],
    ['an unknown output', { topic: 'orders', 'jts.outputs': 'x' }, /no event x/],
    ['a deadline that is none', { topic: 'orders', 'jts.timeout-ms': '2s' }, /jts.timeout-ms/],
    ['no events in a batch', { topic: 'orders', 'jts.batch-max': '0' }, /jts.batch-max/],
  ])('%s: it is left out, and the reason is said', (_name, annotations, reason) => {
    const { target, fault } = found(annotations)
    expect([target, reason.test(fault ?? '')]).toEqual([undefined, true])
  })

  test('a gateway without namespaces has none in its addresses', () => {
    expect(found({ topic: 'orders' }, null).target?.urls).toEqual([`${BASE}/function/risk-check`])
  })
})

describe('a gateway', () => {
  interface Deployed {
    readonly name: string
    readonly annotations: Readonly<Record<string, string>>
  }

  /** As OpenFaaS answers: its list behind basic auth, and its functions behind `/function/`. */
  async function gateway(
    deployed: () => readonly Deployed[],
    behind?: FunctionProcess,
  ): Promise<FunctionProcess> {
    const process = await listen((incoming, outgoing) => {
      if (incoming.url?.startsWith('/function/') === true && behind !== undefined) {
        const body: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => body.push(chunk))
        incoming.on('end', () => void forward(behind.url, incoming.headers, Buffer.concat(body), outgoing))
        return
      }
      const expected = `Basic ${Buffer.from('admin:secret').toString('base64')}`
      if (incoming.headers.authorization !== expected) outgoing.writeHead(401).end()
      else if (incoming.url !== '/system/functions') outgoing.writeHead(404).end()
      else outgoing.end(JSON.stringify(deployed()))
    })
    ends.push(() => process.kill())
    return process
  }

  async function forward(
    url: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Uint8Array,
    outgoing: import('node:http').ServerResponse,
  ): Promise<void> {
    const sent = new Headers()
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name))
        sent.set(name, value)
    }
    const answer = await fetch(url, { method: 'POST', headers: sent, body: Buffer.from(body) })
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
    outgoing.end(Buffer.from(await answer.arrayBuffer()))
  }

  const sourceOf = (url: string, password: string, log: Log = silentLog) => {
    const client = httpClient({ stopwatch: systemStopwatch, connectMsMax: 500, answerBytesMax: 100_000 })
    ends.push(async () => client.close())
    return gatewaySource({ url, user: 'admin', password, client, log, ...DEFAULTS })
  }
  const never = new AbortController().signal

  test('functions are found at it, and fed through it', async () => {
    const seen: string[] = []
    const behind = await serveFunction(async (event) => {
      seen.push(event.id)
      return []
    })
    ends.push(() => behind.kill())
    const events = bothFunction.consumes.map(({ type }) => type).join(' ')
    const deployed: Deployed[] = []
    const { url } = await gateway(() => deployed, behind)
    const source = sourceOf(`${url}/`, 'secret')
    const opened = openBridge([], { source })
    ends.push(() => opened.close())
    await opened.bus.publish(['c1', 'c2', 'c3'].map((id) => cancel(id)))
    deployed.push({ name: 'test-function', annotations: { 'jts.events': events } })
    await expect.poll(() => seen, { timeout: 5_000 }).toEqual(['c1', 'c2', 'c3'])
    deployed.length = 0
    await expect.poll(() => opened.bridge.functions()).toEqual([])
  })

  test('a function that asks for what is not known is named in the log, and the others are found', async () => {
    const lines: unknown[] = []
    const log: Log = { ...silentLog, error: (fields) => void lines.push(fields) }
    const { url } = await gateway(() => [
      { name: 'newer', annotations: { 'jts.events': 'jts.order.requested.v9' } },
      { name: 'good', annotations: { topic: 'orders' } },
    ])
    const targets = await sourceOf(url, 'secret', log)(never)
    expect(targets.map(({ name }) => name)).toEqual(['good'])
    expect(lines).toMatchObject([{ function: 'newer' }])
  })

  test.each([
    ['the wrong password', '', 'wrong', /401: see JTS_BRIDGE_GATEWAY_USER and JTS_BRIDGE_GATEWAY_PASSWORD/],
    ['the wrong place', '/elsewhere', 'secret', /answered 404/],
  ])('%s is said as such', async (_name, path, password, message) => {
    const { url } = await gateway(() => [])
    await expect(sourceOf(`${url}${path}`, password)(never)).rejects.toThrow(message)
  })

  test('one that is not there, or is none, is said as such', async () => {
    const process = await listen((_incoming, outgoing) => outgoing.end('<html>'))
    await expect(sourceOf(process.url, 'secret')(never)).rejects.toThrow(
      /not answer with a list of functions/,
    )
    await process.kill()
    await expect(sourceOf(process.url, 'secret')(never)).rejects.toThrow(/does not answer: .*ECONNREFUSED/)
  })
})
