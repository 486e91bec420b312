// For tests: a function behind a real socket, and a client that sends exactly the bytes it is told to.
import { once } from 'node:events'
import { type Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { instant } from '#shared/domain/time.ts'
import { OrderCancelRequested, OrderDenied, OrderRequested } from '#shared/events/orders.ts'
import { type Handler, defineFunction } from './function.ts'
import { hostFunction } from './host.ts'
import { type HttpDeps, functionServer } from './http.ts'
import { silentLog } from './log.ts'

export const testFunction = defineFunction({
  name: 'test-function',
  summary: 'For tests of the runtime.',
  consumes: [OrderRequested, OrderCancelRequested],
  produces: [OrderDenied],
  timeoutMs: 2_000,
  scale: { min: 1, max: 1 },
})
export type TestHandler = Handler<typeof testFunction>

export interface TestServer {
  readonly port: number
  readonly server: ReturnType<typeof functionServer>
  close(): Promise<void>
}

export async function openServer(handler: TestHandler, deps: Partial<HttpDeps> = {}): Promise<TestServer> {
  const clock = { now: () => instant(Date.parse('2026-11-23T00:00:01.000Z')) }
  const host = hostFunction(testFunction, handler, { clock, stopwatch: systemStopwatch, log: silentLog })
  const server = functionServer([host], { log: silentLog, stopwatch: systemStopwatch, ...deps })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      host.close()
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array
  readonly agent?: Agent
}

/** Header values go out byte for byte, as latin1. */
export async function send(
  port: number,
  { method = 'POST', path = '/', headers = [], body = '', agent }: Sent,
): Promise<Answer> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const outgoing = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    setDefaultHeaders: false,
    ...(agent === undefined ? {} : { agent }),
    // A flat list: the same name may come twice.
    headers: ['host', 'localhost', 'content-length', String(bytes.length), ...headers.flat()],
  })
  outgoing.end(bytes)
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}
