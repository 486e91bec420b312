// One request to one instance of a function, over connections that stay open.
//
// H1. A reply says whether the function may have seen the request: `unreached` it has not, `broken` it may have.
// H2. A connection that was closed while it idled costs one more try, not an attempt of the event.
// H3. Every request ends: no connection, no answer in time, an answer without end, or a partition that is leaving.
import {
  Agent as HttpAgent,
  type AgentOptions,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Stopwatch } from '#shared/ports/clock.ts'

/** Where a request goes. */
export interface Place {
  readonly isTls: boolean
  /** Name or address to connect to. */
  readonly host: string
  readonly port: number
  readonly path: string
  /** As the `host` header says it, and as its certificate must. */
  readonly authority: string
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** For the whole answer. */
  readonly timeoutMs: number
  /** When it aborts, the request has `leaveMs` to end. */
  readonly signal: AbortSignal
  readonly leaveMs: number
}

export interface HttpAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Names, values, names, values. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export type HttpReply =
  | HttpAnswer
  | { readonly kind: 'unreached'; readonly reason: string }
  | { readonly kind: 'broken'; readonly reason: string; readonly isTimeout?: boolean }

export interface HttpClient {
  /** Never rejects. */
  send(place: Place, request: HttpRequest): Promise<HttpReply>
  /** Closes idle connections; call it when no request is under way. */
  close(): void
}

export interface HttpClientOptions {
  readonly stopwatch: Stopwatch
  /** A connection must stand within this. */
  readonly connectMsMax: number
  /** A larger answer is not read to its end. */
  readonly answerBytesMax: number
}

/** Idle connections are given up before the other side's 60 s or more, and sooner where it announces less. */
const AGENT: AgentOptions = { keepAlive: true, maxFreeSockets: 64, timeout: 50_000, scheduling: 'lifo' }

export function httpClient(options: HttpClientOptions): HttpClient {
  const plain = new HttpAgent(AGENT)
  const tls = new HttpsAgent(AGENT)
  const open = (place: Place, { method, headers, body }: HttpRequest): ClientRequest => {
    const { isTls, host, port, path, authority } = place
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const all = { ...headers, host: authority, 'content-length': String(bytes) }
    const common = { host, port, path, method, headers: all }
    return isTls
      ? httpsRequest({ ...common, agent: tls, servername: authority.replace(/:\d+$/, '') })
      : httpRequest({ ...common, agent: plain })
  }
  return {
    async send(place, request) {
      const first = await exchange(open(place, request), place, request, options)
      if (!first.wasIdle) return first.reply
      const { reply } = await exchange(open(place, request), place, request, options)
      const isGone = reply.kind === 'unreached' && first.reply.kind === 'broken'
      return isGone ? { ...reply, kind: 'broken' } : reply
    },
    close() {
      plain.destroy()
      tls.destroy()
    },
  }
}

interface Exchanged {
  readonly reply: HttpReply
  /** H2: it failed on a connection that had been idle. */
  readonly wasIdle: boolean
}

function exchange(
  outgoing: ClientRequest,
  { isTls }: Place,
  { body, timeoutMs, signal, leaveMs }: HttpRequest,
  { stopwatch, connectMsMax, answerBytesMax }: HttpClientOptions,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const over = new AbortController()
    let isConnected = false
    let isAnswering = false
    const end = (reply: HttpReply, wasIdle = false): void => {
      if (over.signal.aborted) return
      over.abort()
      resolve({ reply, wasIdle })
    }
    const breakOff = (reason: string, isTimeout = false): void => {
      end(isConnected ? { kind: 'broken', reason, isTimeout } : { kind: 'unreached', reason })
      outgoing.destroy()
    }
    const onError = (error: NodeJS.ErrnoException): void => {
      const reason = error.message === '' ? (error.code ?? 'connection failed') : error.message
      if (!isConnected) return end({ kind: 'unreached', reason })
      end({ kind: 'broken', reason }, outgoing.reusedSocket && !isAnswering)
    }
    const within = (ms: number, onTime: () => void): void => {
      void stopwatch.sleep(ms, over.signal).then(onTime, () => undefined)
    }

    outgoing.once('socket', (socket) => {
      if (!socket.connecting) isConnected = true
      else socket.once(isTls ? 'secureConnect' : 'connect', () => (isConnected = true))
    })
    outgoing.on('error', onError)
    outgoing.once('response', (incoming) => {
      isAnswering = true
      collect(incoming, answerBytesMax, end, breakOff, onError)
    })
    within(timeoutMs, () => breakOff(`no answer within ${timeoutMs} ms`, true))
    within(Math.min(connectMsMax, timeoutMs), () => {
      if (!isConnected) breakOff(`no connection within ${connectMsMax} ms`)
    })
    const leave = (): void => within(leaveMs, () => breakOff('the partition is leaving'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true, signal: over.signal })
    outgoing.end(body)
  })
}

function collect(
  incoming: IncomingMessage,
  bytesMax: number,
  end: (reply: HttpReply) => void,
  breakOff: (reason: string) => void,
  onError: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) breakOff(`an answer of more than ${bytesMax} bytes (JTS_BRIDGE_ANSWER_BYTES_MAX)`)
    else chunks.push(chunk)
  })
  incoming.on('error', onError)
  incoming.on('end', () => {
    const { statusCode = 0, headers, rawHeaders } = incoming
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)
    end({ kind: 'answer', status: statusCode, headers, rawHeaders, body })
  })
}
