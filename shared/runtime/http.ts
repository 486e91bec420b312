// The HTTP face of functions: events, health, readiness, metrics.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type HttpBindings, getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { type EndpointDeps, type EventEndpoint, eventEndpoint } from './event-endpoint.ts'
import type { FunctionHost } from './host.ts'
import { PROBLEM_TYPE, problem } from './problem.ts'

export interface HttpDeps extends EndpointDeps {
  /** Why this process should get no traffic; empty when it should. Default: ready unless draining. */
  readonly notReady?: () => readonly string[]
}

/** A body must have come whole within this; a client that trickles is answered 408. */
const REQUEST_TIMEOUT_MS = 20_000
const HEADERS_TIMEOUT_MS = 10_000
/** Longer than the idle time of pooled clients (60 s): who closes an idle connection first loses a request. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000
const TIMEOUT_CHECK_MS = 1_000
const HEADER_BYTES_MAX = 32_768

type Bindings = { Bindings: HttpBindings }

/** Routes everything. `POST /` and `/events` write to Node's response themselves. */
export function httpApp(hosts: readonly FunctionHost[], deps: HttpDeps): Hono<Bindings> {
  return appFor(eventEndpoint(hosts, deps), deps)
}

function appFor(endpoint: EventEndpoint, deps: HttpDeps): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const notReady = (): readonly string[] => [
    ...(deps.isDraining?.() === true ? ['draining'] : []),
    ...(deps.notReady?.() ?? []),
  ]
  for (const path of ['/', '/events']) {
    app.post(path, async (c) => {
      await new Promise<void>((resolve) => endpoint(c.env.incoming, c.env.outgoing, resolve))
      return RESPONSE_ALREADY_SENT
    })
    app.all(path, () => problemResponse(405, 'events come by POST', { allow: 'POST' }))
  }
  for (const path of ['/health', '/_/health']) app.get(path, (c) => c.json({ status: 'ok' }))
  for (const path of ['/ready', '/_/ready']) {
    app.get(path, (c) => {
      const reasons = notReady()
      return c.json({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503)
    })
  }
  app.get('/metrics', async () => {
    if (deps.metrics === undefined) return problemResponse(404, 'no metrics are kept')
    const { registry } = deps.metrics
    return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } })
  })
  for (const path of ['/health', '/_/health', '/ready', '/_/ready', '/metrics']) {
    app.all(path, () => problemResponse(405, 'this is read by GET', { allow: 'GET, HEAD' }))
  }
  app.notFound((c) => problemResponse(404, `nothing at ${c.req.path.slice(0, 200)}`))
  app.onError((error) => {
    deps.log.error({ error }, 'request handling is defective')
    return problemResponse(500, 'a defect of this function; its log says more')
  })
  return app
}

const problemResponse = (status: number, detail: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(problem(status, detail)), {
    status,
    headers: { ...headers, 'content-type': PROBLEM_TYPE },
  })

/** A server for functions, not yet listening. Events take a short way that makes no Request and no Response. */
export function functionServer(hosts: readonly FunctionHost[], deps: HttpDeps): Server {
  const endpoint = eventEndpoint(hosts, deps)
  const route = getRequestListener(appFor(endpoint, deps).fetch, { hostname: 'localhost' })
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const isEvent = incoming.method === 'POST' && (incoming.url === '/' || incoming.url === '/events')
      if (isEvent) endpoint(incoming, outgoing)
      else void route(incoming, outgoing)
    },
  )
  server.on('clientError', answerClientError)
  return server
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
  HPE_HEADER_OVERFLOW: [431, `headers must have at most ${HEADER_BYTES_MAX} bytes`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'chunk extensions are too long'],
}

/** What never became a request is answered on the bare socket, and the connection ends. */
function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket | import('node:stream').Duplex,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'not HTTP/1.1']
  const content = problem(status, detail)
  const body = JSON.stringify(content)
  socket.end(
    `HTTP/1.1 ${status} ${content.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
