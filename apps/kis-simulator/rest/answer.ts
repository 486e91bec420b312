// One request to one answer, without a socket.
import type { IncomingHttpHeaders } from 'node:http'
import { REQUEST_SHOTS } from '../faults.ts'
import { type Gate, stoppedAt } from './gate.ts'
import { jsonObject } from './oauth.ts'
import { type Call, type Desk, type Reply, failed } from './reply.ts'
import { OPEN_ROUTES, ROUTES } from './routes.ts'

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly bodyText: string
}

const first = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? (value[0] ?? '') : (value ?? '')

/** A scalar of a POST body as text; KIS takes strings, and numbers as well as it can. */
const scalar = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''

function callOf(request: RawRequest): Call {
  const body = request.method === 'POST' ? jsonObject(request.bodyText) : undefined
  const header = (name: string): string => first(request.headers[name]).trim()
  return {
    header,
    field: (name) =>
      body === undefined
        ? (request.query.get(name) ?? request.query.get(name.toLowerCase()) ?? '')
        : scalar(body[name]),
    bodyText: request.bodyText,
    appKey: header('appkey'),
  }
}

export function answer(desk: Desk, gate: Gate, request: RawRequest): Reply {
  const shot = desk.faults.fire(REQUEST_SHOTS)
  if (shot === 'refuseConnection') return { status: 500, body: {}, withheld: 'reset' }
  if (shot === 'serverError') return failed(500, 'EGW00002', '서버 에러가 발생하였습니다.')
  const call = callOf(request)
  const open = request.method === 'POST' ? OPEN_ROUTES[request.path] : undefined
  if (open !== undefined) return open(desk, call)
  const routes = ROUTES.filter(({ path, method }) => path === request.path && method === request.method)
  if (routes.length === 0) return failed(404, 'EGW00202', 'GW라우팅 중 오류가 발생했습니다.')
  const trIds = {
    real: routes.flatMap((route) => route.trIds.real),
    paper: routes.flatMap((route) => route.trIds.paper),
  }
  const stopped = stoppedAt(gate, call, request.method, trIds)
  if (stopped !== undefined) return withTr(stopped, call)
  const trId = call.header('tr_id')
  const route = routes.find((candidate) => candidate.trIds[desk.profile].includes(trId))
  if (route === undefined) return withTr(failed(500, 'OPSQ0002', '없는 서비스 코드 입니다'), call)
  return withTr(route.endpoint(desk, call), call)
}

/** KIS names the TR again and says whether there is more. */
function withTr(reply: Reply, call: Call): Reply {
  const headers = {
    tr_id: call.header('tr_id'),
    tr_cont: '',
    gt_uid: call.header('gt_uid'),
    ...reply.headers,
  }
  return { ...reply, headers }
}
