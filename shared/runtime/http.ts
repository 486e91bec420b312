// The HTTP face of functions: events, health, readiness, metrics.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type EndpointDeps, eventEndpoint } from './event-endpoint.ts'
import type { FunctionHost } from './host.ts'
import type { Route } from './http-app.ts'
import { PROBLEM_TYPE, answerProblem, problem } from './problem.ts'

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

/**
 * A server for functions, not yet listening. Events take a short way that makes no Request and no Response. Where there
 * are no functions, as in a connector, it takes no events either.
 */
export function functionServer(hosts: readonly FunctionHost[], deps: HttpDeps): Server {
  const endpoint = hosts.length === 0 ? undefined : eventEndpoint(hosts, deps)
  // Loaded by the first who asks: the web's own Request and Response cost a starting process more than all else here.
  let route: Promise<Route> | undefined
  const answerOther = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    try {
      route ??= import('./http-app.ts').then(({ routeFor }) => routeFor(endpoint, deps))
      await (
        await route
      )(incoming, outgoing)
    } catch (error) {
      deps.log.error({ error }, 'request handling is defective')
      answerProblem(outgoing, problem(500, 'a defect of this function; its log says more'))
    }
  }
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
      if (isEvent && endpoint !== undefined) endpoint(incoming, outgoing)
      else void answerOther(incoming, outgoing)
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
