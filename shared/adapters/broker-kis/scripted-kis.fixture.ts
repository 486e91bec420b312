// A small real server that speaks just enough of KIS's REST API and does what a test tells it to, faults included.
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ApprovedOrder } from '#shared/domain/order.ts'
import { instrumentId } from '#shared/domain/instrument.ts'
import { type Instant, instant } from '#shared/domain/time.ts'
import { price, quantity } from '#shared/domain/values.ts'
import { historicalClock } from '../memory/historical-clock.ts'
import { memoryHotState } from '../memory/hot-state.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import type { KisAccount, KisSettings } from './accounts.ts'
import { kisGateway } from './gateway.ts'

export interface Received {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly body: Record<string, string>
}

export type Answer =
  | { readonly json: unknown; readonly status?: number; readonly headers?: Record<string, string> }
  | { readonly raw: string; readonly status?: number }
  /** Reads the request and never answers. */
  | 'hang'
  /** Reads the request and cuts the connection. */
  | 'reset'
  /** Answers the head and half a body, then cuts. */
  | 'half'

export interface ScriptedKis {
  readonly settings: KisSettings
  readonly received: Received[]
  /** The next answers for a path, in order; the last one stays. */
  on(path: string, ...answers: readonly (Answer | ((request: Received) => Answer))[]): void
  /** Requests for a path so far. */
  calls(path: string): readonly Received[]
  /** Connections accepted so far. */
  connections(): number
  close(): Promise<void>
}

export const ACCOUNT: KisAccount = {
  accountId: 'kis:5012345601',
  appKey: 'PSkey-1',
  appSecret: 'secret-1',
  number: '50123456',
  product: '01',
  htsId: 'trader01',
}

export const TOKEN_ANSWER = (token: string): Answer => ({
  json: { access_token: token, token_type: 'Bearer', expires_in: 86_400 },
})
/** rt_cd 0 with whatever else. */
export const success = (rest: Record<string, unknown>, trCont = ''): Answer => ({
  json: { rt_cd: '0', msg_cd: 'MCA00000', msg1: '정상처리 되었습니다.      ', ...rest },
  headers: { tr_cont: trCont },
})
export const failure = (code: string, message: string, status = 200, resultCode = '1'): Answer => ({
  json: { rt_cd: resultCode, msg_cd: code, msg1: message },
  status,
})

export async function scriptedKis(): Promise<ScriptedKis> {
  const received: Received[] = []
  const scripts = new Map<string, (Answer | ((request: Received) => Answer))[]>()
  const sockets = new Set<Socket>()
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://kis')
      const text = Buffer.concat(chunks).toString('utf8')
      const one: Received = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === '' ? {} : (JSON.parse(text) as Record<string, string>),
      }
      received.push(one)
      const script = scripts.get(one.path) ?? []
      const step = script.length > 1 ? script.shift() : script[0]
      give(response, typeof step === 'function' ? step(one) : (step ?? { raw: 'no script', status: 404 }))
    })
  })
  let connections = 0
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kis: ScriptedKis = {
    settings: {
      paperTrading: false,
      apiBaseUrl: `http://127.0.0.1:${port}`,
      websocketUrl: `ws://127.0.0.1:${port}`,
      ratePerSecond: 1_000,
    },
    received,
    on: (path, ...answers) => void scripts.set(path, [...answers]),
    connections: () => connections,
    calls: (path) => received.filter((request) => request.path === path),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  kis.on('/oauth2/tokenP', TOKEN_ANSWER('token-1'))
  return kis
}

function give(response: http.ServerResponse, answer: Answer): void {
  if (answer === 'hang') return
  if (answer === 'reset') {
    response.socket?.resetAndDestroy()
  } else if (answer === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"rt_cd":"0",', () => response.socket?.destroy())
  } else if ('raw' in answer) {
    response.writeHead(answer.status ?? 200, { 'content-type': 'text/html' }).end(answer.raw)
  } else {
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
    response.end(JSON.stringify(answer.json))
  }
}

/** A limit buy of ten at 182,300 won. */
export const approvedOrder = (changes: Partial<ApprovedOrder> = {}): ApprovedOrder =>
  ({
    accountId: ACCOUNT.accountId,
    clientOrderId: 'order-1',
    requestedBy: 'operator:test',
    instrumentId: instrumentId('000660.KRX'),
    side: 'buy',
    orderType: 'limit',
    timeInForce: 'day',
    quantity: quantity('10'),
    limitPrice: price('182300'),
    decidedTime: instant(0),
    limitsVersion: 'limits-1',
    ...changes,
  }) as ApprovedOrder

/** The gateway of ACCOUNT against a scripted KIS, at a fixed time. */
export const gatewayTo = (kis: ScriptedKis, now: Instant): ReturnType<typeof kisGateway> =>
  kisGateway({
    settings: kis.settings,
    accounts: [ACCOUNT],
    hotState: memoryHotState({ stopwatch: systemStopwatch }),
    clock: historicalClock(now),
    stopwatch: systemStopwatch,
  })
