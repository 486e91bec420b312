// The REST door: sockets in, answers out. Protocol lives in answer.ts and control.ts.
//
// R1. A request is in flight until its answer is handed to the socket and its notices are out.
// R2. A withheld answer is not in flight: nobody will ever finish it.
// R3. A broker that can remember nothing more (journal J6) answers nothing: its connections are reset.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { answer } from './answer.ts'
import { type Controls, control } from './control.ts'
import type { Gate } from './gate.ts'
import type { Desk, Reply } from './reply.ts'

const BODY_BYTES_MAX = 65_536

export interface RestServer {
  readonly server: Server
  readonly inFlight: () => number
}

export function restServer(desk: Desk, gate: Gate, controls: Controls): RestServer {
  let inFlight = 0
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    inFlight += 1
    void handle(desk, gate, controls, request, response)
      .catch(() => response.destroy())
      .finally(() => {
        inFlight -= 1
      })
  })
  return { server, inFlight: () => inFlight }
}

/** `undefined` when the body is larger than a KIS call can be. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function handle(
  desk: Desk,
  gate: Gate,
  controls: Controls,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://simulator')
  const bodyText = await bodyOf(request)
  if (bodyText === undefined) {
    response.writeHead(413, { connection: 'close' }).end()
    return
  }
  const { method = 'GET', headers } = request
  desk.broker.check()
  const asked = { method, path: url.pathname, query: url.searchParams, headers, bodyText }
  const reply = control(desk, controls, asked) ?? answer(desk, gate, asked)
  const notices = reply.notices ?? []
  const { noticeLeadMs } = desk.faults.settings()
  if (noticeLeadMs > 0) {
    desk.announce(notices)
    await desk.wait(noticeLeadMs)
  }
  await send(reply, request, response)
  if (noticeLeadMs === 0) desk.announce(notices)
}

function send(reply: Reply, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (reply.withheld === 'reset') {
    request.socket.resetAndDestroy()
    return Promise.resolve()
  }
  if (reply.withheld === 'silence') return Promise.resolve()
  const text = JSON.stringify(reply.body)
  return new Promise((resolve) => {
    response.once('finish', resolve).once('close', resolve)
    response.writeHead(reply.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...reply.headers,
    })
    response.end(text)
  })
}
