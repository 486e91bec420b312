// One HTTP exchange, and whether the request may have reached the far side when it fails.
//
// H1. `neverLeft` is a proof: no byte of the request was handed to a connected socket. An order may be sent again. A
//     request that is held back has been handed to nobody.
// H2. Everything else that is not an answer is `maybeLeft`, a reset of a reused socket included: the far side may have
//     read the request before it closed.
// H3. Nothing is ever sent twice from here.
import http from 'node:http'
import https from 'node:https'

export type HttpOutcome =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: http.IncomingHttpHeaders
      readonly body: string
    }
  | { readonly kind: 'neverLeft'; readonly reason: string }
  | { readonly kind: 'maybeLeft'; readonly reason: string }

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpClient {
  /**
   * Never rejects. The deadline is the signal's business. With `cleared`, the connection is taken and the request made
   * ready, and nothing of it leaves before `cleared` resolves to true.
   */
  exchange(request: HttpRequest, signal: AbortSignal, cleared?: Promise<boolean>): Promise<HttpOutcome>
  close(): void
}

const BODY_BYTES_MAX = 4 * 1_048_576
/** Idle sockets are dropped before a server is likely to drop them: a reset while we write would be H2. */
const IDLE_MS = 15_000
const SOCKETS_MAX = 32

export function httpClient(baseUrl: string): HttpClient {
  const base = new URL(baseUrl)
  const secure = base.protocol === 'https:'
  const agentOptions = {
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    timeout: IDLE_MS,
    scheduling: 'lifo' as const,
  }
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
  const request = secure ? https.request : http.request
  const options = {
    agent,
    hostname: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
  }
  const prefix = base.pathname.replace(/\/+$/, '')

  return {
    exchange: (sent, signal, cleared) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve({ kind: 'neverLeft', reason: reasonOf(signal.reason) })
          return
        }
        const outgoing = request({
          ...options,
          method: sent.method,
          path: prefix + sent.path,
          headers:
            sent.body === undefined
              ? sent.headers
              : { ...sent.headers, 'content-length': Buffer.byteLength(sent.body) },
        })
        const { go, holdBack } = follow(outgoing, secure, signal, resolve)
        if (cleared === undefined) go(sent.body)
        else void cleared.then((isCleared) => (isCleared ? go(sent.body) : holdBack()))
      }),
    close: () => agent.destroy(),
  }
}

function follow(
  outgoing: http.ClientRequest,
  secure: boolean,
  signal: AbortSignal,
  resolve: (outcome: HttpOutcome) => void,
): { readonly go: (body: string | undefined) => void; readonly holdBack: () => void } {
  let isConnected = false
  let isWritten = false
  let over = false
  const settle = (outcome: HttpOutcome): void => {
    if (over) return
    over = true
    signal.removeEventListener('abort', onAbort)
    resolve(outcome)
  }
  const fail = (reason: string): void => {
    settle({ kind: isConnected && isWritten ? 'maybeLeft' : 'neverLeft', reason })
    outgoing.destroy()
  }
  const onAbort = (): void => fail(reasonOf(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })

  outgoing.on('socket', (socket) => {
    if (!socket.connecting)
      isConnected = true // kept alive: our bytes go out at once
    else socket.once(secure ? 'secureConnect' : 'connect', () => (isConnected = true))
  })
  outgoing.on('error', (error) => fail(reasonOf(error)))
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX) fail(`answer longer than ${BODY_BYTES_MAX} bytes`)
      else chunks.push(chunk)
    })
    incoming.on('error', (error) => fail(reasonOf(error)))
    incoming.on('aborted', () => fail('the connection ended in the middle of the answer'))
    incoming.on('end', () => {
      if (!incoming.complete) {
        fail('the connection ended in the middle of the answer')
        return
      }
      const body = (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString('utf8')
      settle({ kind: 'answered', status: incoming.statusCode ?? 0, headers: incoming.headers, body })
    })
  })

  return {
    go(body) {
      if (over) return
      isWritten = true
      outgoing.end(body)
    },
    holdBack: () => fail('held back'),
  }
}

/** One line for a person. Never holds headers or bodies, so never a secret. */
export const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const code = (cause as NodeJS.ErrnoException).code
  return code === undefined || cause.message.includes(code) ? cause.message : `${code}: ${cause.message}`
}
