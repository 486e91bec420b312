// Everything but events, by Hono: health, readiness, metrics, and a problem document for what is none of these.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HttpBindings, getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { EventEndpoint } from './event-endpoint.ts'
import type { HttpDeps } from './http.ts'
import { PROBLEM_TYPE, problem } from './problem.ts'

export type Route = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

export const routeFor = (endpoint: EventEndpoint | undefined, deps: HttpDeps): Route =>
  getRequestListener(appFor(endpoint, deps).fetch, { hostname: 'localhost' })

type Bindings = { Bindings: HttpBindings }

/** `POST /` and `/events` write to Node's response themselves. */
function appFor(endpoint: EventEndpoint | undefined, deps: HttpDeps): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const notReady = (): readonly string[] => [
    ...(deps.isDraining?.() === true ? ['draining'] : []),
    ...(deps.notReady?.() ?? []),
  ]
  for (const path of endpoint === undefined ? [] : ['/', '/events']) {
    app.post(path, async (c) => {
      await new Promise<void>((resolve) => endpoint?.(c.env.incoming, c.env.outgoing, resolve))
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
